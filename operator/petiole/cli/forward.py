"""``petiole pipelines`` and ``petiole data``: commands of the pipelines package.

They run as a program of their own, as a round's runs do: the control plane does not import what
brings TensorFlow.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable

import typer

from .settings import fail

MODULE = "petiole_pipelines.cli"
COMMANDS = {
    "pipelines": "Run steps of a learning round by hand, on files.",
    "data": "Prepare data sets.",
}
_AS_THEY_ARE = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "help_option_names": [],  # the program behind it has its own --help
}


def add_to(app: typer.Typer) -> None:
    for name, text in COMMANDS.items():
        app.command(name, help=text, context_settings=_AS_THEY_ARE)(_forward(name))


def _forward(name: str) -> Callable[[typer.Context], None]:
    def command(context: typer.Context) -> None:
        if importlib.util.find_spec(MODULE.partition(".")[0]) is None:
            fail(
                f"petiole {name} needs the pipelines package, which is not installed here: use the "
                "pipelines image, or pip install petiole with requirements/pipelines.txt"
            )
        os.execv(sys.executable, [sys.executable, "-m", MODULE, name, *context.args])  # noqa: S606

    return command
