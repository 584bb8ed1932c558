"""What the firmware costs and how fast it is: sizes, instructions, bytes, seconds."""
