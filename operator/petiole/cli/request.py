"""``petiole pause``, ``resume``, ``skip``, ``promote``, ``abort``, ``retry``: ask beside the spec.

The request is an annotation of the DeviceFleet; the operator answers it once, in status.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from petiole.api.base import REQUEST
from petiole.api.devicefleet import DeviceFleetStatus

from .settings import console, fail
from .where import FLEETS, Context, FleetName, Kubeconfig, Namespace, ask, chosen_namespace, missing

if TYPE_CHECKING:
    from petiole.controller.cluster import Cluster

_EVERY = 0.2  # seconds between two looks for the answer

_SAID = {
    "pause": "No further device begins the revision until it is resumed.",
    "resume": "Go on where the rollout waits for a person.",
    "skip": "End the stage's soak and its undecided gates.",
    "promote": "Let all devices take the revision now.",
    "abort": "Take the revision back now; without a stable one, stop it.",
    "retry": "Try again what was taken back, or the devices that gave up.",
}

Wait = Annotated[float, typer.Option(help="Seconds for the operator to answer; 0 asks only.")]


def add_to(app: typer.Typer) -> None:
    """Add a command for each verb."""
    for verb, text in _SAID.items():
        app.command(verb, help=text)(_command(verb))


def _command(verb: str) -> Callable[..., None]:
    def command(
        fleet: FleetName,
        kubeconfig: Kubeconfig = None,
        context: Context = "",
        namespace: Namespace = "",
        wait: Wait = 10,
    ) -> None:
        place = chosen_namespace(namespace, kubeconfig, context)
        request = f"{verb}@{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}-{secrets.token_hex(3)}"

        async def asked(cluster: Cluster) -> DeviceFleetStatus | None:
            body = await cluster.annotate(FLEETS, place, fleet, {REQUEST: request})
            return None if body is None else await answered(cluster)

        async def answered(cluster: Cluster) -> DeviceFleetStatus:
            status, until = DeviceFleetStatus(), asyncio.get_running_loop().time() + wait
            while status.request != request and asyncio.get_running_loop().time() < until:
                await asyncio.sleep(_EVERY)
                status = _status(await cluster.get(FLEETS, place, fleet))
            return status

        status = ask(kubeconfig, context, asked)
        if status is None:
            missing(FLEETS, place, fleet)
        _show(verb, request, status)

    return command


def _status(body: Mapping[str, Any] | None) -> DeviceFleetStatus:
    return DeviceFleetStatus.model_validate((body or {}).get("status") or {})


def _show(verb: str, request: str, status: DeviceFleetStatus) -> None:
    if status.request != request:
        console.print(f"{_SAID[verb]} Asked; the operator has not answered yet.", soft_wrap=True)
    elif status.answer.startswith("refused"):
        fail(status.answer)
    else:
        console.print(f"{status.answer}\n{status.message}", soft_wrap=True)
