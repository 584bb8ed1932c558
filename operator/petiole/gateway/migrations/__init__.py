"""Alembic migrations of the fleet store."""
