"""Container images without an engine: layers, archives, and the project's own images."""
