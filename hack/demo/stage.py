"""Where the story plays: testbed, devices, what watches them, and how all is taken down."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hack.testbed.boards import provision_board, start_board
from hack.testbed.devices import Device, passwords, provision_posix, start_posix
from hack.testbed.field import Field, Place, Stream, publish_answers
from hack.testbed.link import SensorLink
from hack.testbed.machines import Machines
from hack.testbed.processes import Process
from hack.testbed.testbed import Testbed
from petiole.api.base import octets
from petiole.artifact.flash import MAX_SLOT_SIZE

from .children import Children
from .example import CALM, Example, Prepared
from .manifests import Manifests
from .record import GatewayView, Record
from .show import Show
from .watch import ActFailedError, Cluster, watched

NAMESPACE = "default"
SEED = 7
CONNECT_SECONDS = 60.0


@dataclass(slots=True)
class Stage:
    """All that an act may touch."""

    example: Example
    manifests: Manifests
    folder: Path
    testbed: Testbed
    cluster: Cluster
    gateway: GatewayView
    record: Record
    show: Show
    data: Prepared
    posix: Sequence[Device]
    boards: Sequence[Device]
    tasks: asyncio.TaskGroup
    children: Children
    field_: Field
    field_began: float = 0.0
    processes: list[Process] = field(default_factory=list)
    running: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def data_folder(self) -> Path:
        return self.manifests.data

    @property
    def machines(self) -> Machines:
        """Those that can fail; an example without any has no act that needs them."""
        if self.data.machines is None:
            raise ActFailedError(f"the example {self.example.name} has no machines")
        return self.data.machines

    async def apply(self, *names: str) -> None:
        """Apply manifests of the example as this run has them."""
        written = [self.manifests.write(name, self.folder / "manifests") for name in names]
        await self.cluster.apply(*written)

    def mark(self, words: str) -> None:
        self.record.mark(datetime.now(UTC), words)

    def dead(self) -> str | None:
        """Name a process that should live and does not."""
        mine = [self.testbed.gateway, self.testbed.operator, *self.processes]
        for process in mine:
            if process is not None and not process.alive:
                return f"{process.name} has ended; {process.log}:\n{process.tail(8)}"
        return None

    def show_field(self, phase: str) -> None:
        """Switch the field; the annotator who can see it answers for its inputs from now on."""
        self.field_.switch(phase)
        stream = self.data.streams[phase]
        if self.data.answers is not None and isinstance(stream, Stream):
            publish_answers(self.data.answers, stream, self.data.names)

    async def connect_devices(self) -> None:
        """Provision and start all devices, feed them, and wait until each has reported."""
        devices = [*self.posix, *self.boards]
        await asyncio.to_thread(self.testbed.register, devices)
        places = await asyncio.to_thread(self._start_devices)
        for link in {id(p.link): p.link for p in places}.values():
            await self._connect(link)
        self.field_.reach(places)
        self.show_field(CALM)
        self.field_began = self.record.second
        self.running.append(self.tasks.create_task(self.field_.run()))
        await self._all_reported(len(devices))
        self.mark(f"{len(devices)} devices connected")

    async def _connect(self, link: SensorLink) -> None:
        try:
            await link.connect()
        except ConnectionError as error:
            raise ActFailedError(self.dead() or str(error)) from error

    def _start_devices(self) -> list[Place]:
        keys = (self.testbed.public_key,)
        flash, port = self.folder / "flash", self.testbed.broker.port
        provision_posix(flash, self.posix, keys, seed=SEED)
        sensor = self.folder / "posix.sock"
        running = start_posix(self.testbed.processes, flash, broker_port=port, sensor=sensor)
        self.processes.append(running)
        link = SensorLink(sensor)
        ordered = sorted(device.id for device in self.posix)
        places = [Place(device, link, index) for index, device in enumerate(ordered)]
        for number, board in enumerate(self.boards):
            memory = provision_board(self.folder / "boards", board, keys, seed=1000 + number)
            sensor = self.folder / f"{board.id}.sock"
            running = start_board(self.testbed.processes, memory, broker_port=port, sensor=sensor)
            self.processes.append(running)
            places.append(Place(board.id, SensorLink(sensor), 0))
        return places

    async def _all_reported(self, expected: int) -> None:
        end = self.record.second + CONNECT_SECONDS
        while (online := await self.gateway.online()) < expected:
            if self.record.second > end:
                raise ConnectionError(
                    f"{online} of {expected} devices have reported within {CONNECT_SECONDS:.0f} s; "
                    f"logs: {self.folder / 'logs'}"
                )
            await asyncio.sleep(0.5)


@asynccontextmanager
async def raised(example: Example, folder: Path, show: Show) -> AsyncIterator[Stage]:
    """Bring the testbed up and watch it; whatever happens, take everything down again."""
    manifests = Manifests(example.manifests, folder / "data", example.overrides)
    posix, boards = fleet_of(example, manifests)
    show.scaled([str(change) for change in manifests.changes()])
    testbed = Testbed(folder, passwords([*posix, *boards]))
    record = Record(datetime.now(UTC))
    with show.act("control plane, broker, gateway and operator come up"):
        data = await asyncio.to_thread(example.prepare, manifests.data, manifests.task)
        try:
            await asyncio.to_thread(testbed.start)
        except asyncio.CancelledError:
            await asyncio.to_thread(testbed.stop)
            raise
    fleet = watched(manifests.fleet)
    gateway = GatewayView(testbed.gateway_url, testbed.gateway_token, f"{NAMESPACE}.{fleet.name}")
    try:
        async with asyncio.TaskGroup() as tasks:
            cluster = Cluster(
                model=watched(manifests.model),
                fleet=fleet,
                kubeconfig=testbed.cluster.kubeconfig,
                kubectl=testbed.cluster.kubectl_path,
                namespace=NAMESPACE,
                logs=folder / "logs",
                started=record.started,
                listeners=[record.saw, show.saw],
            )
            stage = Stage(
                example=example,
                manifests=manifests,
                folder=folder,
                testbed=testbed,
                cluster=cluster,
                gateway=gateway,
                record=record,
                show=show,
                data=data,
                posix=posix,
                boards=boards,
                tasks=tasks,
                children=Children(testbed.processes, folder, testbed.store),
                field_=Field(data.streams, phase=CALM, per_second=example.per_second, seed=SEED),
            )
            cluster.dead = stage.dead
            show.field_ = stage.field_
            watching = [
                tasks.create_task(cluster.follow()),
                tasks.create_task(gateway.follow(record.saw_summary)),
            ]
            yield stage
            for task in [*watching, *stage.running]:
                task.cancel()
    finally:
        await gateway.close()
        await asyncio.to_thread(testbed.stop)


def fleet_of(example: Example, manifests: Manifests) -> tuple[list[Device], list[Device]]:
    """The POSIX devices and the boards, each with its target's limits as far as its flash goes."""
    limits = {target["name"]: target for target in manifests.model["spec"]["targets"]}
    selected = manifests.fleet["spec"]["selector"]["matchLabels"]
    places = itertools.cycle(example.sites or ("",))

    def device(name: str, target: str) -> Device:
        site = next(places)
        labels = selected | ({"site": site} if site else {})
        flash, arena = (octets(str(limits[target][what])) for what in ("flash", "arena"))
        return Device(name, target, labels, slot=min(flash, MAX_SLOT_SIZE), arena=arena)

    posix = [
        device(f"{target}-{number:03d}", target)
        for target, count in example.posix.items()
        for number in range(count)
    ]
    return posix, [device(f"board-{n}", example.board) for n in range(example.boards)]
