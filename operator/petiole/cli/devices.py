"""``petiole devices``: tell the gateway which devices there are, let them in and out."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from .settings import console, errors, fail

app = typer.Typer(no_args_is_help=True, help="Register devices, let them in and out.")

Gateway = Annotated[str, typer.Option(envvar="PETIOLE_GATEWAY_URL", help="Its address.")]
Bearer = Annotated[str, typer.Option(envvar="PETIOLE_GATEWAY_TOKEN")]
Device = Annotated[str, typer.Argument(help="The device's id.")]


@app.command()
def register(
    file: Annotated[
        Path, typer.Option("--file", "-f", help="CSV with a column id, or JSON [{id, labels}].")
    ],
    gateway: Gateway,
    token: Bearer = "",
) -> None:
    """Register devices or replace their labels. In a CSV the other columns are labels."""
    devices = _read(file)
    _ask(gateway, token, "PUT", "/v1/devices", "the devices", devices)
    console.print(f"{len(devices)} devices registered")


@app.command("token")
def one_time_token(device: Device, gateway: Gateway, token: Bearer = "") -> None:
    """Print a one-time token with which a device gets its certificate. The last one is void."""
    given = _ask(gateway, token, "POST", f"/v1/devices/{quote(device, safe='')}/token", "a token")
    console.print(given["token"], soft_wrap=True, markup=False, highlight=False)
    errors.print(f"for {device}, once, until {given['expiresAt']}", highlight=False)


@app.command()
def revoke(device: Device, gateway: Gateway, token: Bearer = "") -> None:
    """Take a device's certificates back, and its token."""
    path = f"/v1/devices/{quote(device, safe='')}/certificate"
    taken = _ask(gateway, token, "DELETE", path, "to revoke")["revoked"]
    console.print(f"{taken} certificates of {device} taken back; the broker must read its list")


@app.command()
def forget(
    device: Device,
    gateway: Gateway,
    token: Bearer = "",
    *,
    keep_registration: Annotated[
        bool, typer.Option("--keep-registration", help="It stays registered, with its labels.")
    ] = False,
) -> None:
    """Forget what a device reported, was granted and did: it is gone, or provisioned anew.

    Its certificates stay: `petiole devices revoke` takes those back.
    """
    path = f"/v1/devices/{quote(device, safe='')}" + "?keep=registration" * keep_registration
    _ask(gateway, token, "DELETE", path, f"to forget {device}")
    console.print(f"{device} forgotten" + ", still registered" * keep_registration)


def _ask(gateway: str, token: str, method: str, path: str, what: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Return the answer's JSON, None when it is empty; end with a sentence when it is an error."""
    try:
        answer = httpx.request(
            method,
            f"{gateway.rstrip('/')}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30.0,
        )
    except httpx.HTTPError as error:
        fail(f"the gateway at {gateway} does not answer: {error}")
    if answer.status_code >= 300:
        fail(f"the gateway at {gateway} refused {what}: {answer.text}")
    return answer.json() if answer.content else None


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        text = file.read_text()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    try:
        return _json(text) if file.suffix == ".json" else _csv(text)
    except (ValueError, KeyError) as error:
        fail(f"{file}: {error}")


def _json(text: str) -> list[dict[str, Any]]:
    return [{"id": str(d["id"]), "labels": dict(d.get("labels", {}))} for d in json.loads(text)]


def _csv(text: str) -> list[dict[str, Any]]:
    rows = csv.DictReader(text.splitlines())
    if "id" not in (rows.fieldnames or ()):
        raise ValueError("its first line names no column 'id'")
    return [{"id": row.pop("id"), "labels": {k: v for k, v in row.items() if v}} for row in rows]
