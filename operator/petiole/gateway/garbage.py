"""Collects Python's garbage when little happens.

A whole collection looks at every object: 0.17 s with a thousand devices, in which nothing is
decided. By itself Python does it when much was made, which is in the middle of a rollout. What
the gateway makes for a message is freed without it; only cycles, as exceptions make, need it.
"""

from __future__ import annotations

import gc
import time

YOUNG, MIDDLE, NEVER = 20_000, 20, 1_000_000
EVERY = 300.0  # seconds between whole collections
FEW = 20  # messages of a turn in which little happens
LATEST = 3600.0  # seconds after which a busy time is no excuse


class Garbage:
    """Takes over whole collections; those of young objects take a millisecond and stay Python's."""

    def __init__(self) -> None:
        self._last = 0.0

    def start(self) -> None:
        """Set aside all that was made to start with: it is there to the end."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        self._last = time.monotonic()

    def collect(self, messages: int) -> None:
        """Collect if it is time, after a turn of so many messages."""
        ago = time.monotonic() - self._last
        if ago > LATEST or (ago > EVERY and messages < FEW):
            gc.collect()
            self._last = time.monotonic()
