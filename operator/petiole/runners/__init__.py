"""Petiole: runners."""
