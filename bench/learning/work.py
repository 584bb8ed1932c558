"""Seeds measured side by side, each in a process with one thread.

What a seed computes does not depend on what runs beside it. TensorFlow's chatter goes to a log;
what is known of a seed goes to the terminal at once.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TextIO

from petiole_pipelines.store import Store

from .arms import Row, Seed, recipe
from .saved import measure
from .settings import SETTINGS

FOLDER = Path("build/bench/learning")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
terminal: TextIO = sys.stdout  # of this process, before its output went to the log


def pool(workers: int) -> ProcessPoolExecutor:
    """Start processes that end with this one."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read when a process imports NumPy
    return ProcessPoolExecutor(workers, get_context("spawn"), _begin, (os.getpid(),))


def describe(name: str) -> None:
    """Describe the images of a setting, which all its seeds share. AbsentError without data."""
    _ = _seed(name, 0, None).described


def measured(name: str, number: int, steps: int | None) -> Row:
    """Measure one seed of a setting."""
    return measure(_seed(name, number, steps))


def _seed(name: str, number: int, steps: int | None) -> Seed:
    setting, folder = SETTINGS[name], FOLDER.absolute()
    kept = folder / name / recipe(setting, steps) / str(number)
    return Seed(setting, number, kept, Store((folder / "store").as_uri()), steps, _say)


def _say(words: str) -> None:
    print(words, file=terminal, flush=True)


def _begin(parent: int) -> None:
    global terminal  # noqa: PLW0603 - a process pool hands its workers no state
    terminal = os.fdopen(os.dup(1), "w", encoding="utf-8")
    log = os.open(FOLDER / "workers.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
