"""A keyed work queue: what is asked for twice is done once, and never twice at the same time.

The shape is that of Go's client-go workqueue. A key that is added while it is worked on is worked
on again afterwards; a handler that fails is tried again after a growing, jittered delay.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

import structlog

from . import metrics
from .problem import Problem

Key = TypeVar("Key", bound=Hashable)
Handler = Callable[[Key], Awaitable[float | None]]

_log = structlog.get_logger(__name__)


class WorkQueue(Generic[Key]):
    """Keys with due times. ``handler`` returns after how many seconds it wants the key again."""

    def __init__(self, *, base_delay: float = 1.0, max_delay: float = 30.0) -> None:
        self._base, self._max = base_delay, max_delay
        self._heap: list[tuple[float, int, Key]] = []
        self._due: dict[Key, float] = {}  # the one valid entry of each key in the heap
        self._active: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._due)

    def due(self) -> int:
        """Count the keys whose time has come and that nobody has taken."""
        now = asyncio.get_running_loop().time()
        return sum(due <= now for due in self._due.values())

    def add(self, key: Key, delay: float = 0.0) -> None:
        """Ask for a pass in ``delay`` seconds; an earlier one that is already asked for stays."""
        due = asyncio.get_running_loop().time() + delay
        if due >= self._due.get(key, float("inf")):
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
        self._changed.set()

    def spread(self, keys: Sequence[Key], seconds: float) -> None:
        """Ask for a pass of each, evenly over ``seconds``.

        Asked for at once, all of them would go before what happens in the next moment.
        """
        for number, key in enumerate(keys):
            self.add(key, seconds * number / len(keys))

    async def run(self, handler: Handler[Key], workers: int) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work(handler))

    async def _work(self, handler: Handler[Key]) -> None:
        while True:
            key = await self._take()
            try:
                again = await handler(key)
            except Problem as problem:
                again = self.back_off(key)
                _log.warning("problem", key=str(key), text=str(problem), again=round(again, 1))
                self.add(key, again)
            except Exception:  # noqa: BLE001 - one object that fails must not stop the others
                _log.exception("pass failed", key=str(key))
                self.add(key, self.back_off(key))
            else:
                self._failures.pop(key, None)
                if again is not None:
                    self.add(key, again)
            finally:
                self._active.discard(key)
                self._changed.set()

    async def _take(self) -> Key:
        while True:
            self._changed.clear()
            key, wait = self._next()
            if key is not None:
                return key
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _next(self) -> tuple[Key | None, float | None]:
        """Take the first due key that nobody works on, or say how long to wait."""
        now = asyncio.get_running_loop().time()
        busy: list[tuple[float, int, Key]] = []
        taken: Key | None = None
        wait: float | None = None
        while self._heap and taken is None:
            entry = heapq.heappop(self._heap)
            due, _, key = entry
            if self._due.get(key) != due:
                continue  # an earlier entry took its place
            if due > now:
                busy.append(entry)
                wait = due - now
                break
            if key in self._active:
                busy.append(entry)
                continue
            del self._due[key]
            self._active.add(key)
            metrics.WAITED.observe(now - due)
            taken = key
        for entry in busy:
            heapq.heappush(self._heap, entry)
        return taken, wait

    def back_off(self, key: Key) -> float:
        """Count a failure of the key and return after how many seconds to try again."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        longest = min(self._max, self._base * 2.0 ** min(failures - 1, 16))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, hides nothing
