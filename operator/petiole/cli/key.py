"""``petiole key``: signing keys, and the authority of devices."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from petiole.artifact.keys import (
    BadKeyError,
    load_private,
    new_private_pem,
    public_pem,
    public_raw,
)

from .authority import ca, services
from .settings import console, fail

app = typer.Typer(no_args_is_help=True, help="Make signing keys and authorities of devices.")
app.command()(ca)
app.command()(services)


@app.command()
def new(file: Annotated[Path, typer.Argument(help="Where the private key goes.")]) -> None:
    """Make an Ed25519 key. An existing file is never written over."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fail(f"cannot make {file}: {error.strerror}")
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(new_private_pem())


@app.command()
def public(
    file: Annotated[Path, typer.Argument(help="A private key.")],
    form: Annotated[
        Literal["pem", "hex"], typer.Option("--format", help="hex: the 32 bytes of a device.")
    ] = "pem",
) -> None:
    """Print the public half of a signing key."""
    try:
        key = load_private(file.read_bytes()).public_key()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    except BadKeyError as error:
        fail(f"{file}: {error}")
    text = public_pem(key).decode().strip() if form == "pem" else public_raw(key).hex()
    console.print(text, soft_wrap=True, markup=False, highlight=False)
