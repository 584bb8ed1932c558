"""Petiole keeps small neural networks right on fleets of microcontrollers."""
