"""A round without classes: nothing is labelled, the pool chooses, other runs judge."""

import json

import numpy as np
import pytest

from petiole.learning import anomaly
from petiole_pipelines import detect, detectors
from petiole_pipelines.errors import StepError
from petiole_pipelines.planner import Reference, plan
from petiole_pipelines.runs import parse
from tests.pipelines import machines
from tests.pipelines.conftest import LONGEST
from tests.pipelines.machines import BASELINE, WIDTH, parameters

START = detectors.Commissioning(WIDTH, 60, 32.0, BASELINE)


def run(seed, **given):
    return parse(machines.csv(machines.readings(seed, **given)), f"bed/{seed}.csv")[0]


def test_what_never_comes_to_rest_is_seen():
    found = detectors.wandering([run(seed) for seed in range(4)], START)
    assert found.tolist() == [False, False, True]
    pool = detectors.pool(20, found)
    assert {member.sensors for member in pool} == {(0, 1), (0, 1, 2)}
    assert {member.newest for member in pool} == {20, 10, 5}
    assert str(pool[0]) == "means and changes of 2 sensors over 20 readings"


@pytest.mark.parametrize("sensors", [1, 8, 9, 16])
def test_no_detector_has_more_features_than_a_device_learns(sensors):
    pool = detectors.pool(40, np.zeros(sensors, bool))
    assert {member.kind for member in pool} == {"Means", "Encoder", "Autoencoder"} | (
        {"MeansAndChanges"} if sensors <= 8 else set()
    )
    assert len(set(pool)) == len(pool)


def test_a_candidate_is_chosen_on_the_pool_and_judged_on_other_runs(tmp_path):
    machines.prepare(tmp_path)
    path = detect.detect(**parameters(tmp_path))
    document = json.loads((tmp_path / "store" / path).read_text())
    assert (document["pool"], document["labelled"]) == (6, 0)
    assert document["data"]["pool"]["withFaultsTold"] == 5
    references = json.loads((tmp_path / "store" / document["reference"]).read_text())
    assert [v["target"] for v in document["variants"]] == ["cortex-m0", "cortex-m4"]
    for variant in document["variants"]:
        assert variant["f1"] > 0.8
        assert variant["falseAlarms"] < 0.1
        assert {one["run"] for one in variant["runs"]} == {"bed/0", "bed/1", "bed/2"}
        assert variant["choice"]["expected"] <= machines.LEARNING["falseAlarms"]
        assert variant["bytes"] < variant["flash"] < 16 * 1024
        assert variant["instructions"] > 100
        check_files(tmp_path / "store", variant)
        reference = references[variant["target"]]
        normal = 3 * (machines.SECONDS - BASELINE - 100)
        assert reference["count"] == sum(reference["confidence"]) == normal
        assert sum(reference["classes"]) == normal
        assert reference["classes"][1] < 0.1 * normal


def check_files(store, variant):
    tflite = (store / variant["tflite"]).read_bytes()
    planned = plan(tflite)
    assert (store / variant["model"]).read_bytes() == planned.blob
    assert (variant["bytes"], variant["arena"]) == (len(planned.blob), planned.arena)
    assert variant["detector"]["outputs"] == planned.out_len
    vectors = (store / variant["golden"]).read_bytes()
    count = len(vectors) // (planned.in_len + planned.out_len)
    inputs = np.frombuffer(vectors[: count * planned.in_len], np.int8)
    answers = Reference(tflite).run(inputs.reshape(count, -1))
    assert vectors[count * planned.in_len :] == answers.tobytes()


def test_an_autoencoder_gives_back_what_is_normal_and_not_what_is_odd():
    pool = [run(seed) for seed in range(4)]
    networks = detectors.Networks((WIDTH, 3), detectors.normal_windows(pool, START))
    found = detectors.Detector("Autoencoder", WIDTH, (0, 1, 2))
    x = START.windows(run(50))
    scores = detectors.scores(networks, found, x, START.inputs)
    faulty = START.truth(run(50))
    assert np.median(scores[faulty]) > 3 * np.median(scores[~faulty])
    described = detectors.described(networks, detectors.Option(found, 512, 256), START.inputs)
    assert described["kind"] == "Reconstruction"
    assert described["outputs"] == WIDTH * 3
    again = detectors.Networks((WIDTH, 3), networks.normal)
    assert again.planned(found) == networks.planned(found)


