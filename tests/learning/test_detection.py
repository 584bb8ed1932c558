"""The life of a model without classes: no labels, one run a round, F1 and false alarms judge."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from petiole.api.tinymodel import TinyModelSpec, VersionStatus
from petiole.learning import detection
from petiole.learning.observed import DriftAlarm
from tests.api.examples import ANOMALY_MODEL

from .model import World

SPEC = TinyModelSpec.model_validate(
    ANOMALY_MODEL["spec"] | {"learning": {"triggers": {"newSamples": 5}}}
)
GOOD = {"f1": 0.8, "falseAlarms": 0.08}


def variant(**figures: float) -> dict[str, Any]:
    steady = {"run": "bed/1", "baselineDrifted": False}
    return {"target": "cortex-m4", **GOOD, **figures, "runs": [steady]}


@dataclass
class Pump(World):
    """Its runs give documents of a round without classes."""

    made: dict[str, Any] = field(default_factory=variant)

    def _document(self, run: Any) -> dict[str, Any] | None:
        if run is None or run.state != "Succeeded":
            return None
        return {"pool": 6, "labelled": 0, "variants": [self.made], "reference": "reference.json"}

    def _version(self, number: int, run: str) -> VersionStatus:
        found = super()._version(number, run)
        figures = {"accuracy": "", "f1": "80.00%", "false_alarms": "8.00%"}
        of_target = found.variants[0].model_copy(update={"target": "cortex-m4", **figures})
        return found.model_copy(update={**figures, "labels": 0, "variants": (of_target,)})


@pytest.fixture
def pump() -> Pump:
    made = Pump(SPEC)
    made.rest()
    return made


def names(world: World) -> list[str]:
    return [name.removeprefix("digits-0a1b2c3d-") for name in world.started]


def test_a_round_asks_for_no_labels(pump: Pump) -> None:
    assert names(pump) == ["r1-b0-train"]
    assert pump.asked == {}
    (start,) = pump.started.values()
    assert start.parameters["phase"] == "Detect"
    assert json.loads(str(start.parameters["learning"])) == {"falseAlarms": pytest.approx(0.09)}
    task = json.loads(str(start.parameters["task"]))
    assert task["commissioning"] == {"scale": 60, "reach": 32, "baseline": 400}
    status = pump.status
    assert status.message == "Version 1: F1 80.00% at 8.00% false alarms"
    assert (status.labels.pool, status.labels.spent, status.curve) == (6, 0, ())
    assert {c.type: c.status for c in status.conditions} == {
        "BaselineDrifted": "False",
        "Ready": "True",
        "Reconciling": "False",
        "Rejected": "False",
        "Stalled": "False",
    }


def test_what_commissioning_is_by_default_reaches_the_run() -> None:
    spec = SPEC.model_copy(update={"task": SPEC.task.model_copy(update={"commissioning": None})})
    world = Pump(spec)
    world.rest()
    (start,) = world.started.values()
    assert json.loads(str(start.parameters["task"]))["commissioning"] == {
        "scale": 60,
        "reach": 32,
        "baseline": 400,
    }


def test_later_rounds_ask_for_none_either(pump: Pump) -> None:
    pump.samples = 5
    pump.rest()
    assert (names(pump)[1:], pump.status.round.trigger) == (["r2-b0-train"], "NewSamples")
    pump.drift = (DriftAlarm("default.pumps", 2, pump.now, "it moved"),)
    pump.now = pump.now.replace(hour=9)
    pump.drift = (DriftAlarm("default.pumps", 2, pump.now, "it moved"),)
    pump.rest()
    assert (names(pump)[2:], pump.status.round.trigger) == (["r3-b0-train"], "Drift")


@pytest.mark.parametrize(
    ("figures", "reason", "words"),
    [
        ({"f1": 0.59}, "F1TooLow", "cortex-m4 59.00%; 60.00% is asked"),
        ({"falseAlarms": 0.11}, "TooManyFalseAlarms", "cortex-m4 11.00%; at most 10.00%"),
    ],
)
def test_a_detector_that_is_not_good_enough_is_rejected(figures, reason, words) -> None:
    world = Pump(SPEC, made=variant(**figures))
    world.rest()
    rejected = world.condition("Rejected")
    assert (rejected.status, rejected.reason) == ("True", reason)
    assert words in rejected.message
    assert world.status.latest_version == 0


def test_at_its_bars_a_detector_is_good_enough() -> None:
    document = {"variants": [variant(f1=0.6, falseAlarms=0.1)]}
    assert detection.judge(SPEC, document, None).accepted


def test_a_detector_must_not_be_much_worse_than_the_one_in_the_field(pump: Pump) -> None:
    field_version = pump.status.versions[-1]
    assert detection.judge(SPEC, {"variants": [variant(f1=0.75)]}, field_version).accepted
    worse = detection.judge(SPEC, {"variants": [variant(f1=0.74)]}, field_version)
    assert worse.reason == "Regressed"
    assert "F1 of cortex-m4 fell from 80.00% in version 1 to 74.00%" in worse.message
    missing = detection.judge(SPEC, {"variants": []}, field_version)
    assert (missing.accepted, missing.reason) == (False, "VariantMissing")


def test_runs_that_moved_while_they_were_learned_are_flagged_until_a_round_says_else() -> None:
    moved = variant() | {"runs": [{"run": f"bed/{n}", "baselineDrifted": n != 2} for n in range(6)]}
    world = Pump(SPEC, made=moved)
    world.rest()
    flag = world.condition("BaselineDrifted")
    assert (flag.status, flag.reason) == ("True", "WhileLearning")
    assert "5 of 6 runs: bed/0, bed/1, bed/3 and 2 more" in flag.message
    world.wait(3600)
    assert world.condition("BaselineDrifted") == flag
    world.made = variant()
    world.samples = 5
    world.rest()
    assert world.condition("BaselineDrifted").status == "False"


def test_a_run_that_moved_for_one_target_is_flagged() -> None:
    runs = [[{"run": f"bed/{n}", "baselineDrifted": n == odd} for n in range(3)] for odd in (9, 1)]
    document = {"variants": [{"target": "m0", "runs": runs[0]}, {"target": "m4", "runs": runs[1]}]}
    assert "1 of 3 runs: bed/1;" in detection.restless(document)


def test_a_fleet_that_stayed_with_an_older_version_is_flagged_too(pump: Pump) -> None:
    pump.samples = 5
    pump.rest()
    assert pump.status.latest_version == 2
    pump.now = pump.now.replace(hour=9)
    pump.spec = without_drift(pump.spec)
    pump.drift = (DriftAlarm("default.pumps", 1, pump.now, "it moved"),)
    pump.rest()
    assert pump.condition("BaselineDrifted").reason == "FleetMoved"


def without_drift(spec: TinyModelSpec) -> TinyModelSpec:
    """Ask for no rounds when a fleet drifts."""
    triggers = spec.learning.triggers.model_copy(update={"drift": False})
    learning = spec.learning.model_copy(update={"triggers": triggers})
    return spec.model_copy(update={"learning": learning})


def test_a_fleet_whose_scores_moved_is_flagged_as_long_as_it_says_so(pump: Pump) -> None:
    pump.spec = without_drift(SPEC)
    pump.drift = (DriftAlarm("default.pumps", 1, pump.now, "level 0.31-0.38 5 % -> 40 %"),)
    pump.rest()
    flag = pump.condition("BaselineDrifted")
    assert (flag.status, flag.reason) == ("True", "FleetMoved")
    assert "default.pumps: level 0.31-0.38 5 % -> 40 %" in flag.message
    assert names(pump) == ["r1-b0-train"]  # and nobody asked for a round
    pump.drift = ()
    pump.rest()
    assert pump.condition("BaselineDrifted").status == "False"
