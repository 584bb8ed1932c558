"""``petiole enrol``: what a device does with its one-time token, for one that has a shell."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from petiole.identity.authority import key_pem
from petiole.identity.request import PrivateKey, request

from .authority import write
from .settings import console, fail


def enrol(
    device: Annotated[str, typer.Argument(help="The device's id.")],
    folder: Annotated[Path, typer.Argument(help="Where device.key, device.crt and ca.crt go.")],
    gateway: Annotated[str, typer.Option(envvar="PETIOLE_GATEWAY_URL", help="Its address.")],
    token: Annotated[str, typer.Option(envvar="PETIOLE_TOKEN", help="The one-time token.")],
) -> None:
    """Get a certificate for a one-time token. Run again if no answer came: the key is kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        key = _key(folder / "device.key")
        given = _ask(gateway, {"id": device, "token": token, "csr": request(key, device)})
        write(folder / "device.crt", given["certificate"].encode())
        write(folder / "ca.crt", given["ca"].encode())
    except (OSError, ValueError) as error:
        fail(f"cannot keep what {device} gets in {folder}: {error}")
    console.print(f"{device} has certificate {given['serial']} until {given['notAfter']}")


def _key(file: Path) -> PrivateKey:
    """Return the key in ``file``; the first time, make it: a token works for one key only."""
    with contextlib.suppress(FileExistsError):
        write(file, key_pem(generate_private_key(SECP256R1())), new=True)
    key = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, PrivateKey):
        raise ValueError(f"{file} is a {type(key).__name__}: remove it to have a key made")  # noqa: TRY004
    return key


def _ask(gateway: str, body: dict[str, str]) -> dict[str, Any]:
    try:
        answer = httpx.post(f"{gateway.rstrip('/')}/enrol", json=body, timeout=30.0)
    except httpx.HTTPError as error:
        fail(f"the gateway at {gateway} does not answer: {error}; try again")
    if answer.status_code != 200:
        fail(f"the gateway at {gateway} refused to enrol {body['id']}: {answer.text}")
    given: dict[str, Any] = answer.json()
    return given
