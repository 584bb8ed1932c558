"""Plays many jobs side by side and keeps each result at once: what was ended goes on from there.

Results take hours: whatever happens, a file holds all of the old ones or all of the new ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
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

    ``workers`` is the number of processes; 0 takes all cores. Raises what a job raises.
    """
    found = {name: value for name, value in results(file).items() if name in jobs}
    write(file, "".join(_line(*item) for item in found.items()))
    with (
        ending(ProcessPoolExecutor(workers or len(os.sched_getaffinity(0)))) as pool,
        file.open("a") as lines,
        Progress(console=console, transient=True) as progress,
    ):
        task = progress.add_task("played", total=len(jobs), completed=len(found))
        waiting = {
            pool.submit(work, *given): name
            for name, (work, given) in jobs.items()
            if name not in found
        }
        for done in as_completed(waiting):
            name = waiting[done]
            found[name] = done.result()
            lines.write(_line(name, found[name]))
            lines.flush()
            progress.advance(task)
    return found


def write(file: Path, text: str) -> None:
    """Write a file whole, or leave what is there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(text)
    partial.replace(file)


@contextmanager
def ending(pool: ProcessPoolExecutor) -> Iterator[ProcessPoolExecutor]:
    """End a pool: what has not begun when something fails does not begin, for nobody keeps it."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _line(name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps([name, value]) + "\n"
