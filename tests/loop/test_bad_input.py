"""What goes wrong in a fleet is said where a user looks, and everything else goes on.

Objects that the API server refuses: ``tests/api``. Pipelines, data sets and a full store:
``tests/controller``. What a device refuses, bit by bit: ``tests/firmware``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hack.testbed.crowd import FLEET, Crowd
from hack.testbed.devices import Device, Simulation, provision_posix, start_simulation
from hack.testbed.models import TARGET
from petiole.artifact.keys import load_private, new_private_pem, public_raw

from .orchard import condition

FLEET_SIZE = 14
OTHER_KEY = "meter-003"
STRANGER = Device("stranger-000", TARGET, {"app": FLEET}, arena=1024)
ROLLOUT = {
    "stages": [{"name": "all", "size": "100%"}],
    # one of fourteen that refuses passes
    "gates": [{"name": "update", "outcome": "Confirmed", "test": {"good": "20%", "bad": "90%"}}],
    "noReportAfter": "10s",
}
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """A fleet with one device that trusts another key, and a stranger at the broker."""
    folder = tmp_path_factory.mktemp("crowd")
    devices = [
        Device(f"meter-{n:03d}", TARGET, {"app": FLEET}, arena=1024) for n in range(FLEET_SIZE)
    ]
    wrong = public_raw(load_private(new_private_pem()).public_key())
    with Crowd(folder, devices, strangers=[STRANGER]) as crowd:
        for number, device in enumerate([*devices, STRANGER]):
            key = wrong if device.id == OTHER_KEY else crowd.testbed.public_key
            provision_posix(folder / "flash", [device], (key,), seed=number)
        simulation = Simulation(
            folder / "faults", folder / "events", feed=20.0, trial_answers=2, log=True
        )
        start_simulation(
            crowd.testbed.processes,
            folder / "flash",
            simulation,
            broker_port=crowd.testbed.broker.port,
        )
        crowd.publish()
        crowd.apply(ROLLOUT, interval="2s")
        yield crowd


def promoted(crowd: Crowd) -> dict[str, Any]:
    return crowd.wait(
        lambda s: s.get("revision", {}).get("stable") == 1 and s["mode"] == "Idle",
        60.0,
        "the promotion",
    )


def device(crowd: Crowd, name: str) -> dict[str, Any]:
    with crowd.testbed.http() as client:
        answer = client.get(f"/v1/devices/{name}")
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def gateway_says(status: dict[str, Any]) -> str:
    return str(condition(status, "GatewayReachable")["message"])


def test_a_device_with_another_key_refuses_and_the_others_go_on(crowd: Crowd) -> None:
    status = promoted(crowd)
    assert status["counts"]["updated"] == FLEET_SIZE - 1
    assert status["counts"]["failed"] == 1
    assert "wrong-key" in condition(status, "Degraded")["message"] + status["message"]
    said = device(crowd, OTHER_KEY)
    assert said["state"]["reason"] == "wrong-key"
    assert "key" in said["reason"]


def test_an_unknown_device_gets_nothing_and_is_named(crowd: Crowd) -> None:
    status = promoted(crowd)
    assert status["counts"]["total"] == FLEET_SIZE
    said = device(crowd, STRANGER.id)
    assert not said["registered"]
    assert "register" in said["reason"]
    assert said["granted"] is None
    assert said["state"]["active"] is None
    assert "not registered" in gateway_says(status)


def test_an_unreachable_broker_is_said_and_the_fleet_comes_back(crowd: Crowd) -> None:
    promoted(crowd)
    crowd.testbed.broker.stop()
    try:
        status = crowd.wait(
            lambda s: "broker" in gateway_says(s), 60.0, "the broker's absence to be said"
        )
        assert condition(status, "GatewayReachable")["reason"] == "Impaired"
        assert "not heard until it is back" in gateway_says(status)
    finally:
        crowd.testbed.broker.start()
    status = crowd.wait(
        lambda s: "broker" not in gateway_says(s) and s["counts"]["updated"] == FLEET_SIZE - 1,
        90.0,
        "the fleet to be well again",
    )
    assert status["revision"]["stable"] == 1


def test_a_damaged_artefact_is_not_handed_out(crowd: Crowd) -> None:
    """Truncated in the store: a second fleet that wants it is told so; the first is untouched."""
    promoted(crowd)
    artefact = crowd.testbed.store / "artifacts" / crowd.digest(1)
    whole = artefact.read_bytes()
    artefact.write_bytes(whole[: len(whole) // 2])
    try:
        gateway = crowd.testbed.gateway
        assert gateway is not None
        with crowd.testbed.http() as client:
            client.put(
                "/v1/devices", json=[{"id": "meter-000", "labels": {"app": "late"}}]
            ).raise_for_status()
        gateway.kill()  # so that it has to read the store again
        crowd.testbed.start_gateway()
        crowd.apply(ROLLOUT, fleet="late", interval="2s")
        status = crowd.wait(
            lambda s: artefact.name[:12] in str(s.get("conditions")),
            60.0,
            "the damage to be said",
            fleet="late",
        )
        assert status["counts"]["updated"] in (0, 1)  # a device that runs it already may keep it
        others = crowd.status()
        assert others["revision"]["stable"] == 1
        assert others["mode"] == "Idle"
    finally:
        artefact.write_bytes(whole)
