"""Petiole: gateway."""
