"""``petiole artifact``: what a signed artefact says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from petiole.artifact.policy import ArtifactError
from petiole.artifact.read import Artifact, inspect

from .settings import console, fail

app = typer.Typer(no_args_is_help=True, help="Look at signed artefacts.")


@app.callback()
def _group() -> None:
    """Keep ``inspect`` a subcommand though it is the only one."""


@app.command("inspect")
def show(file: Annotated[Path, typer.Argument(help="A signed artefact.")]) -> None:
    """Print the fields of an artefact. The signature is shown, not checked."""
    try:
        artifact = inspect(file.read_bytes())
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    except ArtifactError as error:
        fail(f"{file} is no artefact of Petiole: {error}")
    console.print(_table(artifact))


def _table(artifact: Artifact) -> Table:
    policy = artifact.policy
    table = Table(show_header=False, box=None)
    for name, value in {
        "digest": artifact.digest,
        "size": f"{artifact.size} bytes",
        "kind": artifact.kind.name.lower(),
        "target": policy.target,
        "revision": policy.revision,
        "security counter": policy.security_counter,
        "abi": policy.abi,
        "arena": f"{policy.arena} bytes",
        "operators": f"{policy.ops:#x}",
        "task": "classes" if policy.anomaly is None else policy.anomaly.kind.name.lower(),
        "model": f"{artifact.model.length} bytes",
        "golden vectors": artifact.golden_count,
        "reference": f"{artifact.reference_count} inputs",
        "key hash": artifact.key_hash,
    }.items():
        table.add_row(name, str(value))
    return table
