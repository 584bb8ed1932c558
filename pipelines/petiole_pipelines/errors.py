"""What a failing step says, and where it says it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from . import credentials
from .traced import traced

RUN_FOLDER = "PETIOLE_RUN_FOLDER"
RUN_STORE, RUN_OUTPUT = "PETIOLE_RUN_STORE", "PETIOLE_RUN_OUTPUT"  # on KFP: store and folder in it
STEP_FILE, ERROR_FILE = "step", "error.json"

P = ParamSpec("P")
R = TypeVar("R")


class StepError(Exception):
    """A step cannot do its work. ``reason`` is CamelCase; the message says what and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a step: leave its name and the cause of a failure in the run's folder, if there is one.

    Neither ``kfp.local`` nor KFP tells why a task failed. On KFP each step has a Pod of its own,
    and the run's folder is the one in the store, which mounted credentials may open.
    """

    @functools.wraps(function)
    def marked(*args: P.args, **kwargs: P.kwargs) -> R:
        credentials.adopt()
        _leave(STEP_FILE, function.__name__)
        try:
            with traced(function.__name__):
                return function(*args, **kwargs)
        except Exception as error:
            cause = _describe(function.__name__, error)
            _leave(ERROR_FILE, json.dumps(cause))
            _store(cause)
            raise

    return marked


def _describe(name: str, error: Exception) -> dict[str, str]:
    if isinstance(error, StepError):
        return {"step": name, "reason": error.reason, "message": str(error)}
    message = f"{type(error).__name__}: {error}"
    return {"step": name, "reason": "StepFailed", "message": message}


def _leave(name: str, text: str) -> None:
    folder = os.environ.get(RUN_FOLDER)
    if not folder:
        return
    partial = Path(folder, f".{name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(Path(folder, name))


def _store(cause: dict[str, str]) -> None:
    uri, output = os.environ.get(RUN_STORE), os.environ.get(RUN_OUTPUT)
    if not uri or not output:
        return
    from .store import Store  # noqa: PLC0415 - it needs this module

    # The step's own failure is what counts, and the store may be what failed.
    with contextlib.suppress(StepError):
        Store(uri).put_json(f"{output}/{ERROR_FILE}", cause)
