"""The whole pipeline in its child process: a query, a training, and what goes wrong."""

import fcntl
import json
import os
import time

import pytest

from petiole_pipelines.planner import plan
from tests.pipelines.conftest import TARGETS, UID, spawn


def alive_in_group(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.timeout(400)
def test_a_query_asks_and_a_training_delivers(orchard):
    asked = orchard.document(orchard.run("Query", "digits-r1-0-query"))
    assert (asked["pool"], asked["labelled"], asked["teacherAccuracy"]) == (1050, 0, 0.0)
    ids = [query["id"] for query in asked["queries"]]
    assert len(set(ids)) == 20
    assert set(ids) <= set(orchard.truth)
    assert {query["why"] for query in asked["queries"]} == {"TypiClust"}
    assert not any("guess" in query for query in asked["queries"])  # nobody has taught yet

    rest = [name for name in sorted(orchard.truth) if name not in ids][::7][:80]
    orchard.answer(ids + rest)
    candidate = orchard.document(orchard.run("Train", "digits-r1-100-train"))
    assert (candidate["pool"], candidate["labelled"]) == (1050, 100)
    assert candidate["teacherAccuracy"] > 0.9
    references = json.loads((orchard.store / candidate["reference"]).read_text())
    assert {v["target"] for v in candidate["variants"]} == {t["name"] for t in TARGETS}
    for variant in candidate["variants"]:
        assert variant["accuracy"] > 0.85
        assert set(variant["recall"]) == {
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
        }
        check_files(orchard, variant)
        reference = references[variant["target"]]
        assert reference["count"] == 380
        assert sum(reference["confidence"]) == sum(reference["classes"]) == 380


def check_files(orchard, variant):
    model = (orchard.store / variant["model"]).read_bytes()
    planned = plan((orchard.store / variant["tflite"]).read_bytes())
    assert model == planned.blob
    assert (variant["bytes"], variant["arena"]) == (len(model), planned.arena)
    assert (planned.in_scale, planned.in_zero_point) == (pytest.approx(1 / 255), -128)
    assert (planned.out_scale, planned.out_zero_point) == (pytest.approx(1 / 256), -128)
    golden = (orchard.store / variant["golden"]).read_bytes()
    assert len(golden) == 20 * (64 + 10)


def test_a_missing_data_set_is_named(orchard):
    gone = (orchard.root / "gone").as_uri()
    result = orchard.run("Query", "gone", pool_uri=gone)
    assert (result["state"], result["reason"], result["step"]) == (
        "Failed",
        "DataMissing",
        "embed",
    )
    assert gone in result["message"]
    assert "spec.data.pool" in result["message"]


def test_a_failing_step_says_which_and_why(orchard):
    result = orchard.run("Train", "unlabelled")
    assert (result["reason"], result["step"]) == ("NoLabels", "student")
    assert "no sample has a label" in result["message"]


def test_a_run_ends_itself_at_its_deadline(orchard):
    folder, child = orchard.start("Query", "slow", deadline=0.5)
    child.wait(timeout=60)
    result = json.loads((folder / "result.json").read_text())
    assert (result["state"], result["reason"]) == ("Failed", "DeadlineExceeded")
    assert "0.5 s" in result["message"]
    group = int((folder / "pid").read_text())
    end = time.monotonic() + 10
    while alive_in_group(group) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive_in_group(group)


def test_a_folder_that_another_child_holds_is_left_alone(orchard):
    folder = orchard.root / "runs" / "held"
    folder.mkdir(parents=True)
    document = {"parameters": orchard.parameters("Query", "held"), "deadlineSeconds": 60}
    (folder / "run.json").write_text(json.dumps(document))
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert spawn(folder).wait(timeout=60) == 2
    assert not (folder / "result.json").exists()
    assert not (folder / "pid").exists()


def test_a_finished_run_is_not_run_again(orchard):
    folder = orchard.root / "runs" / "done"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"parameters": {}, "deadlineSeconds": 60}))
    (folder / "result.json").write_text('{"state": "Succeeded"}')
    assert spawn(folder).wait(timeout=60) == 2
    assert (folder / "result.json").read_text() == '{"state": "Succeeded"}'
    assert not (orchard.store / f"models/{UID}/rounds").exists()
