"""Petiole: rollout."""
