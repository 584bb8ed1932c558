"""``petiole key ca`` and ``petiole key services``: certificates of a small installation."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from petiole.identity.authority import (
    Authority,
    AuthorityError,
    key_pem,
    load_authority,
    new_authority,
    pem,
)

from .settings import fail

Folder = Annotated[Path, typer.Argument(help="Where the files are, or go.")]


def ca(folder: Folder) -> None:
    """Make an authority: ca.crt, ca.key, and crl.pem, on which nothing is revoked yet."""
    try:
        make_authority(folder, datetime.now(UTC))
    except OSError as error:
        fail(f"cannot make an authority in {folder}: {error}")


def services(
    folder: Folder,
    host: Annotated[
        list[str], typer.Option(help="Name or address of the broker; may be repeated.")
    ],
) -> None:
    """Certify broker and gateways for a year: broker.crt, gateway.crt and their keys."""
    try:
        make_services(folder, host)
    except (OSError, AuthorityError) as error:
        fail(f"cannot certify with the authority in {folder}: {error}")


def make_authority(folder: Path, now: datetime) -> Authority:
    """Write a new authority, good from ``now``. FileExistsError rather than writing over one."""
    folder.mkdir(parents=True, exist_ok=True)
    # A name of its own, so that its revocations are told from those of the authority before it.
    authority = new_authority(f"petiole {now:%Y-%m-%d %H:%M:%S.%f}", now)
    write(folder / "ca.key", key_pem(authority.key), new=True)
    write(folder / "ca.crt", pem(authority.certificate).encode())
    write(folder / "crl.pem", authority.revocations([], now).public_bytes(Encoding.PEM))
    return authority


def make_services(folder: Path, hosts: list[str]) -> None:
    """Write keys and certificates of broker and gateways, over those that were."""
    authority = load_authority((folder / "ca.crt").read_bytes(), (folder / "ca.key").read_bytes())
    now = datetime.now(UTC)
    broker, gateway = (generate_private_key(SECP256R1()) for _ in range(2))
    certified: list[tuple[str, bytes, Certificate]] = [
        ("broker", key_pem(broker), authority.issue_server(hosts, broker.public_key(), now)),
        ("gateway", key_pem(gateway), authority.issue_gateway(gateway.public_key(), now)),
    ]
    for name, key, certificate in certified:
        write(folder / f"{name}.key", key)
        write(folder / f"{name}.crt", pem(certificate).encode())


def write(path: Path, data: bytes, *, new: bool = False) -> None:
    """Write a file that only its owner may read."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        stream.write(data)
