"""Several gateway processes on one broker and one database, and a witness at the broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt
import httpx

from hack.testbed.processes import Process
from hack.testbed.waits import free_port
from petiole.rollout.plan import Revision
from petiole.wire import topics
from petiole.wire.messages import Grant

from .world import World, eventually


class Several(World):
    """A world with ``count`` gateways; ``http`` asks the one of number ``asked``."""

    def __init__(self, folder: Path, devices: int, database_url: str, count: int = 2) -> None:
        super().__init__(folder, devices, own_process=True)
        self.database_url = database_url
        self.ports = [self.port, *(free_port() for _ in range(count - 1))]
        self.replicas: list[Process] = []

    async def start_gateway(self) -> None:
        for number in range(len(self.ports)):
            await self.start(number)
        await self.followed(len(self.ports) - 1)

    async def start(self, number: int) -> None:
        """Start one, also again after it ended; ready when it knows who leads."""
        variables = {
            "PYTHONPATH": "operator:pipelines:.",
            "PETIOLE_MQTT_PASSWORD": self.broker.gateway_password,
            "PETIOLE_GATEWAY_TOKEN": "secret",
            "PETIOLE_DATABASE_URL": self.database_url,
            **self.environment,
        }
        command = [
            sys.executable, "-m", "petiole.cli.main", "gateway",
            "--mqtt-port", str(self.broker.port),
            "--store", self.store.as_uri(),
            "--listen-port", str(self.ports[number]),
        ]  # fmt: skip
        process = self.processes.start(f"gateway-{number}", command, environment=variables)
        self.replicas[number : number + 1] = [process]
        await asyncio.to_thread(process.wait_ready, lambda: self._ready(number), 90)

    async def ask(self, number: int) -> None:
        """Send what is asked from now on to another replica."""
        await self.http.aclose()
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.ports[number]}",
            headers={"authorization": "Bearer secret"},
            timeout=20,
        )

    def number(self, name: str, gateway: int) -> float:
        """A metric of one replica, -1 while it does not answer."""
        try:
            url = f"http://127.0.0.1:{self.ports[gateway]}/metrics"
            lines = httpx.get(url, timeout=2).text.splitlines()
        except httpx.TransportError:
            return -1.0
        return float(next(line.split()[-1] for line in lines if line.startswith(f"{name} ")))

    def leader(self) -> int | None:
        """Number of the replica that leads."""
        for number in range(len(self.ports)):
            if self.number("petiole_gateway_leading", number) == 1.0:
                return number
        return None

    async def followed(self, others: int, seconds: float = 15.0) -> None:
        """Wait until the leader shares what it hears with so many others."""

        def shared() -> bool:
            number = self.leader()
            return number is not None and self.number("petiole_gateway_followers", number) == others

        await eventually(lambda: asyncio.to_thread(shared), f"{others} others hear", seconds)

    def signal(self, number: int, what: signal.Signals) -> None:
        os.kill(self.replicas[number].pid, what)

    def _ready(self, number: int) -> bool:
        try:
            url = f"http://127.0.0.1:{self.ports[number]}/readyz"
            return httpx.get(url, timeout=1).is_success
        except httpx.TransportError:
            return False


@dataclass
class Witness:
    """When each device was first granted ``revision``, as the broker saw it."""

    digests: frozenset[str]
    first: dict[str, float] = field(default_factory=dict)

    def take(self, topic: str, payload: bytes) -> None:
        granted = Grant.decode(payload).artefact if payload else None
        if granted is not None and granted.digest in self.digests:
            self.first.setdefault(topic.split("/")[3], time.monotonic())


@asynccontextmanager
async def witness(world: World, revision: Revision) -> AsyncIterator[Witness]:
    """Watch all grants of ``revision`` while the block runs."""
    seen = Witness(frozenset(v.digest for v in revision.variants.values()))
    listening = asyncio.Event()

    async def watch() -> None:
        async with aiomqtt.Client(
            "127.0.0.1", world.broker.port,
            username=world.broker.gateway_user, password=world.broker.gateway_password,
        ) as client:  # fmt: skip
            await client.subscribe(topics.grant("+"), qos=1)
            listening.set()
            async for message in client.messages:
                seen.take(str(message.topic), bytes(message.payload))

    watching = asyncio.create_task(watch())
    try:
        await asyncio.wait_for(listening.wait(), 10)
        yield seen
    finally:
        while not watching.done():
            watching.cancel()
            await asyncio.wait([watching], timeout=0.5)
        with contextlib.suppress(asyncio.CancelledError):
            watching.result()  # a witness that fell silent is none
