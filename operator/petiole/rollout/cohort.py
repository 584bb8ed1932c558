"""Who goes first: a fixed, auditable order of a fleet's devices for one revision.

A hash orders the devices, so nobody keeps a list of canaries, two processes agree without talking,
and another revision makes other devices the canaries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def rank(revision: int, device: str) -> bytes:
    """Sort key of ``device`` in the cohort of ``revision``: 32 bytes, uniform over devices."""
    return hashlib.sha256(f"{revision}/{device}".encode()).digest()


def order(revision: int, devices: Iterable[str]) -> list[str]:
    """``devices`` in the order in which they may take ``revision``. No device appears twice."""
    return sorted(set(devices), key=lambda device: rank(revision, device))
