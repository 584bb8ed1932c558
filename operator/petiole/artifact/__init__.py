"""Petiole: artifact."""
