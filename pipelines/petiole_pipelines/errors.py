"""What a failing step says, and where it says it."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

RUN_FOLDER = "PETIOLE_RUN_FOLDER"
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

    ``kfp.local`` tells its caller which task failed and not why; on a cluster the pod's log has it.
    """

    @functools.wraps(function)
    def marked(*args: P.args, **kwargs: P.kwargs) -> R:
        _leave(STEP_FILE, function.__name__)
        try:
            return function(*args, **kwargs)
        except Exception as error:
            _leave(ERROR_FILE, json.dumps(_describe(function.__name__, error)))
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
