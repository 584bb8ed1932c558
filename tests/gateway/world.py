"""A broker, a gateway and test devices in one folder."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from hack.testbed.broker import Broker
from hack.testbed.processes import Process, Processes
from hack.testbed.waits import free_port
from petiole.api.rollout import Gate, GateTest
from petiole.gateway.main import run
from petiole.gateway.settings import Settings
from petiole.rollout.plan import Plan, Revision, StagePlan, Summary, Variant

from .devices import TestDevice

FLEET = "default.meters"
UPDATE = Gate(
    name="update", outcome="Confirmed", test=GateTest(good="1%", bad="30%", alpha="5%", beta="5%")
)
CONFIDENCE = Gate(
    name="confidence",
    metric="ConfidenceMean",
    baseline="ConcurrentControl",
    test=GateTest(max_drop="5%"),
)


class World:
    """Start with ``async with``. ``devices`` are registered with the label ``kind: meter``.

    The gateway runs in this process, or as one of its own for tests that kill it.
    """

    def __init__(self, folder: Path, devices: int, *, own_process: bool = False) -> None:
        self.own_process = own_process
        self.folder = folder
        self.store = folder / "store"
        (self.store / "artifacts").mkdir(parents=True)
        self.processes = Processes(folder)
        names = [f"dev-{n:03}" for n in range(devices)]
        self.passwords = {n: f"password of {n}" for n in [*names, "stranger"]}
        self.broker = Broker(folder / "broker", self.passwords, self.processes)
        self.devices = [TestDevice(n, self.passwords[n], self.broker.port) for n in names]
        self.port = free_port()
        self.mqtt_port = self.broker.port  # of the gateway
        self.environment: dict[str, str] = {}  # of a gateway of its own process
        self.gateway: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self.serial = 0
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"authorization": "Bearer secret"},
            timeout=20,
        )

    async def __aenter__(self) -> World:
        self.broker.start()
        await self.start_gateway()
        await self.register()
        for device in self.devices:
            device.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for device in self.devices:
            await device.stop()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.http.aclose()
        self.processes.stop()

    async def start_gateway(self) -> None:
        if self.own_process:
            await asyncio.to_thread(self._start_process)
            return
        self._task = asyncio.create_task(run(Settings(**self.settings())))
        await eventually(lambda: asyncio.to_thread(self._healthy), "the gateway listens")

    def settings(self) -> dict[str, Any]:
        return {
            "mqtt_port": self.mqtt_port,
            "mqtt_password": SecretStr(self.broker.gateway_password),
            "database_url": Settings.sqlite(self.folder / "gateway.db"),
            "store_uri": self.store.as_uri(),
            "listen_port": self.port,
            "token": SecretStr("secret"),
        }

    def _start_process(self) -> None:
        variables = {
            "PYTHONPATH": "operator:pipelines:.",
            "PETIOLE_MQTT_PASSWORD": self.broker.gateway_password,
            "PETIOLE_GATEWAY_TOKEN": "secret",
            **self.environment,
        }
        command = [
            sys.executable, "-m", "petiole.cli.main", "gateway",
            "--mqtt-port", str(self.mqtt_port),
            "--database-url", Settings.sqlite(self.folder / "gateway.db"),
            "--store", self.store.as_uri(),
            "--listen-port", str(self.port),
        ]  # fmt: skip
        self.gateway = self.processes.start("gateway", command, environment=variables)
        self.gateway.wait_ready(self._healthy, 90)

    def kill_gateway(self) -> None:
        assert self.gateway is not None
        self.gateway.kill()

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=1).is_success
        except httpx.TransportError:
            return False

    def artefact(self, content: bytes) -> Variant:
        digest = hashlib.sha256(content).hexdigest()
        (self.store / "artifacts" / digest).write_bytes(content)
        return Variant(digest=digest, size=len(content), block_size=1024)

    def revision(self, number: int, target: str = "m4") -> Revision:
        content = f"revision {number} for {target} ".encode() * 150
        return Revision(number=number, variants={target: self.artefact(content)})

    def plan(self, **fields: Any) -> Plan:
        self.serial += 1
        values: dict[str, Any] = {
            "fleet": FLEET,
            "serial": self.serial,
            "selector": {"kind": "meter"},
            "samples_path": "samples/uid",
            "interval_seconds": 1.0,
            "no_report_after_seconds": 60.0,
        }
        return Plan(**{**values, **fields})

    def rolling(self, target: Revision, limit: int, **fields: Any) -> Plan:
        stage = StagePlan(index=0, name="canary", limit=limit, started_at=datetime.now(UTC))
        return self.plan(**{"target": target, "mode": "Rolling", "stage": stage, **fields})

    async def put(self, plan: Plan) -> None:
        body = plan.model_dump(mode="json", by_alias=True)
        answer = await self.http.put(f"/v1/fleets/{plan.fleet}/plan", json=body)
        assert answer.status_code == 204, answer.text

    async def register(self) -> None:
        body = [{"id": d.id, "labels": {"kind": "meter"}} for d in self.devices]
        answer = await self.http.put("/v1/devices", json=body)
        assert answer.status_code == 204, answer.text

    async def summary(self, fleet: str = FLEET, **query: Any) -> Summary:
        answer = await self.http.get(f"/v1/fleets/{fleet}/summary", params=query)
        assert answer.status_code == 200, answer.text
        return Summary.model_validate(answer.json())

    async def until(
        self, happened: Callable[[Summary], bool], seconds: float = 20.0, fleet: str = FLEET
    ) -> Summary:
        """The first summary for which ``happened``; every one on the way must add up."""
        deadline = time.monotonic() + seconds
        version = -1
        while True:
            summary = await self.summary(fleet, after=version, wait=1)
            counts = summary.counts.model_dump()
            assert counts.pop("total") == sum(counts.values()) == summary.devices
            if happened(summary):
                return summary
            version = summary.version
            if time.monotonic() > deadline:
                devices = "; ".join(device.words() for device in self.devices[:8])
                raise AssertionError(f"not within {seconds} s; last: {summary!r}; {devices}")


async def eventually(
    happened: Callable[[], Awaitable[bool] | bool], what: str, seconds: float = 15.0
) -> None:
    deadline = time.monotonic() + seconds
    while True:
        result = happened()
        if await result if isinstance(result, Awaitable) else result:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        await asyncio.sleep(0.05)
