"""An object as it changes: redrawn in place on a terminal, one line a change elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

EVERY = 1.0  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: a picture for terminals, and a line that is the same while nothing changes.

    ``over``: there is nothing more to be seen.
    """

    picture: RenderableType
    line: str
    over: bool = False


async def follow(
    console: Console, look: Callable[[datetime], Awaitable[Look]], every: float = EVERY
) -> None:
    """Show what ``look`` sees until it is over, or the task is cancelled."""
    if console.is_terminal:
        await _drawn(console, look, every)
    else:
        await _told(console, look, every)


async def _drawn(
    console: Console, look: Callable[[datetime], Awaitable[Look]], every: float
) -> None:
    # Drawn with each look and not by a thread: nothing changes in between, so nothing flickers.
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            seen = await look(datetime.now(UTC))
            live.update(seen.picture, refresh=True)
            if seen.over:
                return
            await asyncio.sleep(every)


async def _told(
    console: Console, look: Callable[[datetime], Awaitable[Look]], every: float
) -> None:
    said = ""
    while True:
        now = datetime.now(UTC)
        seen = await look(now)
        if seen.line != said:
            said = seen.line
            console.print(Text(f"{now:%H:%M:%S} {said}"), soft_wrap=True)
        if seen.over:
            return
        await asyncio.sleep(every)
