"""What is told to the world outside of Kubernetes, and what it may ask for. Pure."""
