"""Whatever a device refuses a model for, ``kubectl describe`` says it, with how many devices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.testbed import models
from hack.testbed.crowd import FLEET, Crowd
from hack.testbed.devices import Device, Simulation, provision_posix, start_simulation
from petiole.artifact.keys import load_private, new_private_pem

FLAWS = {
    "wrong-key": {},
    "wrong-target": {"target": "another"},
    "counter-too-low": {"security_counter": 4},
    "arena-too-large": {"arena": 40_000},
    "op-unsupported": {"ops": 1 << 30},
}
"""Reason, and what the artefact for the class of that name says besides the truth."""

CLASSES = ("sound", *FLAWS)
ROLLOUT = {"stages": [{"name": "all", "size": "100%"}], "noReportAfter": "60s"}
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    devices = [Device(f"device-{name}", name, {"app": FLEET}, arena=1024) for name in CLASSES]
    with Crowd(tmp_path, devices) as crowd:
        key = crowd.testbed.public_key
        provision_posix(tmp_path / "flash", devices, (key,))
        simulation = Simulation(
            tmp_path / "faults", tmp_path / "events", feed=20.0, trial_answers=2, log=True
        )
        start_simulation(
            crowd.testbed.processes,
            tmp_path / "flash",
            simulation,
            broker_port=crowd.testbed.broker.port,
        )
        yield crowd


def test_each_reason_reaches_describe(crowd: Crowd) -> None:
    ours, strange = load_private(crowd.testbed.signing_key.read_bytes()), new_private_pem()
    first, second = models.make(1), models.make(2)
    truth = {"security_counter": 5, "revision": 1}
    crowd.list_version({c: models.sign(first, ours, **(truth | {"target": c})) for c in CLASSES})
    crowd.apply(ROLLOUT)
    status = crowd.wait(lambda s: s.get("revision", {}).get("stable") == 1, 60.0, "version 1")
    assert status["counts"]["updated"] == len(CLASSES)

    def flawed(name: str) -> bytes:
        key = load_private(strange) if name == "wrong-key" else ours
        said = truth | {"target": name, "revision": 2} | FLAWS.get(name, {})
        return models.sign(second, key, **said)

    crowd.list_version({name: flawed(name) for name in CLASSES})
    status = crowd.wait(lambda s: s["counts"]["failed"] == len(FLAWS), 60.0, "the refusals")
    described = crowd.testbed.cluster.kubectl("describe", "devicefleet", FLEET)
    assert f"{len(FLAWS)} devices refused" in described
    for reason in FLAWS:
        assert f"1 {reason}" in described
        with crowd.testbed.http() as client:
            said = client.get(f"/v1/devices/device-{reason}").json()
        assert (said["state"]["reason"], said["state"]["phase"]) == (reason, "failed")
    status = crowd.wait(lambda s: s["revision"]["stable"] == 2, 60.0, "the promotion")
    assert status["counts"]["updated"] == 1
