"""Pipelines of Petiole: all that needs TensorFlow."""
