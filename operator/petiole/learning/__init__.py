"""Petiole: learning."""
