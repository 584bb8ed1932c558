"""The two kinds of Petiole: TinyModel and DeviceFleet."""
