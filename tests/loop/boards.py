"""A fleet of two boards in QEMU for one test: one on a serial line, one on a LAN with TLS.

Boot loader, both slots and the firmware are real, and so is all that they talk to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner

from hack.testbed import lan
from hack.testbed.boards import (
    BOARDS,
    FIRMWARE_OFFSET,
    FIRMWARE_SIZE,
    provision_board,
    start_board,
)
from hack.testbed.crowd import FLEET, Crowd
from hack.testbed.devices import Device
from hack.testbed.field import Cell, Field, Place, Stream
from hack.testbed.firmware import release
from hack.testbed.link import SensorLink
from hack.testbed.models import TARGET, Model, digest, make, sign
from hack.testbed.pki import SERVER, Pki, new_key
from hack.testbed.waits import wait_until
from petiole.artifact.bundle import SLOTS
from petiole.artifact.keys import load_private
from petiole.artifact.network import Secure
from petiole.cli.main import app

SERIAL, LAN = "twig-serial", "twig-lan"
LAN_TARGET = f"{TARGET}-lan"  # other firmware, so another class of device
BUILT = BOARDS["an386"].built
INPUTS_PER_SECOND = 5.0
PHASE = "field"


@dataclass(slots=True)
class Boards:
    """The fleet, and what a test may do to it.

    ``field`` counts what the boards answer; ``artefacts`` are their signed model, by target.
    """

    crowd: Crowd
    field: Field
    artefacts: Mapping[str, bytes]
    revision: int = 1

    async def wait(
        self, done: Callable[[Mapping[str, Any]], object], seconds: float, what: str
    ) -> dict[str, Any]:
        """The fleet's status once ``done`` of it is truthy."""
        return await asyncio.to_thread(self.crowd.wait, done, seconds, what)

    @property
    def models(self) -> dict[str, str]:
        """Digest of the model of each board."""
        return {d.id: digest(self.artefacts[d.target]) for d in self.crowd.devices}

    async def bundle(self, linked: str, rollout: Mapping[str, Any]) -> None:
        """Let the fleet have the next bundle, of the firmware that is ``linked`` so."""
        self.revision += 1
        name = f"{linked}-{self.revision}.zip"
        store = self.crowd.testbed.store
        unsigned = self.crowd.folder / f"unsigned-{name}"
        petiole(
            "build", "--version", f"{linked} {self.revision}", "--revision", self.revision,
            *_images(TARGET, linked),
            *_images(LAN_TARGET, f"{linked}-lan"),
            "-o", unsigned,
        )  # fmt: skip
        key = self.crowd.testbed.signing_key
        petiole("sign", unsigned, "--key", key, "--counter", 1, "-o", store / name)
        await asyncio.to_thread(self.crowd.apply, rollout, name)

    def records(self) -> dict[str, dict[str, Any]]:
        """What the gateway knows of each board."""
        with self.crowd.testbed.http() as client:
            return {d.id: client.get(f"/v1/devices/{d.id}").json() for d in self.crowd.devices}

    def all_heard(self) -> bool:
        return all(record["state"] is not None for record in self.records().values())

    def firmware(self) -> dict[str, str]:
        """Digest of the firmware that each board runs."""
        return {name: r["state"]["firmware"]["active"] for name, r in self.records().items()}

    async def answer(self, seconds: float = 30.0) -> None:
        """Wait until both have answered anew, each with the model of its class."""
        before = self._counted()
        await asyncio.to_thread(
            wait_until,
            lambda: all(n > before[name] for name, n in self._counted().items()),
            seconds,
            "answers of both boards",
        )

    def _counted(self) -> dict[str, int]:
        by_device = dict(self.field.tally.by_device)
        return {
            name: by_device.get((PHASE, digest, name), Cell()).answers
            for name, digest in self.models.items()
        }


@asynccontextmanager
async def planted(folder: Path) -> AsyncIterator[Boards]:
    """Bring all up, with boards that were just provisioned, and take all down again."""
    devices = [_board(SERIAL, TARGET), _board(LAN, LAN_TARGET)]
    pki, model = Pki(folder / "pki"), make(1)
    crowd = Crowd(folder, devices, pki=pki.folder)
    links = [SensorLink(folder / f"sensor-{device.id}") for device in devices]
    field = Field(
        {PHASE: Stream(model.inputs, np.array(model.labels))},
        phase=PHASE, per_second=INPUTS_PER_SECOND, seed=11,
    )  # fmt: skip
    field.reach([Place(d.id, link, 0) for d, link in zip(devices, links, strict=True)])
    await asyncio.to_thread(crowd.start)
    feeding = asyncio.create_task(field.run())
    try:
        await asyncio.to_thread(_power, folder, crowd, pki, links)
        for link in links:
            await link.connect()
        boards = Boards(crowd, field, _signed(crowd, model))
        await asyncio.to_thread(crowd.list_version, boards.artefacts)
        await asyncio.to_thread(wait_until, boards.all_heard, 60.0, "both boards to connect")
        yield boards
        for link in links:
            await link.close()
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        await asyncio.to_thread(crowd.stop)


def _signed(crowd: Crowd, model: Model) -> dict[str, bytes]:
    key = load_private(crowd.testbed.signing_key.read_bytes())
    return {t: sign(model, key, target=t) for t in (TARGET, LAN_TARGET)}


def _power(folder: Path, crowd: Crowd, pki: Pki, links: Sequence[SensorLink]) -> None:
    """Provision both boards with firmware in slot A, and turn them on."""
    key = load_private(crowd.testbed.signing_key.read_bytes())
    keys = (crowd.testbed.public_key,)
    serial, lan_ = crowd.devices
    processes, broker = crowd.testbed.processes, crowd.testbed.broker
    first = release(key, revision=1)
    memory = provision_board(folder, serial, keys, firmware=first.a)
    start_board(processes, memory, broker_port=broker.port, sensor=links[0].path, program="boot")
    first = release(key, revision=1, linked="agent-lan", target=LAN_TARGET)
    network = lan.network(broker.tls_port, _secure(pki, lan_.id))
    memory = provision_board(folder, lan_, keys, network=network, firmware=first.a)
    start_board(processes, memory, broker_port=None, sensor=links[1].path, program="boot")


def _secure(pki: Pki, device: str) -> Secure:
    key, now = new_key(), datetime.now(UTC)
    chain = (pki.authority.issue(device, key.public_key(), now),)
    return Secure(
        name=SERVER,
        authorities=(pki.authority.certificate,),
        issued=now - timedelta(days=60),
        key=key,
        chain=chain,
    )


def petiole(*arguments: object) -> None:
    """Run ``petiole firmware`` with these arguments."""
    done = CliRunner().invoke(app, ["firmware", *map(str, arguments)])
    assert done.exit_code == 0, done.output


def _images(target: str, linked: str) -> list[str]:
    images = [f"{target}:{slot}={BUILT}/petiole-{linked}-{slot}.elf" for slot in SLOTS]
    return [word for image in images for word in ("--image", image)]


def _board(name: str, target: str) -> Device:
    return Device(
        name, target, {"app": FLEET}, firmware_offset=FIRMWARE_OFFSET, firmware_size=FIRMWARE_SIZE
    )
