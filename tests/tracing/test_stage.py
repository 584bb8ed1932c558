"""What the gateway tells of a stage: a real process, a real broker, and a collector."""

import asyncio

import pytest

from hack.testbed.collector import Collector
from petiole.tracing import Place
from petiole.wire.messages import Reason
from tests.gateway.test_rollout import digest, promoted
from tests.gateway.world import FLEET, UPDATE, World

CANARY = Place.named("round/uid-1/2").below("rollout").below("stage/0")
PARENT = f"00-{CANARY.trace:032x}-{CANARY.span:016x}-01"


async def put(world, plan, parent):
    body = plan.model_dump(mode="json", by_alias=True)
    headers = {"traceparent": parent}
    path = f"/v1/fleets/{plan.fleet}/plan"
    answer = await world.http.put(path, json=body, headers=headers)
    assert answer.status_code == 204, answer.text


async def test_a_stage_that_is_stopped_is_told_from_its_plan_to_its_halt(tmp_path):
    world = World(tmp_path, 8, own_process=True)
    with Collector() as collector:
        world.environment = collector.environment
        async with world:
            good, bad = world.revision(1), world.revision(2)
            await promoted(world, good)
            for device in world.devices:
                device.behaviour = lambda d: (
                    Reason.GOLDEN_MISMATCH if d == digest(bad) else Reason.NONE
                )
            plan = world.rolling(bad, 8, stable=good, gates=(UPDATE,))
            await put(world, plan, PARENT)
            await world.until(lambda s: s.halt is not None)
            await put(world, plan.model_copy(update={"serial": plan.serial + 1}), PARENT)
            await asyncio.to_thread(collector.until, "halt told")
            (again,) = (await asyncio.to_thread(collector.until, "plan", 2))[1:]
        (plan_, _), (granted,) = collector.named("plan"), collector.named("first grant")
        (decided,), (told,) = collector.named("deciding report"), collector.named("halt told")
    # Nothing of the first rollout, whose plans came without a place; nothing twice.
    assert len(collector.spans) == 5
    assert {span.trace for span in collector.spans} == {f"{CANARY.trace:032x}"}
    assert {span.service for span in collector.spans} == {"petiole-gateway"}
    for span in (plan_, granted, decided, again):
        assert span.parent == f"{CANARY.span:016x}", span.name
    assert told.parent == decided.id
    assert plan_.began <= granted.began <= granted.ended <= decided.began
    assert decided.ended == pytest.approx(told.began, abs=1e-3)
    assert decided.attributes == {
        "petiole.fleet": FLEET,
        "petiole.kind": "Model",
        "petiole.revision": 2,
        "petiole.stage": "canary",
        "petiole.gate": "update",
    }
    assert plan_.attributes == {"petiole.fleet": FLEET, "petiole.serial": plan.serial}
    said = [value for span in collector.spans for value in span.attributes.values()]
    assert not {device.id for device in world.devices} & set(said)
