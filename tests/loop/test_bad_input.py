"""What goes wrong in a fleet is said where a user looks, and everything else goes on.

Objects that the API server refuses: ``tests/api``. Pipelines, data sets and a full store:
``tests/controller``. What a device refuses, bit by bit: ``tests/firmware``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from hack.testbed.devices import Device
from petiole.artifact.keys import load_private, new_private_pem, public_raw

from .orchard import Orchard, condition, device_fleet, digests_of, meters, planted, tiny_model

FLEET_SIZE = 14
OTHER_KEY = "meter-003"
STRANGER = Device("stranger-000", "cortex-m4", {"app": "meters"})
OUTCOME_PASSES_ONE = [
    {"name": "update", "outcome": "Confirmed", "test": {"good": "20%", "bad": "90%"}}
]
ONE_STAGE = [{"name": "all", "size": "100%"}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def orchard(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Orchard]:
    """A fleet with one device that trusts another key, and a stranger at the broker."""
    wrong = public_raw(load_private(new_private_pem()).public_key())
    async with planted(
        tmp_path_factory.mktemp("orchard"),
        meters(FLEET_SIZE),
        strangers=[STRANGER],
        keys={OTHER_KEY: wrong},
    ) as planted_:
        planted_.apply(
            tiny_model(planted_.data),
            device_fleet(stages=ONE_STAGE, gates=OUTCOME_PASSES_ONE, noReportAfter="10s"),
        )
        await planted_.wait(
            "version 1", "tinymodels", "digits", lambda s: s.get("latestVersion"), 240.0
        )
        yield planted_


pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]


async def promoted(orchard: Orchard) -> dict[str, Any]:
    return await orchard.wait(
        "the promotion",
        "devicefleets",
        "meters",
        lambda s: s["revision"]["stable"] == 1 and s["mode"] == "Idle",
        120.0,
    )


def device(orchard: Orchard, name: str) -> dict[str, Any]:
    with orchard.testbed.http() as client:
        answer = client.get(f"/v1/devices/{name}")
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def test_a_device_with_another_key_refuses_and_the_others_go_on(orchard: Orchard) -> None:
    status = await promoted(orchard)
    assert status["counts"]["updated"] == FLEET_SIZE - 1
    assert status["counts"]["failed"] == 1
    assert "wrong-key" in condition(status, "Degraded")["message"] + status["message"]
    said = device(orchard, OTHER_KEY)
    assert said["state"]["reason"] == "wrong-key"
    assert "key" in said["reason"]


async def test_an_unknown_device_gets_nothing_and_is_named(orchard: Orchard) -> None:
    status = await promoted(orchard)
    assert status["counts"]["total"] == FLEET_SIZE
    said = device(orchard, STRANGER.id)
    assert not said["registered"]
    assert "register" in said["reason"]
    assert said["granted"] is None
    assert orchard.witness.latest()[STRANGER.id].active is None
    assert "not registered" in gateway_says(status)


def gateway_says(status: dict[str, Any]) -> str:
    return str(condition(status, "GatewayReachable")["message"])


async def test_an_unreachable_broker_is_said_and_the_fleet_comes_back(orchard: Orchard) -> None:
    await promoted(orchard)
    orchard.testbed.broker.stop()
    try:
        status = await orchard.wait(
            "the broker's absence to be said",
            "devicefleets",
            "meters",
            lambda s: "broker" in gateway_says(s),
            60.0,
        )
        assert condition(status, "GatewayReachable")["reason"] == "Impaired"
        assert "not heard until it is back" in gateway_says(status)
    finally:
        await asyncio.to_thread(orchard.testbed.broker.start)
    status = await orchard.wait(
        "the fleet to be well again",
        "devicefleets",
        "meters",
        lambda s: "broker" not in gateway_says(s) and s["counts"]["updated"] == FLEET_SIZE - 1,
        90.0,
    )
    assert status["revision"]["stable"] == 1


async def test_a_damaged_artefact_is_not_handed_out(orchard: Orchard) -> None:
    """Truncated in the store: a second fleet that wants it is told so; the first is untouched."""
    await promoted(orchard)
    model = orchard.status("tinymodels", "digits")
    artefact = orchard.artefact(digests_of(model, 1)[0])
    whole = artefact.read_bytes()
    artefact.write_bytes(whole[: len(whole) // 2])
    try:
        gateway = orchard.testbed.gateway
        assert gateway is not None
        late = device_fleet(stages=ONE_STAGE, gates=OUTCOME_PASSES_ONE)
        late["metadata"]["name"] = "late"
        late["spec"]["selector"]["matchLabels"] = {"app": "late"}
        with orchard.testbed.http() as client:
            client.put(
                "/v1/devices", json=[{"id": "meter-000", "labels": {"app": "late"}}]
            ).raise_for_status()
        gateway.kill()  # so that it has to read the store again
        await asyncio.to_thread(orchard.testbed.start_gateway)
        orchard.apply(late)
        status = await orchard.wait(
            "the damage to be said",
            "devicefleets",
            "late",
            lambda s: artefact.name[:12] in str(s.get("conditions")),
            60.0,
        )
        assert status["counts"]["updated"] in (0, 1)  # a device that runs it already may keep it
        others = orchard.status("devicefleets", "meters")
        assert others["revision"]["stable"] == 1
        assert others["mode"] == "Idle"
    finally:
        artefact.write_bytes(whole)
