"""A bench: a real broker, provisioned devices, a signing key, and the gateway's part by hand."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import devices
from hack.testbed.boards import BoardName, provision_board, start_board
from hack.testbed.broker import Broker
from hack.testbed.hand import Hand
from hack.testbed.link import Answer, SensorLink
from hack.testbed.models import TARGET, Model, make
from hack.testbed.processes import Process, Processes
from petiole.artifact.keys import load_private, new_private_pem, public_raw

from .booted import Field

ARCHIVE = 3 * 4096
IDS = tuple(f"leaf-{n}" for n in range(5))


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return load_private(new_private_pem())


@pytest.fixture(scope="session")
def first() -> Model:
    return make(1, padding=3000)


@pytest.fixture(scope="session")
def second() -> Model:
    return make(2, padding=5000)


class Bench:
    """Devices of one process, or one board, at a broker."""

    def __init__(self, folder: Path, processes: Processes, key: Ed25519PrivateKey) -> None:
        self.folder = folder
        self.fleet = [devices.Device(id=name, target=TARGET, archive=ARCHIVE) for name in IDS]
        self.broker = Broker(folder / "broker", devices.passwords(self.fleet), processes)
        self.answers: list[tuple[int, Answer]] = []
        self._processes = processes
        self._keys = (public_raw(key.public_key()),)
        self._numbers = itertools.count(1)
        self._memory: Path | None = None
        self._agent: Process
        self._link: SensorLink

    def provision(self) -> None:
        self.broker.start()
        devices.provision_posix(self.folder / "flash", self.fleet, self._keys)
        board = provision_board(self.folder, self.fleet[0], self._keys)
        self._memory = board

    async def start(self, *options: str) -> None:
        """Start all devices; ``options`` are the agent's."""
        sensor = self.folder / f"sensor-{next(self._numbers)}"
        command = [devices.POSIX_AGENT, "--broker", f"127.0.0.1:{self.broker.port}", "--log"]
        command += ["--flash", self.folder / "flash", "--sensor", sensor, *options]
        self._agent = self._processes.start("devices", command)
        self._agent.wait_ready(sensor.exists, 10)
        await self._open(sensor)

    def start_simulation(self, simulation: devices.Simulation) -> Process:
        """Start all devices, which feed themselves."""
        self._agent = devices.start_simulation(
            self._processes, self.folder / "flash", simulation, broker_port=self.broker.port
        )
        return self._agent

    async def start_board(self, board: BoardName = "an386") -> None:
        """Start the first device as a board in QEMU instead."""
        assert self._memory is not None
        sensor = self.folder / f"sensor-{next(self._numbers)}"
        self._agent = start_board(
            self._processes,
            self._memory,
            broker_port=self.broker.port,
            sensor=sensor,
            board=board,
        )
        await self._open(sensor)

    def spoil_password(self, name: str) -> None:
        """Provision a device again with a password that the broker does not know."""
        device = replace(next(d for d in self.fleet if d.id == name), password="wrong")
        devices.provision_posix(self.folder / "flash", [device], self._keys)

    def reread_faults(self) -> None:
        """Have the agent read its faults."""
        os.kill(self._agent.pid, signal.SIGHUP)

    def log(self) -> str:
        return self._agent.log.read_text()

    async def kill(self) -> None:
        """Cut the power."""
        await self._link.close()
        self._agent.kill()

    def show_raw(self, device: str, values: bytes) -> None:
        """Show a device one input."""
        self._link.show(IDS.index(device), values)

    async def show(self, device: str, model: Model, times: int = 8) -> None:
        """Show a device the model's golden inputs in turn."""
        for number in range(times):
            self._link.show(IDS.index(device), model.inputs[number % len(model.inputs)].tobytes())
        await self._link.flush()

    async def _open(self, sensor: Path) -> None:
        self._link = SensorLink(sensor)
        self._link.on_answer = lambda _link, index, answer: self.answers.append((index, answer))
        await self._link.connect()


@pytest.fixture
def bench(tmp_path: Path, key: Ed25519PrivateKey) -> Iterator[Bench]:
    with Processes(tmp_path) as processes:
        made = Bench(tmp_path, processes, key)
        made.provision()
        yield made


@pytest_asyncio.fixture
async def hand(bench: Bench) -> AsyncIterator[Hand]:
    async with Hand(bench.broker) as gateway:
        yield gateway


@pytest_asyncio.fixture
async def field(tmp_path: Path, key: Ed25519PrivateKey) -> AsyncIterator[Field]:
    """Boards with a boot loader, and the gateway's part by hand."""
    with Processes(tmp_path) as processes:
        made = Field(tmp_path, processes, key)
        async with made.hand:
            yield made
