"""Firmware for forty devices, from ``kubectl apply`` to the last; what fails ends at the canary.

POSIX devices start from their firmware slots by the decision of the boot loader, and run the code
of their process: what fails in the new firmware is a fault of theirs while it is on trial.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.testbed import firmware, models
from hack.testbed.crowd import FLEET, Crowd
from hack.testbed.devices import (
    Device,
    Simulation,
    provision_posix,
    set_faults,
    start_simulation,
)
from hack.testbed.processes import Process
from hack.testbed.waits import wait_until
from petiole.artifact import bundle as bundles
from petiole.artifact.bundle import BundleImage, Linked
from petiole.artifact.keys import load_private

DEVICES, CANARIES = 40, 10
SLOT = 16 * 1024
ROLLOUT = {
    "stages": [
        {"name": "canary", "size": CANARIES, "soak": "1s"},
        {"name": "all", "size": "100%"},
    ],
    "gates": [
        {"name": "update", "outcome": "Confirmed", "test": {"good": "1%", "bad": "30%"}},
    ],
    "noReportAfter": "60s",
}
FAULTS = {"trial-crash": "crashed", "trial-hang": "hung", "trial-unreachable": "unreachable"}
CAUSES = {"crashed": "fault", "hung": "watchdog"}
pytestmark = pytest.mark.timeout(300)


class Orchard:
    """The crowd, its devices, and bundles of firmware for them."""

    def __init__(self, folder: Path, crowd: Crowd, simulation: Simulation, agent: Process) -> None:
        self.folder, self.crowd = folder, crowd
        self._simulation, self._agent = simulation, agent

    def bundle(self, revision: int) -> tuple[BundleImage, ...]:
        """Put a signed bundle into the store and let the fleet have it."""
        key = load_private(self.crowd.testbed.signing_key.read_bytes())
        identity = self.crowd.devices[0].identity((bytes(32),), 0)
        linked = [
            Linked(
                models.TARGET,
                slot,
                firmware.POSIX_ADDRESS + identity.firmware_slot(number),
                f"firmware {revision} for slot {slot} ".encode() * 100,
            )
            for number, slot in enumerate(bundles.SLOTS)
        ]
        unsigned = bundles.read(bundles.build(linked, f"1.{revision}", revision))
        data = bundles.sign(unsigned, key, security_counter=1)
        name = f"agent-{revision}.zip"
        (self.crowd.testbed.store / name).write_bytes(data)
        self.crowd.apply(ROLLOUT, firmware=name)
        return bundles.read(data).manifest.images

    def misbehave(self, images: tuple[BundleImage, ...], fault: str) -> None:
        """Let devices show this fault while one of the images is on trial."""
        set_faults(
            self._agent, self._simulation, *(f"*@{image.digest[:16]}:{fault}" for image in images)
        )

    def runs(self) -> set[str]:
        """Digests of the firmware that devices run."""
        with self.crowd.testbed.http() as client:
            found = client.get("/v1/devices").json()
        return {device["state"]["firmware"]["active"] for device in found}

    def those_that_said(self, reason: str) -> list[dict[str, Any]]:
        """Records of devices with this reason in their history."""
        with self.crowd.testbed.http() as client:
            found = [client.get(f"/v1/devices/{d.id}").json() for d in self.crowd.devices]
        return [d for d in found if any(entry["reason"] == reason for entry in d["history"])]


@pytest.fixture
def orchard(tmp_path: Path) -> Iterator[Orchard]:
    devices = [
        Device(
            f"leaf-{n:02d}",
            models.TARGET,
            {"app": FLEET},
            slot=SLOT,
            arena=1024,
            firmware_offset=0x4000 + 2 * SLOT,
            firmware_size=SLOT,
        )
        for n in range(DEVICES)
    ]
    with Crowd(tmp_path, devices) as crowd:
        key = load_private(crowd.testbed.signing_key.read_bytes())
        provisioned = firmware.stand_in(key, devices[0], revision=1).a
        keys = (crowd.testbed.public_key,)
        provision_posix(tmp_path / "flash", devices, keys, firmware=provisioned)
        simulation = Simulation(
            tmp_path / "faults",
            tmp_path / "events",
            feed=20.0,
            trial_answers=2,
            trial_ms=15_000,
            log=True,
        )
        agent = start_simulation(
            crowd.testbed.processes,
            tmp_path / "flash",
            simulation,
            broker_port=crowd.testbed.broker.port,
        )
        yield Orchard(tmp_path, crowd, simulation, agent)


def test_good_firmware_reaches_all_and_what_crashes_stops_at_the_canary(orchard: Orchard) -> None:
    crowd = orchard.crowd
    good = {image.digest for image in orchard.bundle(2)}
    crowd.publish()
    status = crowd.wait(
        lambda s: s.get("mode") == "Idle" and s["revision"]["stable"] == 1, 90.0, "both"
    )
    assert [entry["kind"] for entry in status["history"]] == ["Firmware", "Model"]
    assert status["history"][0]["updated"] == DEVICES
    assert status["firmware"]["stable"] == 1
    assert orchard.runs() <= good
    is_taken_back(orchard, 2, "trial-crash", good)


@pytest.mark.long
def test_what_hangs_or_reaches_nobody_stops_at_the_canary(orchard: Orchard) -> None:
    good = {image.digest for image in orchard.bundle(2)}
    orchard.crowd.wait(lambda s: s.get("firmware", {}).get("stable") == 1, 90.0, "the firmware")
    for number, fault in ((2, "trial-hang"), (3, "trial-unreachable")):
        is_taken_back(orchard, number, fault, good)


def is_taken_back(orchard: Orchard, number: int, fault: str, good: set[str]) -> None:
    """Roll out a bundle that fails so: devices fall back by themselves, and the fleet says why."""
    crowd, reason = orchard.crowd, FAULTS[fault]
    orchard.misbehave(orchard.bundle(number + 1), fault)
    status = crowd.wait(
        lambda s: s["firmware"]["failed"] == number and s["mode"] == "Idle",
        90.0,
        f"the end of firmware that is {reason}",
    )
    ended = status["history"][-1]
    assert (ended["kind"], ended["result"]) == ("Firmware", "Reverted")
    assert f"{reason})" in ended["message"]
    assert ended["exposed"] <= CANARIES
    assert status["firmware"]["stable"] == 1
    described = crowd.testbed.cluster.kubectl("describe", "devicefleet", FLEET)
    assert f"Reverted firmware {number}" in described
    assert f"{reason})" in described
    wait_until(lambda: orchard.runs() <= good, 30.0, "all to run what is good")
    said = orchard.those_that_said(reason)
    assert 1 <= len(said) <= CANARIES
    cause = CAUSES.get(reason)
    assert cause is None or all(d["state"]["crash"]["cause"] == cause for d in said)
