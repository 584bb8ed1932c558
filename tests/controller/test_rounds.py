"""Rounds of a TinyModel on a real API server, with crashes wherever they can fall."""

import copy
import json

from hack.testbed.waits import wait_until
from petiole.artifact.keys import load_private, new_private_pem
from petiole.artifact.policy import Anomaly, TaskKind
from petiole.artifact.read import verify
from tests.api.examples import ANOMALY_MODEL

from .conftest import condition

PASSES = 'petiole_operator_pass_seconds_count{kind="tinymodels"}'


def accepted(status):
    return status.get("latestVersion") == 1


def test_a_model_learns_and_gets_a_signed_version(shared, model):
    shared.cluster.apply(model.manifest())
    status = shared.until("tinymodel", model.name, accepted, "version 1")
    assert status["labels"]["spent"] == 8
    version = status["versions"][0]
    (variant,) = version["variants"]
    artefact = (shared.store / "artifacts" / variant["digest"]).read_bytes()
    found = verify(artefact, [load_private(shared.key.read_bytes()).public_key()])
    assert found.policy.target == "cortex-m4"
    assert found.policy.revision == 1
    assert found.golden_count == 4
    uid = shared.get("tinymodel", model.name)["metadata"]["uid"]
    assert [name.removeprefix(f"{model.name}-{uid[:8]}-") for name in model.runs()] == [
        "r1-b0-query",
        "r1-b4-query",
        "r1-b8-train",
    ]
    document = json.loads((shared.store / version["referenceUri"]).read_text())
    assert document["references"]["cortex-m4"]["count"] == 100
    events = shared.cluster.kubectl("get", "events", "-n", shared.namespace)
    assert "Version 1: accuracy 95.00%" in events


def test_a_model_without_classes_gets_a_signed_version_without_a_label(shared, model):
    manifest = model.manifest()
    data = manifest["spec"]["data"]
    manifest["spec"] = copy.deepcopy(ANOMALY_MODEL["spec"]) | {"data": data}
    shared.cluster.apply(manifest)
    status = shared.until("tinymodel", model.name, accepted, "version 1")
    assert [name.rpartition("-r1-")[2] for name in model.runs()] == ["b0-train"]
    (version,) = status["versions"]
    assert (version["f1"], version["falseAlarms"], version["labels"]) == ("95.00%", "5.00%", 0)
    artefact = (shared.store / "artifacts" / version["variants"][0]["digest"]).read_bytes()
    found = verify(artefact, [load_private(shared.key.read_bytes()).public_key()])
    policy = Anomaly(TaskKind.DISTANCE, threshold=90.5, release=45.25, inputs=391)
    assert (found.policy.anomaly, found.golden_count) == (policy, 4)
    assert condition(status, "BaselineDrifted")["reason"] == "WhileLearning"


def test_at_rest_nothing_is_written(shared, model):
    shared.cluster.apply(model.manifest())
    shared.until("tinymodel", model.name, accepted, "version 1")
    before = shared.get("tinymodel", model.name)["metadata"]["resourceVersion"]
    passes = shared.metric(PASSES)
    wait_until(lambda: shared.metric(PASSES) >= passes + 3, 30, "three passes more")
    assert shared.get("tinymodel", model.name)["metadata"]["resourceVersion"] == before


def test_killed_during_a_run_it_starts_no_second_one(operator, model):
    model.behave(sleep=3)
    operator.start()
    operator.cluster.apply(model.manifest(labelBudget=4))
    wait_until(lambda: len(model.runs()) == 1, 30, "the first run")
    operator.kill()
    operator.start()
    wait_until(lambda: len(model.runs()) == 2, 30, "the second run")
    operator.kill()
    operator.start()
    operator.until("tinymodel", model.name, accepted, "version 1")
    assert len(set(model.runs())) == len(model.runs()) == 2


def test_killed_at_every_step_the_end_is_the_same(operator, model):
    model.behave(sleep=0.5)
    operator.start()
    operator.cluster.apply(model.manifest(labelBudget=4))
    for step in ("Querying", "Labelling", "Training", "Packing"):
        reached = ("Querying", "Labelling", "Training", "Packing", "Idle").index(step)
        operator.until(
            "tinymodel", model.name, lambda s, n=reached: progress(s) >= n, f"step {step}"
        )
        operator.kill()
        operator.start()
    status = operator.until("tinymodel", model.name, accepted, "version 1")
    assert len(set(model.runs())) == len(model.runs()) == 2
    assert status["labels"]["spent"] == 4
    assert [v["version"] for v in status["versions"]] == [1]


def progress(status):
    """How far a first round of one query has come; 4 when it is over."""
    step = status.get("round", {}).get("step", "")
    steps = ("Querying", "Labelling", "Training", "Packing")
    return steps.index(step) if step in steps else 4 if accepted(status) else -1


def test_killed_during_packing_it_packs_the_same_version(operator, model):
    """The key is of no use at first, so that packing cannot end before the kill."""
    good = operator.key.read_bytes()
    operator.key.write_text("no key")
    operator.start()
    operator.cluster.apply(model.manifest())
    operator.until_condition("tinymodel", model.name, "Stalled", "PackFailed")
    operator.kill()
    operator.key.write_bytes(good)
    operator.start()
    status = operator.until("tinymodel", model.name, accepted, "version 1")
    assert len(model.runs()) == 3
    # What a crash between artefact and status leaves behind is found, not made again.
    path = operator.store / status["versions"][0]["referenceUri"]
    before = path.read_bytes(), path.stat().st_mtime_ns
    operator.kill()
    operator.cluster.kubectl(
        *("patch", "tinymodel", model.name, "-n", operator.namespace, "--subresource=status"),
        *("--type=merge", "-p", json.dumps({"status": rewound(status, model.runs()[-1])})),
    )
    operator.key.write_bytes(new_private_pem())  # would sign other bytes
    operator.start()
    again = operator.until("tinymodel", model.name, accepted, "version 1 again")
    assert again["versions"] == status["versions"]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert len(model.runs()) == 3


def rewound(status, run):
    """The status as it was while the version was being packed."""
    return {
        "latestVersion": 0,
        "versions": None,
        "round": status["round"] | {"step": "Packing", "run": run},
    }


def test_a_deleted_model_ends_its_run(shared, model):
    model.behave(sleep=600)
    shared.cluster.apply(model.manifest())
    wait_until(lambda: model.runs(), 30, "the first run")
    shared.cluster.kubectl("delete", "tinymodel", model.name, "-n", shared.namespace)
    result = shared.work / model.runs()[0] / "result.json"
    wait_until(result.exists, 20, "the run's end")
    assert json.loads(result.read_text())["reason"] == "Canceled"
