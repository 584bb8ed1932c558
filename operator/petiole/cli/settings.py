"""Turn what pydantic finds wrong with settings into one sentence for the terminal."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console

Settings = TypeVar("Settings", bound=BaseModel)

_UNCUT = 1000  # columns of a line in a pipe: what reads it wants one line a device


def _stdout() -> Console:
    """Tables as wide as the terminal, and whole in a pipe; COLUMNS says otherwise.

    What objects and devices are called and labelled is never taken for markup.
    """
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(markup=False, emoji=False, width=_UNCUT if piped else None)


console = _stdout()
errors = Console(stderr=True, markup=False, emoji=False)


def checked(model: type[Settings], **values: object) -> Settings:
    """Return the settings, or end with exit code 2 and a sentence that names the option."""
    try:
        return model(**values)
    except ValidationError as error:
        fail("; ".join(_sentence(dict(problem)) for problem in error.errors()), code=2)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong on stderr and end."""
    errors.print(f"petiole: {message}", style="red", soft_wrap=True)
    raise typer.Exit(code)


def _sentence(problem: dict[str, Any]) -> str:
    where = "-".join(str(part) for part in problem["loc"]).replace("_", "-")
    what = str(problem["msg"]).removeprefix("Value error, ")
    return f"--{where}: {what}" if where else what
