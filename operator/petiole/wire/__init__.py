"""Petiole: wire."""
