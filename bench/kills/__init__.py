"""Seeded rollouts of a thousand devices while SIGKILL falls on every part: ``bench.kills``."""
