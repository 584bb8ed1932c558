"""``petiole devices`` and ``device``: which devices there are, how they are, who is let in."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from petiole.view.device import Filter, chosen

from . import device_view
from .gateway_api import Bearer, Gateway, OptionalGateway, ask
from .output import Form, Output, dump
from .settings import console, errors, fail

app = typer.Typer(help="List devices, register them, let them in and out.")

Device = Annotated[str, typer.Argument(help="The device's id.")]


@app.callback(invoke_without_command=True)
def devices(
    context: typer.Context,
    fleet: Annotated[str, typer.Option(help="Of this fleet: NAMESPACE.NAME.")] = "",
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="KEY=VALUE.")] = None,
    phase: Annotated[str, typer.Option(help="Such as trial or failed.")] = "",
    reason: Annotated[str, typer.Option(help="Such as golden-mismatch or never reported.")] = "",
    output: Output = Form.TABLE,
    *,
    online: Annotated[bool | None, typer.Option("--online/--offline")] = None,
    registered: Annotated[bool | None, typer.Option("--registered/--unregistered")] = None,
    gateway: OptionalGateway = "",
    token: Bearer = "",
) -> None:
    """List devices, or do something with them."""
    if context.invoked_subcommand is not None:
        return
    if not gateway:
        fail("say which gateway to ask: --gateway URL or PETIOLE_GATEWAY_URL", code=2)
    wanted = Filter(_labels(label or ()), phase, reason, online, registered)
    path = "/v1/devices" + (f"?fleet={quote(fleet)}" if fleet else "")
    found = chosen(ask(gateway, token, "GET", path, "the devices"), wanted)
    if output.is_data:
        dump(found, output)
        return
    wide = output is Form.WIDE
    console.print(device_view.table(found, datetime.now(UTC), wide=wide))
    errors.print(f"{len(found)} devices", highlight=False)


def device(name: Device, gateway: Gateway, token: Bearer = "", output: Output = Form.TABLE) -> None:
    """Show one device: what it runs, what is wrong with it, and its history."""
    path = f"/v1/devices/{quote(name, safe='')}"
    found = ask(gateway, token, "GET", path, f"to show {name}")
    if output.is_data:
        dump(found, output)
    else:
        console.print(device_view.render(found, datetime.now(UTC)))


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
    ask(gateway, token, "PUT", "/v1/devices", "the devices", devices)
    console.print(f"{len(devices)} devices registered")


@app.command("token")
def one_time_token(device: Device, gateway: Gateway, token: Bearer = "") -> None:
    """Print a one-time token with which a device gets its certificate. The last one is void."""
    given = ask(gateway, token, "POST", f"/v1/devices/{quote(device, safe='')}/token", "a token")
    console.print(given["token"], soft_wrap=True, highlight=False)
    errors.print(f"for {device}, once, until {given['expiresAt']}", highlight=False)


@app.command()
def revoke(device: Device, gateway: Gateway, token: Bearer = "") -> None:
    """Take a device's certificates back, and its token."""
    path = f"/v1/devices/{quote(device, safe='')}/certificate"
    taken = ask(gateway, token, "DELETE", path, "to revoke")["revoked"]
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
    ask(gateway, token, "DELETE", path, f"to forget {device}")
    console.print(f"{device} forgotten" + ", still registered" * keep_registration)


def _labels(given: Iterable[str]) -> dict[str, str]:
    for text in given:
        if "=" not in text:
            fail(f"--label: {text!r} is not KEY=VALUE", code=2)
    return {key: value for key, _, value in (text.partition("=") for text in given)}


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
