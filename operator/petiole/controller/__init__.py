"""Petiole: controller."""
