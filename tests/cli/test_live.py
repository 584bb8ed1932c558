"""A live view: redrawn in place on a terminal, a line a change elsewhere."""

from __future__ import annotations

import io
from datetime import datetime

from rich.console import Console
from rich.text import Text

from petiole.cli.live import Look, follow

CLEAR = "\x1b[2J"
UP = "\x1b[1A"


class Story:
    """What is seen, look by look."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)

    async def look(self, _: datetime) -> Look:
        line = self._lines.pop(0)
        return Look(Text(f"{line}\nsecond line"), line, over=not self._lines)


async def shown(*lines: str, terminal: bool) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=80, height=24)
    await follow(console, Story(*lines).look, every=0.0)
    return written.getvalue()


async def test_elsewhere_there_is_one_line_a_change() -> None:
    said = await shown("one", "one", "two", "two", "one", terminal=False)
    assert [line.partition(" ")[2] for line in said.splitlines()] == ["one", "two", "one"]
    assert "\x1b" not in said


async def test_on_a_terminal_the_picture_is_drawn_over_itself() -> None:
    said = await shown("one", "two", "three", terminal=True)
    assert CLEAR not in said, "clearing the screen flickers"
    assert said.count(UP) >= 2, "each picture starts where the one before did"
    last = said.rpartition(UP)[2]
    assert "three" in last
    assert "two" not in last


async def test_a_picture_that_is_higher_than_the_terminal_is_cut_until_the_end() -> None:
    looks = iter((False, False, True))

    async def look(_: datetime) -> Look:
        return Look(Text("\n".join(map(str, range(100)))), "", over=next(looks))

    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, height=10)
    await follow(console, look, every=0.0)
    assert written.getvalue().count("99") == 1, "whole when it is left on the screen"
