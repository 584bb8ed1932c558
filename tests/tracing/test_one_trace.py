"""A round and its rollout, by a real operator, its child, a real gateway and devices: one trace."""

import asyncio
import contextlib
import json

import pytest

from hack.testbed.processes import Processes
from hack.testbed.waits import wait_until
from petiole.controller import spans
from tests.controller.conftest import Gateway, Model, Operator
from tests.gateway.devices import TestDevice

IDS = ["leaf-0", "leaf-1"]
OPERATOR, GATEWAY, PIPELINES = "petiole-operator", "petiole-gateway", "petiole-pipelines"


@pytest.fixture
def processes(tmp_path):
    with Processes(tmp_path) as running:
        yield running


@pytest.fixture
def gateway(tmp_path, processes, collector):
    made = Gateway(tmp_path, processes, {name: name for name in IDS}, collector.environment)
    made.broker.start()
    made.start()
    yield made
    made.process.stop()
    made.broker.stop()


@pytest.fixture
def operator(tmp_path, processes, control_plane, gateway, namespace, collector):
    made = Operator(tmp_path, processes, control_plane, gateway, namespace, **collector.environment)
    yield made
    if made.process is not None:
        made.process.stop()


@contextlib.asynccontextmanager
async def field(gateway, model):
    """Devices that take whatever they are granted."""
    devices = [
        TestDevice(name, name, gateway.broker.port, target="cortex-m4", arena=16384) for name in IDS
    ]
    for device in devices:
        gateway.register(device.id, {"site": model.name})
        device.start()
    try:
        yield
    finally:
        for device in devices:
            await device.stop()


def promoted(status):
    return [entry["result"] for entry in status.get("history", ())] == ["Promoted"]


def learn_and_roll_out(operator, model):
    operator.start()
    operator.cluster.apply(model.fleet(), model.manifest(labelBudget=4))
    operator.until("devicefleet", model.name, promoted, "version 1 on all devices", 90)


@pytest.mark.long
async def test_one_trace_tells_a_round_and_its_rollout(tmp_path, operator, gateway, collector):
    model = Model(tmp_path / "data", operator.namespace)
    async with field(gateway, model):
        await asyncio.to_thread(learn_and_roll_out, operator, model)
        await asyncio.to_thread(collector.until, "rollout")
    uid = operator.get("tinymodel", model.name)["metadata"]["uid"]
    assert {span.trace for span in collector.spans} == {f"{spans.of_round(uid, 1).trace:032x}"}
    assert {span.service for span in collector.spans} == {OPERATOR, GATEWAY, PIPELINES}
    by_id = {span.id: span for span in collector.spans}
    assert len(by_id) == len(collector.spans), "a span was told of twice"
    edges = {(by_id[s.parent].name if s.parent else "", s.service, s.name) for s in by_id.values()}
    assert edges == {
        ("", OPERATOR, "round"),
        ("round", OPERATOR, "Querying"),
        ("Querying", OPERATOR, "StartRun"),
        ("Querying", PIPELINES, "work"),
        ("round", OPERATOR, "Labelling"),
        ("Labelling", OPERATOR, "AskLabels"),
        ("round", OPERATOR, "Training"),
        ("Training", OPERATOR, "StartRun"),
        ("Training", PIPELINES, "work"),
        ("round", OPERATOR, "Packing"),
        ("Packing", OPERATOR, "Pack"),
        ("round", OPERATOR, "rollout"),
        ("rollout", OPERATOR, "stage all"),
        ("stage all", OPERATOR, "PutPlan"),
        ("stage all", GATEWAY, "plan"),
        ("stage all", GATEWAY, "first grant"),
    }
    (packed,) = collector.named("Packing")
    assert (packed.attributes["petiole.result"], packed.attributes["petiole.version"]) == (
        "Accepted",
        1,
    )
    for work in collector.named("work"):
        above = by_id[work.parent]
        assert above.began - 1 <= work.began <= work.ended <= above.ended
    said = [value for span in collector.spans for value in span.attributes.values()]
    assert not set(IDS) & set(said)
    logged = [json.loads(line) for line in gateway.process.log.read_text().splitlines() if line]
    ids = {line["trace_id"] for line in logged if line["event"] == "plan" and "trace_id" in line}
    assert ids == {span.trace for span in collector.spans}


@pytest.mark.long
async def test_a_killed_operator_leaves_one_trace(tmp_path, operator, gateway, collector):
    """Whoever is operator when a step ends tells of it, in the place that its run was given."""
    model = Model(tmp_path / "data", operator.namespace)
    model.behave(sleep=4)

    def killed_in_each_run():
        operator.start()
        operator.cluster.apply(model.fleet(), model.manifest(labelBudget=4))
        for runs in (1, 2):
            wait_until(lambda wanted=runs: len(model.runs()) == wanted, 60, f"run {runs}")
            operator.kill()
            operator.start()
        operator.until("devicefleet", model.name, promoted, "version 1 on all devices", 90)

    async with field(gateway, model):
        await asyncio.to_thread(killed_in_each_run)
        await asyncio.to_thread(collector.until, "rollout")
    assert len({span.trace for span in collector.spans}) == 1
    ids = {span.id for span in collector.spans}
    work = collector.named("work")
    assert len(work) == 2
    for span in (*work, *collector.named("first grant")):
        assert span.parent in ids, span
    steps = {span.name for span in collector.spans if span.service == OPERATOR}
    assert {"Querying", "Labelling", "Training", "Packing", "stage all"} <= steps
