"""A real Petiole on one machine: control plane, broker, gateway, operator and devices."""
