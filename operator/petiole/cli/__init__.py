"""The ``petiole`` command."""
