"""The whole pipeline in its child process: a query, a training, and what goes wrong."""

import fcntl
import json
import os
import time

import pytest

from petiole.artifact import patch
from petiole_pipelines.planner import plan
from petiole_pipelines.planner.format import OP, Header
from tests.pipelines.conftest import LEARNING, TARGETS, UID, spawn


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


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_later_round_trains_the_last_layer_and_is_compared_with_the_field(orchard):
    names = sorted(orchard.truth)
    orchard.answer(names[::20])
    before = orchard.document(orchard.run("Train", "digits-r1-train"))
    document = orchard.store / f"models/{UID}/versions/1.json"
    document.parent.mkdir(parents=True)
    document.write_text(json.dumps({"run": "digits-r1-train", "version": {"version": 1}}))
    orchard.answer(names[::5])
    learning = LEARNING | {
        "student": {"fineTune": "Head"},
        "field": f"models/{UID}/versions/1.json",
    }
    run = orchard.run("Train", "digits-r2-train", learning=json.dumps(learning))
    after = orchard.document(run)
    for old, new in zip(before["variants"], after["variants"], strict=True):
        assert "field" not in old
        assert new["field"]["version"] == 1
        gained = (new["field"]["gained"] - new["field"]["lost"]) / new["samples"]
        assert new["accuracy"] == pytest.approx(old["accuracy"] + gained)
        assert new["accuracy"] > old["accuracy"]
        assert new["network"] == old["network"]
        assert new["choice"].startswith("the last layer of version 1 was trained anew")
        check_files(orchard, new)
        models = [(orchard.store / variant["model"]).read_bytes() for variant in (old, new)]
        header = Header.parse(models[0])
        dense = header.table + (header.op_count - 2) * OP.size
        weights = OP.unpack_from(models[0], dense)[18]
        assert models[0][OP.size : weights] == models[1][OP.size : weights]
        assert len(patch.make(*models)) < len(models[0]) - weights + 100


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
