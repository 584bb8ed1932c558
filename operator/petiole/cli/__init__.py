"""Petiole: cli."""
