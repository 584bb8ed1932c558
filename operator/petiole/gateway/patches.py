"""Patches between the artefacts of a rollout: made once both are here, then blocks like any other.

The same two artefacts give the same patch, so a gateway that starts anew, or takes the lead, finds
at the broker what it would publish.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from petiole.artifact import patch
from petiole.wire.messages import Patch

Pair = tuple[str, str]  # digests of an artefact and of the one that takes its place


@dataclass(frozen=True, slots=True)
class Made:
    """A patch and its bytes."""

    patch: Patch
    data: bytes


class Patches:
    """Keeps those of the wanted pairs. None stands for a patch that would not save enough."""

    def __init__(self) -> None:
        self._pairs: frozenset[Pair] = frozenset()
        self._made: dict[Pair, Made | None] = {}

    def refer(self, pairs: Iterable[Pair]) -> None:
        """Say all pairs that are needed."""
        self._pairs = frozenset(pairs)
        self._made = {pair: made for pair, made in self._made.items() if pair in self._pairs}

    def due(self, held: Container[str]) -> list[Pair]:
        """Return the pairs to be made, of artefacts that are held."""
        wanted = sorted(self._pairs - self._made.keys())
        return [(base, new) for base, new in wanted if base in held and new in held]

    async def make(self, held: Mapping[str, bytes]) -> list[str]:
        """Make what is due; returns the digests of the patches."""
        made = []
        for pair in self.due(held):
            base, new = pair
            found = await asyncio.to_thread(_make, base, held[base], held[new])
            if pair not in self._pairs:
                continue
            self._made[pair] = found
            if found is not None:
                made.append(found.patch.digest)
        return made

    def made(self) -> dict[Pair, Made]:
        """Return all patches there are."""
        return {pair: made for pair, made in self._made.items() if made is not None}

    def of(self, pair: Pair) -> Patch | None:
        made = self._made.get(pair)
        return None if made is None else made.patch


def _make(base: str, held: bytes, new: bytes) -> Made | None:
    """Return the patch if it is smaller than half of what it makes."""
    data = patch.make(held, new)
    if 2 * len(data) >= len(new):
        return None
    return Made(Patch(base, hashlib.sha256(data).hexdigest(), len(data)), data)
