"""``petiole key``: signing keys and their change, and the authority of devices."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from petiole.artifact.keys import (
    BadKeyError,
    load_private,
    load_public,
    new_private_pem,
    public_pem,
    public_raw,
)

from .authority import ca, services, write
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
    key = _private(file).public_key()
    text = public_pem(key).decode().strip() if form == "pem" else public_raw(key).hex()
    console.print(text, soft_wrap=True, highlight=False)


@app.command()
def rotate(
    folder: Annotated[Path, typer.Argument(help="With signing.pem and accepted.pem, as they are.")],
    file: Annotated[Path, typer.Argument(help="The next private key.")],
    into: Annotated[Path, typer.Argument(help="A new folder, with the files as they shall be.")],
) -> None:
    """Sign with the next key from now on, and go on accepting what the last one signed.

    A folder is what the chart's Secret is made of: signing.pem signs, accepted.pem is the other
    public key that devices hold. It is refused unless they hold the next key.
    """
    accepted = folder / "accepted.pem"
    last, following = _private(folder / "signing.pem"), _private(file)
    if public_raw(following.public_key()) != public_raw(_public(accepted)):
        fail(
            f"{file} is not the key that {accepted} tells of: devices would refuse what it signs. "
            "Provision them with its public half first (docs/install.md, 'Signing keys')"
        )
    try:
        into.mkdir(mode=0o700)
        write(into / "signing.pem", file.read_bytes())
        write(into / "accepted.pem", public_pem(last.public_key()))
    except OSError as error:
        fail(f"cannot make {into}: {error.strerror}")
    console.print(f"{into} signs with {file} and accepts what the last key signed", soft_wrap=True)


def _private(file: Path) -> Ed25519PrivateKey:
    try:
        return load_private(file.read_bytes())
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    except BadKeyError as error:
        fail(f"{file}: {error}")


def _public(file: Path) -> Ed25519PublicKey:
    try:
        return load_public(file.read_bytes())
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    except BadKeyError as error:
        fail(f"{file}: {error}")
