"""Where the story plays: testbed, devices, what watches them, and how all is taken down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hack.testbed.boards import provision_board, start_board
from hack.testbed.devices import Device, passwords, provision_posix, start_posix
from hack.testbed.field import Field, Place, Stream, publish_answers
from hack.testbed.link import SensorLink
from hack.testbed.processes import Process
from hack.testbed.testbed import Testbed

from .children import Children
from .data import DigitsData, prepare, shift
from .record import GatewayView, Record
from .show import Show
from .summary import CALM, SHIFTED
from .watch import ActFailedError, Cluster

NAMESPACE = "default"
FLEET = f"{NAMESPACE}.meters"
CLASSES = {"cortex-m4": 150, "cortex-m0": 70}
"""POSIX devices by device class."""
BOARDS = 2
INPUTS_PER_SECOND = 3.0
"""Inputs a second for each device."""
SEED = 7
CONNECT_SECONDS = 60.0


@dataclass(slots=True)
class Stage:
    """All that an act may touch."""

    folder: Path
    testbed: Testbed
    cluster: Cluster
    gateway: GatewayView
    record: Record
    show: Show
    data: DigitsData
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
        return self.folder / "data"

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
        """Switch the field; the annotator who can see it answers for its scans from now on."""
        self.field_.switch(phase)
        publish_answers(self.data.labels_path, self.field_.stream, self.data.names)

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
async def raised(folder: Path, show: Show, labels: dict[str, str]) -> AsyncIterator[Stage]:
    """Bring the testbed up and watch it; whatever happens, take everything down again.

    ``labels`` go on every device, for the fleet's selector.
    """
    posix, boards = fleet_of(labels)
    testbed = Testbed(folder, passwords([*posix, *boards]))
    record = Record(datetime.now(UTC))
    with show.act("control plane, broker, gateway and operator come up"):
        data = await asyncio.to_thread(prepare, folder / "data")
        try:
            await asyncio.to_thread(testbed.start)
        except asyncio.CancelledError:
            await asyncio.to_thread(testbed.stop)
            raise
    gateway = GatewayView(testbed.gateway_url, testbed.gateway_token, FLEET)
    try:
        async with asyncio.TaskGroup() as tasks:
            cluster = Cluster(
                kubeconfig=testbed.cluster.kubeconfig,
                kubectl=testbed.cluster.kubectl_path,
                namespace=NAMESPACE,
                logs=folder / "logs",
                started=record.started,
                listeners=[record.saw, show.saw],
            )
            stage = Stage(
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
                field_=Field(_streams(data), phase=CALM, per_second=INPUTS_PER_SECOND, seed=SEED),
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


def fleet_of(labels: dict[str, str]) -> tuple[list[Device], list[Device]]:
    """The POSIX devices and the boards."""
    posix = [
        Device(f"{target}-{number:03d}", target, labels)
        for target, count in CLASSES.items()
        for number in range(count)
    ]
    boards = [Device(f"board-{number}", "cortex-m4", labels) for number in range(BOARDS)]
    return posix, boards


def _streams(data: DigitsData) -> dict[str, Stream]:
    return {
        CALM: Stream(data.field_x, data.field_y),
        SHIFTED: Stream(shift(data.field_x), data.field_y),
    }
