"""``petiole get``: a TinyModel or a DeviceFleet as a person wants to read it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from petiole.api.devicefleet import DeviceFleetStatus
from petiole.api.tinymodel import TinyModelStatus

from .settings import console, fail

app = typer.Typer(no_args_is_help=True, help="Show objects of Petiole.")

Kubeconfig = Annotated[
    Path | None, typer.Option(envvar="KUBECONFIG", help="Default: the cluster it runs in.")
]
Namespace = Annotated[str, typer.Option("--namespace", "-n")]


@app.command()
def fleet(name: str, kubeconfig: Kubeconfig = None, namespace: Namespace = "default") -> None:
    """Show where a DeviceFleet stands."""
    status = DeviceFleetStatus.model_validate(
        _read("devicefleets", namespace, name, kubeconfig).get("status") or {}
    )
    counts = status.counts.model_dump()
    _print(
        f"DeviceFleet {namespace}/{name}",
        {
            "status": status.message,
            "revision": f"target {status.revision.target}, stable {status.revision.stable}",
            "firmware": f"target {status.firmware.target}, stable {status.firmware.stable}",
            "mode": f"{status.mode} ({status.kind})" if status.mode != "Idle" else status.mode,
            "stage": status.stage.name or "-",
            "waiting": status.waiting_for.message if status.waiting_for is not None else "-",
            "request": status.answer or "-",
            "devices": ", ".join(f"{number} {word}" for word, number in counts.items() if number),
            **{f"gate {g.name}": f"{g.verdict}: {g.message}" for g in status.gates},
            "drift": f"{status.drift.state} {status.drift.message}",
            **_conditions(status),
        },
    )
    for entry in status.history:
        what = "revision" if entry.kind == "Model" else "firmware"
        console.print(f"  {what} {entry.revision}: {entry.result}. {entry.message}")


@app.command()
def model(name: str, kubeconfig: Kubeconfig = None, namespace: Namespace = "default") -> None:
    """Show where a TinyModel stands."""
    status = TinyModelStatus.model_validate(
        _read("tinymodels", namespace, name, kubeconfig).get("status") or {}
    )
    _print(
        f"TinyModel {namespace}/{name}",
        {
            "status": status.message,
            "round": f"{status.round.number} {status.round.step}",
            "labels": f"{status.labels.spent} of {status.labels.pool}",
            **_conditions(status),
        },
    )
    table = Table("version", "reached", "labels", "trigger", "variants", box=None)
    for version in status.versions:
        variants = ", ".join(
            f"{v.target} {v.size} B {v.accuracy or v.f1}" for v in version.variants
        )
        table.add_row(
            str(version.version),
            version.accuracy or f"F1 {version.f1}",
            str(version.labels),
            version.trigger,
            variants,
        )
    console.print(table)


def _conditions(status: DeviceFleetStatus | TinyModelStatus) -> dict[str, str]:
    return {c.type: f"{c.status} {c.reason} {c.message}" for c in status.conditions}


def _print(title: str, rows: Mapping[str, str]) -> None:
    table = Table(title=title, title_justify="left", show_header=False, box=None)
    for key, value in rows.items():
        table.add_row(key, value)
    console.print(table)


def _read(plural: str, namespace: str, name: str, kubeconfig: Path | None) -> Mapping[str, Any]:
    from petiole.controller.cluster import Cluster, ClusterError  # noqa: PLC0415 - takes a second

    async def read() -> Mapping[str, Any] | None:
        async with Cluster.connect(kubeconfig) as cluster:
            return await cluster.get(plural, namespace, name)

    try:
        found = asyncio.run(read())
    except ClusterError as error:
        fail(str(error))
    if found is None:
        fail(f"there is no {plural.removesuffix('s')} {namespace}/{name}")
    return found
