"""Turn what pydantic finds wrong with settings into one sentence for the terminal."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console

Settings = TypeVar("Settings", bound=BaseModel)

console = Console()
errors = Console(stderr=True)


def checked(model: type[Settings], **values: object) -> Settings:
    """Return the settings, or end with exit code 2 and a sentence that names the option."""
    try:
        return model(**values)
    except ValidationError as error:
        fail("; ".join(_sentence(dict(problem)) for problem in error.errors()), code=2)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong on stderr and end."""
    errors.print(f"petiole: {message}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _sentence(problem: dict[str, Any]) -> str:
    where = "-".join(str(part) for part in problem["loc"]).replace("_", "-")
    what = str(problem["msg"]).removeprefix("Value error, ")
    return f"--{where}: {what}" if where else what
