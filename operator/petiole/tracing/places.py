"""Places in traces, and spans that are over: plain data.

Ids are those of W3C Trace Context (trace 16 bytes, span 8), and the first bytes of a SHA-256 of
names: processes that share nothing but the names, or one that was started again, mean the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Value = str | int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span is, whether anybody told of it yet or not. Not ``sampled``: nobody will."""

    trace: int
    span: int
    sampled: bool = True

    @classmethod
    def named(cls, trace: str) -> Place:
        """Return the root of the trace of that name."""
        return cls(_id(trace, 16), _id(f"root of {trace}", 8))

    def below(self, name: str) -> Place:
        """Return the place of one of its parts."""
        return Place(self.trace, _id(f"{self.span:016x}/{name}", 8), self.sampled)


@dataclass(frozen=True, slots=True)
class Done:
    """A span that is over. Without a parent it is the root of its trace."""

    name: str
    place: Place
    parent: Place | None
    began: datetime
    ended: datetime
    attributes: Mapping[str, Value] = field(default_factory=dict)


def _id(name: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:size], "big")
