"""Plays many jobs side by side and keeps each result at once: what was ended goes on from there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

Job = tuple[Callable[..., Any], tuple[Any, ...]]  # what to call with what


def results(file: Path) -> dict[str, Any]:
    """Return what was kept, by name. A line that was being written at the end is no result."""
    if not file.exists():
        return {}
    whole = file.read_text().rpartition("\n")[0]
    return dict(json.loads(line) for line in whole.splitlines())


def play(
    jobs: Mapping[str, Job], file: Path, *, workers: int = 0, console: Console | None = None
) -> dict[str, Any]:
    """Return the result of each job, JSON values all; those that ``file`` knows are not played.

    ``workers`` is the number of processes; 0 takes all cores.
    """
    found = {name: value for name, value in results(file).items() if name in jobs}
    file.parent.mkdir(parents=True, exist_ok=True)
    with (
        ProcessPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool,
        Progress(console=console, transient=True) as progress,
    ):
        task = progress.add_task("played", total=len(jobs), completed=len(found))
        waiting = {
            pool.submit(work, *given): name
            for name, (work, given) in jobs.items()
            if name not in found
        }
        file.write_text("".join(_line(*item) for item in found.items()))
        with file.open("a") as lines:
            for done in as_completed(waiting):
                name = waiting[done]
                found[name] = done.result()
                lines.write(_line(name, found[name]))
                lines.flush()
                progress.advance(task)
    return found


def _line(name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps([name, value]) + "\n"
