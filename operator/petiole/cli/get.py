"""``petiole get``: models and fleets as a person wants to read them, also as they change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from petiole.api.tinymodel import TinyModelStatus
from petiole.view.fleet import line as fleet_line
from petiole.view.model import line as model_line
from petiole.view.objects import Fleet, Model
from petiole.view.sites import Site, group, names_of

from . import fleet_view, live, model_view
from .gateway_api import Bearer, GatewayError, OptionalGateway, call, data
from .live import Look
from .output import Form, Output, dump, shown
from .readable import Seen, UnreadableError, read
from .settings import console, fail
from .where import (
    FLEETS,
    MODELS,
    Context,
    FleetName,
    Kubeconfig,
    ModelName,
    Namespace,
    Object,
    ask,
    chosen_namespace,
    missing,
)

if TYPE_CHECKING:
    from petiole.controller.cluster import Cluster

app = typer.Typer(no_args_is_help=True, help="Show models and fleets.")

Watch = Annotated[bool, typer.Option("--watch", "-w", help="Go on showing it until Ctrl-C.")]
By = Annotated[
    str, typer.Option(help="The label that devices are counted by, where the gateway is given.")
]

_DEVICES_EVERY = 15.0  # seconds between two questions for all devices of a fleet


@app.command()
def fleet(
    name: FleetName = "",
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    namespace: Namespace = "",
    output: Output = Form.TABLE,
    *,
    watch: Watch = False,
    by: By = "site",
    gateway: OptionalGateway = "",
    token: Bearer = "",
) -> None:
    """Show a DeviceFleet: stages, devices, what it waits for, gates; without a name, all."""
    place = chosen_namespace(namespace, kubeconfig, context)
    if not name:
        bodies = ask(kubeconfig, context, lambda cluster: cluster.all(FLEETS, (place,)))
        _print_all(bodies, output, Fleet, fleet_view.table)
        return
    devices = _Devices(gateway, token, f"{place}.{name}", by)

    async def draw(cluster: Cluster, body: Object, now: datetime) -> RenderableType:
        seen = read(Fleet, body)
        sites = await devices.look(cluster, seen)
        wide = output is Form.WIDE
        picture = fleet_view.render(seen, now, sites=sites, label=by, wide=wide)
        return Group(picture, Text(devices.problem, style="dim")) if devices.problem else picture

    one = _One(FLEETS, place, name, draw, lambda body: fleet_line(read(Fleet, body)))
    _show(one, kubeconfig, context, output, watch=watch)


@app.command()
def model(
    name: ModelName = "",
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    namespace: Namespace = "",
    output: Output = Form.TABLE,
    *,
    watch: Watch = False,
) -> None:
    """Show a TinyModel: its round, labels, versions and curve; without a name, all."""
    place = chosen_namespace(namespace, kubeconfig, context)
    if not name:
        bodies = ask(kubeconfig, context, lambda cluster: cluster.all(MODELS, (place,)))
        _print_all(bodies, output, Model, model_view.table)
        return

    async def draw(_: Cluster, body: Object, now: datetime) -> RenderableType:
        return model_view.render(read(Model, body), now, wide=output is Form.WIDE)

    one = _One(MODELS, place, name, draw, lambda body: model_line(read(Model, body)))
    _show(one, kubeconfig, context, output, watch=watch)


# --- one object, once or as it changes ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _One:
    """An object to show: how it is drawn, and the line that tells one state from the next."""

    plural: str
    namespace: str
    name: str
    draw: Callable[[Cluster, Object, datetime], Awaitable[RenderableType]]
    line: Callable[[Object], str]


def _show(one: _One, kubeconfig: Path | None, context: str, output: Form, *, watch: bool) -> None:
    if watch and output.is_data:
        fail(f"--watch shows tables only; `kubectl get {one.plural} -w -o {output}` shows data", 2)
    if watch:
        try:
            ask(kubeconfig, context, lambda cluster: _followed(one, cluster))
        except KeyboardInterrupt:
            return
    elif output.is_data:
        dump(shown(ask(kubeconfig, context, lambda cluster: _read(one, cluster))), output)
    else:
        console.print(ask(kubeconfig, context, lambda cluster: _drawn(one, cluster)))


async def _read(one: _One, cluster: Cluster) -> Object:
    body = await cluster.get(one.plural, one.namespace, one.name)
    return body if body is not None else missing(one.plural, one.namespace, one.name)


async def _drawn(one: _One, cluster: Cluster) -> RenderableType:
    return await one.draw(cluster, await _read(one, cluster), datetime.now(UTC))


async def _followed(one: _One, cluster: Cluster) -> None:
    """Show the object until it is gone. A server that does not answer is said, and asked again."""
    from petiole.controller.cluster import ClusterError  # noqa: PLC0415 - takes a second

    last: list[RenderableType] = []

    async def look(now: datetime) -> Look:
        try:
            body = await cluster.get(one.plural, one.namespace, one.name)
            picture = None if body is None else await one.draw(cluster, body, now)
        except (ClusterError, UnreadableError) as error:
            return Look(Group(*last, Text(str(error), style="red")), str(error))
        if body is None or picture is None:
            gone = f"{one.namespace}/{one.name} was deleted"
            return Look(Group(*last, Text(gone, style="red")), gone, over=True)
        last[:] = [picture]
        return Look(picture, one.line(body))

    await _read(one, cluster)
    await live.follow(console, look)


def _print_all(
    bodies: Sequence[Object],
    output: Form,
    kind: type[Seen],
    table: Callable[[Sequence[Seen]], RenderableType],
) -> None:
    """Print a line for each; one that cannot be read hides no other."""
    if output.is_data:
        dump([shown(body) for body in bodies], output)
        return
    if not bodies:
        console.print("there are none in this namespace", highlight=False)
        return
    seen: list[Seen] = []
    problems: list[str] = []
    for body in bodies:
        try:
            seen.append(read(kind, body))
        except UnreadableError as error:
            problems.append(str(error))
    console.print(table(seen))
    if problems:
        fail("; ".join(problems))


# --- the fleet's devices --------------------------------------------------------------------------


@dataclass(slots=True)
class _Devices:
    """Devices by a label, where the gateway is known; asked for seldom, since there may be many."""

    gateway: str
    token: str
    fleet: str
    label: str
    problem: str = ""
    _sites: list[Site] = field(default_factory=list)
    _next: float = 0.0

    async def look(self, cluster: Cluster, seen: Fleet) -> list[Site]:
        if self.gateway and time.monotonic() >= self._next:
            try:
                self._sites = await self._ask(cluster, seen)
                self.problem = ""
            except (GatewayError, UnreadableError) as error:
                self.problem = str(error)
            self._next = time.monotonic() + _DEVICES_EVERY
        return self._sites

    async def _ask(self, cluster: Cluster, seen: Fleet) -> list[Site]:
        path = f"/v1/devices?fleet={self.fleet}"
        asked = (self.gateway, self.token, "GET", path, "the devices")
        records = data(await asyncio.to_thread(call, *asked))
        body = await cluster.get(MODELS, seen.namespace, seen.spec.model.name)
        model = TinyModelStatus() if body is None else read(Model, body).status
        return group(records, self.label, names_of(model, seen.status), seen.status.kind)
