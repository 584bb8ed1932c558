"""A whole Petiole with real devices for one test: cluster, broker, gateway, operator, field.

The witness listens at the broker itself, beside Petiole: what it saw devices do is what happened.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import yaml
from kubernetes import client, config

from hack.demo.data import DigitsData, prepare
from hack.testbed.devices import Device, passwords, provision_posix, start_posix
from hack.testbed.field import Field, Place, Stream
from hack.testbed.link import SensorLink
from hack.testbed.testbed import Testbed
from petiole.api.base import GROUP, VERSION
from petiole.wire.messages import State
from petiole.wire.topics import ALL_STATE, parse_device_topic

NAMESPACE = "default"
INPUTS_PER_SECOND = 4.0


@dataclass(slots=True)
class Witness:
    """Every state that a device reported, with the time it was heard."""

    seen: list[tuple[float, str, State]] = field(default_factory=list)

    async def listen(self, testbed: Testbed) -> None:
        """Until cancelled; comes back when the broker does."""
        broker = testbed.broker
        while True:
            try:
                async with aiomqtt.Client(
                    broker.host,
                    broker.port,
                    username=broker.gateway_user,
                    password=broker.gateway_password,
                ) as mqtt:
                    await mqtt.subscribe(ALL_STATE, qos=1)
                    async for message in mqtt.messages:
                        self._saw(str(message.topic), bytes(message.payload))
            except aiomqtt.MqttError:
                await asyncio.sleep(0.2)

    def _saw(self, topic: str, payload: bytes) -> None:
        parsed = parse_device_topic(topic)
        if parsed is not None and payload:
            self.seen.append((time.time(), parsed.device, State.decode(payload)))

    def first_active(self, digests: Sequence[str]) -> dict[str, float]:
        """When each device was first heard of with one of the artefacts active."""
        first: dict[str, float] = {}
        for at, device, state in self.seen:
            if state.active in digests:
                first.setdefault(device, at)
        return first

    def latest(self) -> dict[str, State]:
        """Each device's last word."""
        return {device: state for _, device, state in self.seen}


@dataclass(slots=True)
class Orchard:
    """What a test may touch."""

    folder: Path
    testbed: Testbed
    data: DigitsData
    devices: Sequence[Device]
    witness: Witness
    field_: Field

    def api(self) -> client.CustomObjectsApi:
        return client.CustomObjectsApi(
            config.new_client_from_config(str(self.testbed.cluster.kubeconfig))
        )

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """``kubectl apply`` of the objects."""
        file = self.folder / "apply.yaml"
        file.write_text(yaml.safe_dump_all([dict(o) for o in objects]))
        self.testbed.cluster.kubectl("apply", "-n", NAMESPACE, "-f", str(file))

    def read(self, plural: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api().get_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, plural, name, _request_timeout=10
        )
        return found

    def status(self, plural: str, name: str) -> dict[str, Any]:
        return dict(self.read(plural, name).get("status") or {})

    async def wait(
        self,
        what: str,
        plural: str,
        name: str,
        done: Callable[[dict[str, Any]], object],
        seconds: float,
    ) -> dict[str, Any]:
        """The status once ``done`` of it is truthy; fails with the last one at the deadline."""
        end = time.monotonic() + seconds
        status: dict[str, Any] = {}
        while time.monotonic() < end:
            status = await asyncio.to_thread(self.status, plural, name)
            if done(status):
                return status
            await asyncio.sleep(0.25)
        raise AssertionError(
            f"waited {seconds:.0f} s for {what}; last status:\n{yaml.dump(status)}"
        )

    def run_folders(self) -> list[Path]:
        return sorted(p.parent for p in self.testbed.work.glob("*/run.json"))

    def artefact(self, digest: str) -> Path:
        return self.testbed.store / "artifacts" / digest


def condition(status: Mapping[str, Any], type_: str) -> dict[str, Any]:
    """One condition, or an empty one that is neither true nor false."""
    for found in status.get("conditions", []):
        if found["type"] == type_:
            return dict(found)
    return {"status": "", "reason": "", "message": ""}


