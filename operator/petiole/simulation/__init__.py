"""Plays a rollout policy in virtual time: real decisions, invented devices."""