def test_a_baseline_that_moves_while_it_is_learned_is_flagged():
    pool = [run(seed) for seed in range(4)]
    networks = detectors.Networks((WIDTH, 3), detectors.normal_windows(pool, START))
    member = detectors.Detector("Means", WIDTH, (0, 1))
    option = detectors.Option(member, 64 * 256, 32 * 256)
    steady, moved = (
        detectors.restless(networks, option, START.windows(run(9, moved=by)), START.inputs, 0.1)
        for by in (0.0, 0.3)
    )
    assert (steady, moved) == (False, True)


def test_levels_are_those_of_the_wire():
    scores = np.array([0, 1, 255, 256 * 240, 2**32 - 1], np.uint32)
    assert anomaly.levels(scores).tolist() == [0, 16, 128, 254, 255]


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"learning": '{"falseAlarms": 0.0}'}, "NoDetector", "accept more"),
        (
            {"targets": [{"name": "tiny", "flash": "1Ki", "arena": "1Ki"}]},
            "DoesNotFit",
            "bytes of flash",
        ),
    ],
)
@pytest.mark.long
def test_what_cannot_be_had_is_refused_in_words(tmp_path, change, reason, words):
    machines.prepare(tmp_path, pool=3, evaluation=1)
    with pytest.raises(StepError, match=words) as caught:
        detect.detect(**parameters(tmp_path, **change))
    assert caught.value.reason == reason


def test_a_run_that_judges_says_what_is_faulty(tmp_path):
    machines.prepare(tmp_path, pool=2, evaluation=1)
    silent = machines.csv(machines.readings(1), faults=False)
    (tmp_path / "evaluation" / "bed" / "0.csv").write_bytes(silent)
    with pytest.raises(StepError, match="bed/0 has no column 'anomaly'"):
        detect.detect(**parameters(tmp_path))


def test_a_run_that_judges_is_none_that_was_learned_from(tmp_path):
    machines.prepare(tmp_path, pool=2, evaluation=1)
    learned = (tmp_path / "pool" / "bed" / "1.csv").read_bytes()
    (tmp_path / "evaluation" / "other").mkdir()
    (tmp_path / "evaluation" / "other" / "7.csv").write_bytes(learned.replace(b";", b","))
    with pytest.raises(StepError, match="other/7 has the readings of bed/1 of the pool") as caught:
        detect.detect(**parameters(tmp_path))
    assert caught.value.reason == "DataInvalid"


@pytest.mark.parametrize(("readings", "sensors"), [(1, 1), (3, 2)])
def test_windows_of_few_readings_have_detectors_too(readings, sensors):
    normal = np.random.default_rng(0).integers(100, 150, (60, 1, readings, sensors), np.uint8)
    networks = detectors.Networks((readings, sensors), normal)
    pool = detectors.pool(readings, np.zeros(sensors, bool))
    assert {"Means", "Encoder", "Autoencoder"} <= {member.kind for member in pool}
    for member in pool:
        assert len(detectors.scores(networks, member, normal, 40)) == 20


def test_one_run_is_too_few_to_choose_on(tmp_path):
    machines.prepare(tmp_path, pool=1, evaluation=1)
    with pytest.raises(StepError, match="2 are needed"):
        detect.detect(**parameters(tmp_path))


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_pipeline_has_a_phase_of_its_own_for_it(orchard, tmp_path):
    machines.prepare(tmp_path / "pump")
    given = parameters(tmp_path / "pump")
    changes = {key: given[key] for key in ("pool_uri", "evaluation_uri", "task", "learning")}
    changes["targets"] = json.dumps(machines.TARGETS)
    result = orchard.run("Detect", "pump-r1-b0-train", deadline=LONGEST, **changes)
    candidate = orchard.document(result)
    assert {v["target"] for v in candidate["variants"]} == {"cortex-m4", "cortex-m0"}