def digests_of(status: Mapping[str, Any], version: int) -> list[str]:
    """The artefacts of a TinyModel's version."""
    found = next(v for v in status["versions"] if v["version"] == version)
    return [variant["digest"] for variant in found["variants"]]


@asynccontextmanager
async def planted(
    folder: Path,
    devices: Sequence[Device],
    *,
    strangers: Sequence[Device] = (),
    keys: Mapping[str, bytes] | None = None,
    faults: Sequence[str] = (),
) -> AsyncIterator[Orchard]:
    """Bring all up with these POSIX devices on real scans, and take all down again.

    ``strangers`` may log in at the broker but are never registered. ``keys`` gives a device another
    public key than the operator signs with.
    """
    data = await asyncio.to_thread(prepare, folder / "data")
    everyone = [*devices, *strangers]
    testbed = Testbed(folder, passwords(everyone))
    await asyncio.to_thread(testbed.start)
    tasks: list[asyncio.Task[None]] = []
    try:
        await asyncio.to_thread(testbed.register, devices)
        for number, device in enumerate(everyone):
            key = (keys or {}).get(device.id, testbed.public_key)
            provision_posix(folder / "flash", [device], (key,), seed=number)
        link = SensorLink(folder / "sensor.sock")
        await asyncio.to_thread(
            start_posix,
            testbed.processes,
            folder / "flash",
            broker_port=testbed.broker.port,
            sensor=link.path,
            faults=faults,
        )
        await link.connect()
        scans = Field(
            {"calm": Stream(data.field_x, data.field_y)},
            phase="calm",
            per_second=INPUTS_PER_SECOND,
            seed=11,
        )
        ordered = sorted(device.id for device in everyone)
        scans.reach([Place(device, link, index) for index, device in enumerate(ordered)])
        witness = Witness()
        tasks = [asyncio.create_task(witness.listen(testbed)), asyncio.create_task(scans.run())]
        yield Orchard(folder, testbed, data, devices, witness, scans)
        await link.close()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(testbed.stop)


def tiny_model(data: DigitsData, **learning: Any) -> dict[str, Any]:
    """A small model: two batches of labels, one target."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "TinyModel",
        "metadata": {"name": "digits"},
        "spec": {
            "task": {
                "type": "ImageClassification",
                "labels": list(data.names),
                "input": {"height": 8, "width": 8, "channels": 1},
            },
            "data": {"pool": {"uri": data.pool_uri}, "evaluation": {"uri": data.evaluation_uri}},
            "learning": {
                "strategy": "TypiClustThenMargin",
                "batchSize": 30,
                "labelBudget": 60,
                "labels": {"source": "Oracle", "uri": data.labels_uri},
                "deadline": "8m",
                **learning,
            },
            "targets": [{"name": "cortex-m4", "flash": "64Ki", "arena": "16Ki"}],
            "acceptance": {"accuracy": "70%"},
        },
    }


def device_fleet(**rollout: Any) -> dict[str, Any]:
    """Three stages with an outcome gate."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "DeviceFleet",
        "metadata": {"name": "meters"},
        "spec": {
            "selector": {"matchLabels": {"app": "meters"}},
            "model": {"name": "digits", "version": "Latest"},
            "rollout": {
                "stages": [
                    {"name": "canary", "size": 12, "soak": "3s"},
                    {"name": "early", "size": "50%", "soak": "3s"},
                    {"name": "all", "size": "100%"},
                ],
                "gates": [
                    {
                        "name": "update",
                        "outcome": "Confirmed",
                        "test": {"good": "1%", "bad": "30%"},
                    }
                ],
                "noReportAfter": "30s",
                "progressDeadline": "3m",
                **rollout,
            },
            "monitoring": {"interval": "2s"},
        },
    }


def meters(count: int) -> list[Device]:
    return [Device(f"meter-{n:03d}", "cortex-m4", {"app": "meters"}) for n in range(count)]
