"""How a line to the API server breaks: what a server, its rights and a network do to any client.

Stale and unobserved state are those of Sieve (Sun et al., OSDI 2022). Each lasts for its seconds of
real time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

from hack.testbed.apiline import Answer, ApiLine, Asked

LONG, SHORT = 60.0, 15.0  # seconds

Break = Callable[[ApiLine, "Clock"], None]


class Clock:
    """Says whether a fault lasts."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def on(self) -> bool:
        return time.monotonic() < self._end


def all_answers(answer: Answer) -> Break:
    """Return a fault in which every request gets this answer, also those for a new watch."""

    def begin(line: ApiLine, clock: Clock) -> None:
        line.answer = lambda _: answer if clock.on else None
        line.cut()

    return begin


def watches_answer(answer: Answer) -> Break:
    """Return a fault of watches only."""

    def begin(line: ApiLine, clock: Clock) -> None:
        line.answer = lambda asked: answer if clock.on and asked.watch else None
        line.cut()

    return begin


def writes_answer(answer: Answer) -> Break:
    """Return a fault of writes only."""

    def begin(line: ApiLine, clock: Clock) -> None:
        line.answer = lambda asked: answer if clock.on and asked.writes else None

    return begin


def watches_tell(code: int) -> Break:
    """Return a fault in which a watch tells an error in the place of each event."""
    error = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    told = json.dumps({"type": "ERROR", "object": error}).encode() + b"\n"

    def begin(line: ApiLine, clock: Clock) -> None:
        line.events = lambda event: (told,) if clock.on else (event,)

    return begin


def drops(line: ApiLine, clock: Clock) -> None:
    """Cut every watch with each event that comes."""

    def passed(event: bytes) -> Sequence[bytes]:
        if clock.on:
            line.cut()
        return (event,)

    line.events = passed


def silent(line: ApiLine, clock: Clock) -> None:
    """Hide all events: watches stay open and say nothing."""
    line.events = lambda event: () if clock.on else (event,)


def hidden(line: ApiLine, clock: Clock) -> None:
    """Hide every other event."""
    seen = 0

    def passed(event: bytes) -> Sequence[bytes]:
        nonlocal seen
        seen += 1
        return () if clock.on and seen % 2 else (event,)

    line.events = passed


def repeated(line: ApiLine, clock: Clock) -> None:
    """Tell every event three times."""
    line.events = lambda event: (event, event, event) if clock.on else (event,)


def stale(*, lists: bool) -> Break:
    """Return a fault in which lists, or single objects, are as they were when first asked for."""

    def begin(line: ApiLine, clock: Clock) -> None:
        kept: dict[tuple[str, str], bytes] = {}

        def said(asked: Asked, content: bytes) -> bytes:
            is_list = asked.path.endswith(("/tinymodels", "/devicefleets"))
            if not clock.on or is_list is not lists:
                return content
            return kept.setdefault((asked.path, asked.query), content)

        line.contents = said

    return begin


def slow(line: ApiLine, clock: Clock) -> None:
    """Hold each request back for a second, a write for three."""

    def delay(asked: Asked) -> float:
        return (3.0 if asked.writes else 1.0) * clock.on

    line.delay = delay


BREAKS: dict[str, tuple[float, Break]] = {
    "410 to watches": (SHORT, watches_answer(Answer(410))),
    "410 in watches": (SHORT, watches_tell(410)),
    "429 with Retry-After": (SHORT, all_answers(Answer(429, {"Retry-After": "2"}))),
    "500 for a minute": (LONG, all_answers(Answer(500))),
    "503 for a minute": (LONG, all_answers(Answer(503))),
    "500 to writes": (SHORT, writes_answer(Answer(500))),
    "500 in watches": (SHORT, watches_tell(500)),
    "409 to writes": (SHORT, writes_answer(Answer(409))),
    "403": (SHORT, all_answers(Answer(403))),
    "401": (SHORT, all_answers(Answer(401))),
    "watches dropped": (SHORT, drops),
    "watches silent": (LONG, silent),
    "lists stale": (SHORT, stale(lists=True)),
    "objects stale": (SHORT, stale(lists=False)),
    "events hidden": (SHORT, hidden),
    "events repeated": (SHORT, repeated),
    "answers slow": (SHORT, slow),
}
