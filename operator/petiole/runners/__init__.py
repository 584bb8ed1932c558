"""Adapters that start, find and end pipeline runs."""
