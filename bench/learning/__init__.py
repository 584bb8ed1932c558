"""What the learning loop saves and finds, measured on real data."""
