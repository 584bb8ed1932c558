"""``kubectl petiole``: what kubectl starts, and what it asks to complete a word.

kubectl runs ``kubectl-petiole`` for ``kubectl petiole ...`` and, for its own shell completion,
``kubectl_complete-petiole`` with the words so far; the answer is a word a line, and last a colon
with what the shell may do besides (kubernetes.io, "Extend kubectl with plugins").
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
from pathlib import Path

import typer

from .main import app

_NO_FILES = 4  # cobra's ShellCompDirectiveNoFileComp


def main() -> None:
    """Run the command under the name by which it was called."""
    called = Path(sys.argv[0]).name
    app(prog_name="kubectl petiole" if called == "kubectl-petiole" else "petiole")


def complete() -> None:
    """Print the words that may come next, with their help behind a tab."""
    *before, incomplete = sys.argv[1:] or [""]
    os.environ |= {
        "_PETIOLE_COMPLETE": "complete_fish",  # the form that kubectl wants, too
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": f"{shlex.join(['petiole', *before])} {incomplete}",
    }
    found = io.StringIO()
    with contextlib.redirect_stdout(found), contextlib.suppress(SystemExit):
        app(prog_name="petiole")
    for word in filter(None, [*found.getvalue().splitlines(), f":{_NO_FILES}"]):
        typer.echo(word)
