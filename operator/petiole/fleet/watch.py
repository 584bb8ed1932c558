"""Deadlines of those devices that were asked to do something, and of nobody else. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from .member import Member

Begun = list[tuple[float, int]]  # when, and how many


class Watch:
    """Members by time. A deadline that moved is found out when the old one comes."""

    def __init__(self) -> None:
        self._queue: list[tuple[float, int, Member]] = []

    def add(self, member: Member, at: float) -> None:
        heapq.heappush(self._queue, (at, member.place, member))

    def due(self, now: float) -> Iterator[Member]:
        """Take those whose time has come, the earliest first."""
        while self._queue and self._queue[0][0] <= now:
            yield heapq.heappop(self._queue)[2]

    @property
    def next(self) -> float | None:
        return self._queue[0][0] if self._queue else None


class Pace:
    """How many devices were let begin in the last minute."""

    MINUTE = 60.0

    def __init__(self) -> None:
        self._begun: Begun = []
        self._count = 0

    def add(self, at: float, count: int = 1) -> None:
        """Note beginnings; times must not fall."""
        if self._begun and self._begun[-1][0] >= at:
            last, before = self._begun[-1]
            self._begun[-1] = (last, before + count)
        else:
            self._begun.append((at, count))
        self._count += count

    def left(self, per_minute: int | None, now: float) -> int | None:
        """How many more may begin at ``now``; None: any number."""
        self._forget(now)
        return None if per_minute is None else max(0, per_minute - self._count)

    def begun(self, now: float) -> Begun:
        """Return what counts at ``now``, oldest first."""
        self._forget(now)
        return list(self._begun)

    def _forget(self, now: float) -> None:
        past = 0
        while past < len(self._begun) and self._begun[past][0] <= now - self.MINUTE:
            self._count -= self._begun[past][1]
            past += 1
        if past:
            del self._begun[:past]

    @property
    def next(self) -> float | None:
        """When the oldest beginning is a minute ago."""
        return self._begun[0][0] + self.MINUTE if self._begun else None
