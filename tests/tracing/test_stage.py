"""What the gateway tells of a stage, with a real broker and devices."""

import asyncio

import httpx
import pytest

from petiole.gateway import forward
from petiole.gateway.metrics import Metrics
from petiole.tracing import Place
from petiole.wire.messages import Reason
from tests.gateway.test_rollout import digest, promoted
from tests.gateway.world import FLEET, UPDATE, World

CANARY = Place.named("round/uid-1/2").below("rollout").below("stage/0")
PARENT = f"00-{CANARY.trace:032x}-{CANARY.span:016x}-01"


async def put(http, plan, parent):
    body = plan.model_dump(mode="json", by_alias=True)
    headers = {"traceparent": parent}
    path = f"/v1/fleets/{plan.fleet}/plan"
    answer = await http.put(path, json=body, headers=headers)
    assert answer.status_code == 204, answer.text


def follower(world):
    """Another replica, which hands on what it is asked."""
    address = f"http://127.0.0.1:{world.port}"
    transport = httpx.ASGITransport(forward.build(lambda: address, lambda: "", Metrics()))
    return httpx.AsyncClient(transport=transport, base_url=address, headers=world.http.headers)


async def test_a_stage_that_is_stopped_is_told_from_its_plan_to_its_halt(tmp_path, told):
    async with World(tmp_path, 8) as world:
        good, bad = world.revision(1), world.revision(2)
        await promoted(world, good)
        for device in world.devices:
            device.behaviour = lambda d: Reason.GOLDEN_MISMATCH if d == digest(bad) else Reason.NONE
        plan = world.rolling(bad, 8, stable=good, gates=(UPDATE,))
        await put(world.http, plan, PARENT)
        await world.until(lambda s: s.halt is not None)
        async with follower(world) as replica:
            await put(replica, plan.model_copy(update={"serial": plan.serial + 1}), PARENT)
        await asyncio.to_thread(told.until, "halt told")
        plan_, again = await asyncio.to_thread(told.until, "plan", 2)
    (granted,), (decided,) = told.named("first grant"), told.named("deciding report")
    (halted,) = told.named("halt told")
    # Nothing of the first rollout, whose plans came without a place; nothing twice.
    assert len(told.spans) == 5
    assert {span.trace for span in told.spans} == {f"{CANARY.trace:032x}"}
    for span in (plan_, granted, decided, again):
        assert span.parent == f"{CANARY.span:016x}", span.name
    assert halted.parent == decided.id
    assert plan_.began <= granted.began <= granted.ended <= decided.began
    assert decided.ended == pytest.approx(halted.began, abs=1e-3)
    assert decided.attributes == {
        "petiole.fleet": FLEET,
        "petiole.kind": "Model",
        "petiole.revision": 2,
        "petiole.stage": "canary",
        "petiole.gate": "update",
    }
    assert plan_.attributes == {"petiole.fleet": FLEET, "petiole.serial": plan.serial}
    said = [value for span in told.spans for value in span.attributes.values()]
    assert not {device.id for device in world.devices} & set(said)
