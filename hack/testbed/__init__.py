"""A real control plane, broker, gateway, operator and devices on one machine."""
