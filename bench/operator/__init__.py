"""What an operator that a cluster administrator trusts must show: ``make bench-operator``."""
