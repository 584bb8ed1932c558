"""Virtual time: what happens next, one event after another."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

Act = Callable[[Any], None]


class Events:
    """A clock that jumps from event to event. ``now`` in seconds since 1970.

    Events of the same time come in the order in which they were set, so that a run repeats.
    """

    def __init__(self, start: float) -> None:
        self.now = start
        self._heap: list[tuple[float, int, Act, Any]] = []
        self._number = 0
        self._over = False

    def after(self, seconds: float, act: Act, what: Any = None) -> None:  # noqa: ANN401
        """Call ``act(what)`` in so many seconds."""
        self._number += 1
        heapq.heappush(self._heap, (self.now + seconds, self._number, act, what))

    def at(self, time: float, act: Act, what: Any = None) -> None:  # noqa: ANN401
        """Call ``act(what)`` at ``time``, or at once when that has passed."""
        self.after(max(time - self.now, 0.0), act, what)

    def stop(self) -> None:
        """Let ``run`` end after the present event."""
        self._over = True

    def run(self, until: float) -> None:
        """Play all events up to ``until``, or until one of them calls ``stop``."""
        heap = self._heap
        while heap and heap[0][0] <= until and not self._over:
            self.now, _, act, what = heapq.heappop(heap)
            act(what)
        if not self._over:
            self.now = until
