"""What goes over the wire when the last layer of a model was trained anew: bytes, end to end.

A real gateway, broker and POSIX device. The device runs the first of two trained models of 26 KiB
that differ in their last layer; then the gateway rolls out the second. A wire tap beside the device
counts. ``python -m bench.firmware.patches`` prints the figures.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import devices, heads
from hack.testbed.broker import Broker
from hack.testbed.processes import ROOT, Process, Processes
from hack.testbed.tap import Tap, Traffic
from hack.testbed.waits import free_port
from petiole.artifact.read import inspect
from petiole.gateway.settings import Settings
from petiole.rollout.plan import Plan, Revision, StagePlan, Summary, Variant

from .section import Bar, Section

FLEET = "default.heads"
DEVICE = devices.Device(id="leaf-0", target=heads.TARGET)
SECONDS = 60.0  # for one update at most


@dataclass(frozen=True, slots=True)
class HeadOnly:
    """Bytes. ``blocks`` are payloads of block messages to the device, ``mqtt`` is all there was.

    ``first_blocks`` and ``first_mqtt``: of the first model, which the device fetches as it is.
    """

    model: int
    artefact: int
    blocks: int
    mqtt: int
    first_artefact: int
    first_blocks: int
    first_mqtt: int

    @property
    def percent(self) -> float:
        """How much of the artefact's bytes the device received."""
        return 100 * self.blocks / self.artefact


def measure() -> HeadOnly:
    """Update one device twice. Needs the firmware to be built (``make -C firmware posix``)."""
    with tempfile.TemporaryDirectory() as name, Processes(Path(name)) as processes:
        return asyncio.run(_measure(Path(name), processes))


async def _measure(folder: Path, processes: Processes) -> HeadOnly:
    key = Ed25519PrivateKey.generate()
    first, second = (version.signed(key) for version in heads.versions())
    broker = Broker(folder / "broker", devices.passwords([DEVICE]), processes)
    broker.start()
    keys = (key.public_key().public_bytes_raw(),)
    devices.provision_posix(folder / "flash", [DEVICE], keys)
    operator = Operator(folder, processes, broker)
    async with Tap(free_port(), broker.port) as tap:
        simulation = devices.Simulation(folder / "faults", folder / "events", trial_answers=8)
        await asyncio.to_thread(operator.start)
        devices.start_simulation(processes, folder / "flash", simulation, broker_port=tap.port)
        begun = await _roll_out(tap, operator, operator.revision(1, first), None)
        ended = await _roll_out(
            tap, operator, operator.revision(2, second), operator.revision(1, first)
        )
    return HeadOnly(
        model=inspect(second).model.length,
        artefact=len(second),
        blocks=ended.blocks.total(),
        mqtt=ended.total,
        first_artefact=len(first),
        first_blocks=begun.blocks.total(),
        first_mqtt=begun.total,
    )


async def _roll_out(
    tap: Tap, operator: Operator, target: Revision, stable: Revision | None
) -> Traffic:
    """Bring the device to run the target, and return what went over the wire meanwhile."""
    tap.traffic.clear()
    await asyncio.to_thread(operator.roll_out, target, stable)
    return tap.traffic.copy()


class Operator:
    """A gateway process, and the operator's calls."""

    def __init__(self, folder: Path, processes: Processes, broker: Broker) -> None:
        self._folder, self._processes, self._broker = folder, processes, broker
        self._serial = 0
        self._port = free_port()
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{self._port}",
            headers={"authorization": "Bearer secret"},
            timeout=30,
        )

    def start(self) -> Process:
        """Start the gateway, and register the device."""
        (self._folder / "store" / "artifacts").mkdir(parents=True)
        gateway = self._processes.start(
            "gateway",
            [
                sys.executable, "-m", "petiole.cli.main", "gateway",
                "--mqtt-port", str(self._broker.port), "--listen-port", str(self._port),
                "--database-url", Settings.sqlite(self._folder / "gateway.db"),
                "--store", (self._folder / "store").as_uri(),
            ],
            environment={
                "PYTHONPATH": "operator:pipelines:.",
                "PETIOLE_MQTT_PASSWORD": self._broker.gateway_password,
                "PETIOLE_GATEWAY_TOKEN": "secret",
            },
        )  # fmt: skip
        gateway.wait_ready(self._ready, SECONDS)
        self._put("/v1/devices", [{"id": DEVICE.id, "labels": {"kind": "leaf"}}])
        return gateway

    def revision(self, number: int, artefact: bytes) -> Revision:
        digest = hashlib.sha256(artefact).hexdigest()
        (self._folder / "store" / "artifacts" / digest).write_bytes(artefact)
        variant = Variant(digest=digest, size=len(artefact))
        return Revision(number=number, variants={heads.TARGET: variant})

    def roll_out(self, target: Revision, stable: Revision | None) -> None:
        """Return when the device runs the target for good; then it is the stable revision."""
        stage = StagePlan(index=0, name="all", limit=1, started_at=datetime.now(UTC))
        self._plan(target=target, stable=stable, mode="Rolling", stage=stage)
        deadline = time.monotonic() + SECONDS
        while (summary := self._summary()).counts.updated < 1:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no update within {SECONDS:.0f} s; last: {summary!r}")
        self._plan(target=target, stable=target)

    def _plan(self, **fields: Any) -> None:  # noqa: ANN401 - any field of Plan
        self._serial += 1
        plan = Plan(
            fleet=FLEET,
            serial=self._serial,
            selector={"kind": "leaf"},
            samples_path="samples/uid",
            interval_seconds=600.0,
            samples_per_day=0,
            **fields,
        )
        self._put(f"/v1/fleets/{FLEET}/plan", plan.model_dump(mode="json", by_alias=True))

    def _summary(self) -> Summary:
        answer = self._http.get(f"/v1/fleets/{FLEET}/summary", params={"wait": 0.1})
        return Summary.model_validate(answer.raise_for_status().json())

    def _put(self, path: str, body: object) -> None:
        self._http.put(path, json=body).raise_for_status()

    def _ready(self) -> bool:
        try:
            return self._http.get("/readyz").is_success
        except httpx.TransportError:
            return False


def section(quick: bool) -> Section:
    """Update one device; there is nothing to make quicker."""
    del quick
    subprocess.run(["make", "-C", ROOT / "firmware", "-s", "posix"], check=True, timeout=600)
    found = measure()
    return Section(
        "bytes to a device whose model got another head",
        figures={"headOnlyBytesPercent": round(found.percent, 2)},
        columns=("what", "bytes"),
        rows=[(name.replace("_", " "), f"{value:,}") for name, value in asdict(found).items()],
        bars=[Bar("block bytes, % of the artefact", round(found.percent, 2), 5.0)],
    )


def main() -> None:
    found = measure()
    print(json.dumps(asdict(found) | {"percent": round(found.percent, 2)}, indent=1))


if __name__ == "__main__":
    main()
