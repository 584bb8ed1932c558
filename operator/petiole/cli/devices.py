"""``petiole devices``: tell the gateway which devices there are."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from .settings import console, fail

app = typer.Typer(no_args_is_help=True, help="Register devices.")


@app.callback()
def _group() -> None:
    """Keep ``register`` a subcommand though it is the only one."""


@app.command()
def register(
    file: Annotated[
        Path, typer.Option("--file", "-f", help="CSV with a column id, or JSON [{id, labels}].")
    ],
    gateway: Annotated[str, typer.Option(envvar="PETIOLE_GATEWAY_URL", help="Its address.")],
    token: Annotated[str, typer.Option(envvar="PETIOLE_GATEWAY_TOKEN")] = "",
) -> None:
    """Register devices or replace their labels. In a CSV the other columns are labels."""
    devices = _read(file)
    try:
        answer = httpx.put(
            f"{gateway.rstrip('/')}/v1/devices",
            json=devices,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30.0,
        )
    except httpx.HTTPError as error:
        fail(f"the gateway at {gateway} does not answer: {error}")
    if answer.status_code >= 300:
        fail(f"the gateway at {gateway} refused the devices: {answer.text}")
    console.print(f"{len(devices)} devices registered")


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
