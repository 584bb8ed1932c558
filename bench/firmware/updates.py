"""From the command to the new model answering: one board in QEMU, over its LAN and over a UART.

A real broker, a signed artefact of 32 KiB whose blocks are at the broker already, a grant: the
clock runs from the grant to the first input that the new model answers. Each update is of another
artefact, so that nothing of it is on the board. QEMU keeps to one processor.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import aiomqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import devices, lan
from hack.testbed.boards import provision_board, start_board
from hack.testbed.broker import Broker
from hack.testbed.link import Answer, SensorLink
from hack.testbed.models import TARGET, Model, digest, make, sign
from hack.testbed.pki import SERVER, Pki, new_key
from hack.testbed.processes import ROOT, Processes
from petiole.artifact.network import Network, Secure
from petiole.wire import topics
from petiole.wire.messages import Artefact, Grant

from .section import Bar, Section

Transport = Literal["lan", "uart"]

SIZE = 32 * 1024
BLOCK = 1024
SHOW_SECONDS = 0.01  # between two inputs
DEADLINE = 60.0
BARS: Mapping[Transport, float] = MappingProxyType({"lan": 2.0, "uart": 10.0})
DEVICE = devices.Device(id="leaf-0", target=TARGET)


@dataclass(frozen=True, slots=True)
class Updates:
    """How long updates took, in seconds, and how large each was, in bytes."""

    transport: Transport
    size: int
    seconds: tuple[float, ...]

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """The smallest that 95 % of the updates did not exceed."""
        ranked = sorted(self.seconds)
        return ranked[-(-len(ranked) * 95 // 100) - 1]


def measure(transport: Transport, count: int = 20, processor: int = 1) -> Updates:
    """Update a board ``count`` times, with QEMU on one processor. Needs the firmware to be built
    (``make -C firmware mps2 lan``)."""
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        return asyncio.run(_measure(Path(folder), processes, transport, count, processor))


async def _measure(
    folder: Path, processes: Processes, transport: Transport, count: int, processor: int
) -> Updates:
    key = Ed25519PrivateKey.generate()
    pki = Pki(folder / "pki")
    broker = Broker(folder / "broker", devices.passwords([DEVICE]), processes, pki=pki.folder)
    broker.start()
    prefix = ("taskset", "-c", str(processor))
    sensor = _start(folder, processes, transport, broker, pki, key, prefix)
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.gateway_user,
        password=broker.gateway_password,
    ) as gateway:
        stand = Stand(gateway, sensor)
        await stand.open()
        model = make(1, padding=SIZE - 2000)
        seconds = [
            await stand.update(model, sign(model, key, revision=number), number)
            for number in range(1, count + 2)
        ]
        await stand.close()
    # The first one also waits for the board to start and to connect.
    return Updates(transport, len(sign(model, key, revision=1)), tuple(seconds[1:]))


def _start(
    folder: Path,
    processes: Processes,
    transport: Transport,
    broker: Broker,
    pki: Pki,
    key: Ed25519PrivateKey,
    prefix: Sequence[str],
) -> Path:
    """Provision and start the board. Returns its sensor link."""
    sensor, keys = folder / "sensor", (key.public_key().public_bytes_raw(),)
    network = None if transport == "uart" else _network(broker, pki)
    port = broker.port if network is None else None
    memory = provision_board(folder, DEVICE, keys, network=network)
    start_board(processes, memory, broker_port=port, sensor=sensor, prefix=prefix)
    return sensor


def _network(broker: Broker, pki: Pki) -> Network:
    own, now = new_key(), datetime.now(UTC)
    certificate = pki.authority.issue(DEVICE.id, own.public_key(), now)
    secure = Secure(SERVER, (pki.authority.certificate,), now, own, (certificate,))
    return lan.network(broker.tls_port, secure)


class Stand:
    """One board at work: it is shown inputs all the time, and sometimes granted another model."""

    def __init__(self, gateway: aiomqtt.Client, sensor: Path) -> None:
        self._gateway = gateway
        self._link = SensorLink(sensor)
        self._link.on_answer = lambda _link, _index, answer: self._take(answer)
        self._wanted = ""
        self._answered = asyncio.Event()

    async def open(self) -> None:
        await self._link.connect()

    async def close(self) -> None:
        await self._link.close()

    async def update(self, model: Model, artefact: bytes, serial: int) -> float:
        """Seconds from the grant to the first answer of the model in ``artefact``."""
        await self._publish_blocks(artefact)
        self._wanted = digest(artefact)
        self._answered.clear()
        grant = Grant(
            serial=serial,
            fleet="default.bench",
            interval=300,
            samples=0,
            artefact=Artefact(digest=self._wanted, size=len(artefact), block=BLOCK),
        )
        start = time.monotonic()
        await self._gateway.publish(topics.grant(DEVICE.id), grant.encode(), qos=1, retain=True)
        showing = asyncio.create_task(self._show(model.inputs[0].tobytes()))
        try:
            await asyncio.wait_for(self._answered.wait(), DEADLINE)
            took = time.monotonic() - start
            await asyncio.sleep(0.5)  # the trial needs a few answers more, and a report
        finally:
            showing.cancel()
        return took

    async def _publish_blocks(self, artefact: bytes) -> None:
        for number, start in enumerate(range(0, len(artefact), BLOCK)):
            topic = topics.block(digest(artefact), number)
            part = artefact[start : start + BLOCK]
            await self._gateway.publish(topic, part, qos=1, retain=True)

    async def _show(self, scan: bytes) -> None:
        while True:
            self._link.show(0, scan)
            await self._link.flush()
            await asyncio.sleep(SHOW_SECONDS)

    def _take(self, answer: Answer) -> None:
        if answer.digest == self._wanted:
            self._answered.set()


def section(quick: bool) -> Section:
    """Update a board over its LAN with TLS, and over a UART."""
    subprocess.run(["make", "-C", ROOT / "firmware", "-s", "mps2", "lan"], check=True, timeout=600)
    transports: tuple[Transport, ...] = ("lan", "uart")
    found = [measure(transport, 5 if quick else 20) for transport in transports]
    return Section(
        "seconds from the command to the new model's answer",
        figures={"updateSecondsP95": {u.transport: round(u.p95, 2) for u in found}},
        columns=("over", "bytes", "updates", "median", "p95"),
        rows=[
            (u.transport, f"{u.size:,}", str(len(u.seconds)), f"{u.p50:.2f}", f"{u.p95:.2f}")
            for u in found
        ],
        bars=[
            Bar(f"seconds, p95, {u.transport}", round(u.p95, 2), BARS[u.transport]) for u in found
        ],
    )
