"""The signed container of a model: pack, inspect, verify. Bytes in, bytes out."""
