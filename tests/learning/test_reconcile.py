"""The life of a model, scene by scene, as the controller plays it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from petiole.api.learning import Triggers
from petiole.learning.judge import judge
from petiole.learning.observed import DriftAlarm
from petiole.learning.runs import Run

from .model import START, World, batch_of, spec


@pytest.fixture
def world() -> World:
    """A model with version 1, made with 60 labels."""
    made = World(spec())
    made.rest()
    assert made.status.latest_version == 1
    return made


def alarm(world: World, *, version: int = 1, fleet: str = "default.meters") -> DriftAlarm:
    return DriftAlarm(fleet, version, world.now, "mean confidence 0.95 -> 0.70")


def names(world: World) -> list[str]:
    return [name.removeprefix("digits-0a1b2c3d-") for name in world.started]


# --- one round ------------------------------------------------------------------------------------


def test_the_first_round_spends_the_budget_in_batches(world: World) -> None:
    assert names(world) == ["r1-b0-query", "r1-b20-query", "r1-b40-query", "r1-b60-train"]
    status = world.status
    assert (status.labels.pool, status.labels.spent, status.labels.requested) == (1000, 60, 0)
    assert [(p.labels, p.accuracy) for p in status.curve] == [
        (20, "90.00%"),
        (40, "90.00%"),
        (60, "90.00%"),
    ]
    assert (status.round.step, status.round.run) == ("Idle", "")
    assert status.message == "Version 1: accuracy 96.00% with 60 labels"
    assert {c.type: c.status for c in status.conditions} == {
        "AskingEnded": "True",
        "LabelsAvailable": "True",
        "Ready": "True",
        "Reconciling": "False",
        "Rejected": "False",
        "Stalled": "False",
    }
    assert world.events == ["RoundStarted", "Accepted"]


def test_the_parameters_of_a_run(world: World) -> None:
    first, *_, last = world.started.values()
    assert first.parameters["phase"] == "Query"
    assert last.parameters["phase"] == "Train"
    assert first.deadline_seconds == 3600.0
    learning = json.loads(str(first.parameters["learning"]))
    assert learning == {
        "features": "Kernel",
        "strategy": "TypiClustThenMargin",
        "batchSize": 20,
        "randomShare": 0.1,
        "quota": {},
        "nearDuplicates": "Keep",
        "previous": "",
        "student": {"search": "Widest", "tries": 6, "fineTune": "Whole"},
        "field": "",
    }
    assert json.loads(first.parameters["targets"])[0] == {
        "name": "m4",
        "flash": "64Ki",
        "arena": "32Ki",
        "core": "cortex-m4",
    }
    assert json.loads(first.parameters["task"])["input"] == {"height": 8, "width": 8, "channels": 1}


def test_the_last_batch_does_not_overspend() -> None:
    world = World(spec(batch_size=25, label_budget=60))
    world.rest()
    batches = [batch_of(s) for n, s in world.started.items() if "query" in n]
    assert (batches, world.status.labels.spent) == ([25, 25, 10], 60)


def test_an_exhausted_pool_ends_the_questions() -> None:
    world = World(spec(), pool=30)
    world.rest()
    assert (world.status.labels.spent, world.status.latest_version) == (30, 1)


def test_at_rest_nothing_is_written(world: World) -> None:
    writes = world.writes
    world.wait(3600)
    assert world.writes == writes


def test_labels_that_take_days_are_waited_for() -> None:
    world = World(spec(), silent=True)
    outcome = world.rest()
    assert world.status.round.step == "Labelling"
    assert world.status.labels.requested == 20
    assert world.status.message == "0 of 20 labels are answered"
    assert outcome.again == 5.0
    world.wait(3 * 86400)
    assert len(world.asked) == 1
    world.silent = False
    world.rest()
    assert world.status.latest_version == 1


def test_a_label_source_that_fails_is_named_and_asked_again() -> None:
    world = World(spec(), answers_problem="There is no file of labels /x.csv.")
    outcome = world.rest()
    condition = world.condition("LabelsAvailable")
    assert (condition.status, condition.reason) == ("False", "LabelSourceFailed")
    assert condition.message == "There is no file of labels /x.csv. It is asked again by itself."
    assert outcome.again == 5.0
    world.answers_problem = ""
    world.rest()
    assert world.condition("LabelsAvailable").status == "True"


# --- crashes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["lose_status", "lose_actions"])
def test_a_crash_at_any_pass_starts_nothing_twice(what: str) -> None:
    """Sieve's intermediate states: die before the i-th write, go on from what is stored."""
    calm = World(spec())
    calm.rest()
    for at in range(calm.writes + 4):
        world = World(spec())
        for number in range(at + 1):
            world.one_pass(**({what: True} if number == at else {}))
            world.work()
        world.rest()
        assert list(world.started) == list(calm.started), f"crash at pass {at}"
        assert world.labels == calm.labels
        assert world.status == calm.status


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["StepFailed", "DeadlineExceeded", "DataInvalid"])
def test_a_failed_run_stalls_until_the_spec_is_edited(reason: str) -> None:
    world = World(spec(), fails={"-train": reason})
    outcome = world.rest()
    assert outcome.again is None
    assert world.condition("Stalled").reason == reason
    assert world.status.message == (
        "step train of run digits-0a1b2c3d-r1-b60-train failed: it broke; "
        "edit the spec to try again"
    )
    assert world.condition("Reconciling").status == "False"
    world.wait(86400)
    assert names(world)[-1] == "r1-b60-train"
    world.edit(accuracy="94%")
    world.rest()
    assert names(world)[-1] == "r1-b60-train-a2"
    assert world.status.latest_version == 1
    assert world.condition("Stalled").status == "False"
    assert world.events.count(reason) == 1


def test_a_run_that_died_is_made_again_once() -> None:
    world = World(spec(), fails={"-train": "Died", "-train-a2": "Died"})
    assert world.rest().again == 5.0
    assert world.status.message.endswith("it is tried again by itself")
    world.wait(4)
    assert names(world)[-1] == "r1-b60-train"
    world.wait(1)
    assert names(world)[-1] == "r1-b60-train-a2"
    world.wait(3600)
    assert names(world)[-1] == "r1-b60-train-a2"
    assert world.status.message.endswith("edit the spec to try again")


def test_whatever_a_failing_step_says_status_has_room_for_it() -> None:
    world = World(spec())
    world.one_pass()
    (name,) = world.runs
    world.runs[name] = Run(name, "Failed", reason="StepFailed", step="embed", message="x " * 9000)
    world.one_pass()
    stalled = world.condition("Stalled")
    assert stalled.message.startswith(f"step embed of run {name} failed: x x x")
    assert stalled.message.endswith("x ; edit the spec to try again")
    assert len(stalled.message) == len(world.status.message) == 2048


def test_a_missing_data_set_is_looked_for_again_without_an_edit() -> None:
    world = World(spec(), fails={"b0-query": "DataMissing", "b0-query-a2": "DataMissing"})
    assert world.rest().again == 30.0
    world.wait(30)
    world.wait(30)
    assert names(world)[:3] == ["r1-b0-query", "r1-b0-query-a2", "r1-b0-query-a3"]
    assert world.status.latest_version == 1


def test_a_store_or_runner_that_cannot_be_asked_is_said_and_moves_nothing() -> None:
    world = World(spec(), run_problem="The folder of the store is gone. Mount it again.")
    outcome = world.rest()
    assert (world.status.round.number, outcome.again) == (0, 5.0)
    assert world.condition("Stalled").message.startswith("The folder of the store is gone")
    world.run_problem = ""
    world.rest()
    assert world.status.latest_version == 1


def test_a_version_that_cannot_be_signed_is_tried_again() -> None:
    world = World(spec(), pack_problem="The signing key k.pem cannot be read.")
    outcome = world.rest()
    assert (world.status.round.step, outcome.again) == ("Packing", 5.0)
    assert world.condition("Stalled").reason == "PackFailed"
    world.pack_problem = ""
    world.rest()
    assert world.status.latest_version == 1


def test_a_lost_query_run_is_asked_anew() -> None:
    world = World(spec(), silent=True)
    world.rest()
    world.runs.clear()
    world.started.clear()
    world.silent = False
    world.rest()
    assert names(world)[0] == "r1-b0-query"
    assert world.status.latest_version == 1


# --- the judge ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reached", "reason", "words"),
    [
        ({"m4": 0.95, "m0": 0.97}, "", ""),
        ({"m4": 0.97, "m0": 0.9499}, "AccuracyTooLow", "accuracy m0 94.99%; 95.00% is asked"),
        ({"m4": 0.96, "m0": 0.96}, "", ""),
        (
            {"m4": 0.9599, "m0": 0.96},
            "Regressed",
            "accuracy of m4 fell from 97.00% in version 1 to 95.99%; at most 1% less is allowed",
        ),
        ({"m4": 0.97}, "VariantMissing", "the candidate has no variant for m0"),
    ],
)
def test_judgements(world: World, reached: dict[str, float], reason: str, words: str) -> None:
    document = {"variants": [{"target": t, "accuracy": a} for t, a in reached.items()]}
    newest = world.status.versions[-1] if reason == "Regressed" or reached["m4"] == 0.96 else None
    verdict = judge(world.spec, document, newest)
    assert (verdict.accepted, verdict.reason) == (not reason, reason)
    assert words in verdict.message


def test_a_rejected_candidate_makes_no_version() -> None:
    world = World(spec(), accuracy={"m4": 0.97, "m0": 0.90})
    world.rest()
    status = world.status
    assert (status.latest_version, status.round.step) == (0, "Idle")
    condition = world.condition("Rejected")
    assert (condition.status, condition.reason) == ("True", "AccuracyTooLow")
    assert condition.message == "accuracy m0 90.00%; 95.00% is asked of every target"
    assert world.condition("Stalled").status == "True"
    world.wait(86400)
    assert status.round.number == world.status.round.number == 1
    world.edit(label_budget=80)
    world.accuracy["m0"] = 0.96
    world.rest()
    assert (world.status.latest_version, world.status.labels.spent) == (1, 80)
    assert world.condition("Rejected").status == "False"


def test_a_rejected_successor_leaves_the_version_in_the_field(world: World) -> None:
    world.accuracy = {"m4": 0.95, "m0": 0.95}
    world.edit(pool="file:///data/other")
    world.rest()
    assert (world.status.latest_version, world.condition("Ready").status) == (1, "True")
    assert world.condition("Rejected").reason == "Regressed"


# --- triggers -------------------------------------------------------------------------------------


def test_changed_data_keep_the_labels_and_train_at_once(world: World) -> None:
    world.edit(pool="file:///data/other")
    world.rest()
    assert names(world)[-1] == "r2-b60-train"
    assert world.status.round.trigger == "DataChanged"
    newest = list(world.started.values())[-1]
    assert newest.parameters["pool_uri"] == "file:///data/other"
    assert world.status.latest_version == 2


def test_data_that_change_in_mid_round_end_the_round() -> None:
    world = World(spec())
    world.one_pass()
    world.edit(pool="file:///data/other")
    world.rest()
    assert world.cancelled == ["digits-0a1b2c3d-r1-b0-query"]
    assert names(world)[1] == "r2-b0-query"
    assert (world.status.round.number, world.status.latest_version) == (2, 1)


def test_drift_waits_for_samples_of_the_moved_field(world: World) -> None:
    world.samples = 500  # of the old field
    world.now += timedelta(hours=1)
    world.drift = (alarm(world),)
    outcome = world.rest()
    assert world.status.round.number == 1
    assert world.status.message == (
        "The field has drifted; 0 of 20 samples of the moved field have come in"
    )
    assert world.condition("Reconciling").status == "True"
    assert outcome.again <= 5.0
    world.samples = 519
    world.wait(5)
    assert world.status.round.number == 1
    world.samples = 520
    world.rest()
    assert world.status.round.trigger == "Drift"
    assert (world.status.labels.spent, world.status.latest_version) == (80, 2)
    assert world.status.round.drift_seen == "default.meters/1"
    world.wait(3600)
    assert world.status.round.number == 2


def test_drift_without_samples_is_answered_after_a_minute(world: World) -> None:
    world.now += timedelta(hours=1)
    world.drift = (alarm(world),)
    world.wait(59)
    assert world.status.round.number == 1
    world.wait(1)
    assert world.status.round.number == 2


def test_two_fleets_that_drift_are_answered_once(world: World) -> None:
    world.now += timedelta(hours=1)
    world.drift = (alarm(world, fleet="default.a"), alarm(world, fleet="default.b"))
    world.wait(60)
    world.wait(3600)
    assert world.status.round.number == 2
    assert world.status.round.drift_seen == "default.a/1,default.b/1"


def test_status_has_room_for_the_alarms_of_many_fleets(world: World) -> None:
    world.now += timedelta(hours=1)
    world.drift = tuple(DriftAlarm(f"meters-{n}", 1, world.now, "m") for n in range(300))
    world.one_pass()
    waiting = world.status.round.awaiting
    assert waiting.startswith("300 alarms, ")
    world.samples += 20
    world.one_pass()
    assert (world.status.round.trigger, world.status.round.awaiting) == ("Drift", "")
    assert world.status.round.drift_seen.count(",") == 299


def test_an_alarm_that_a_newer_version_has_overtaken_starts_nothing(world: World) -> None:
    world.drift = (DriftAlarm("default.b", 1, START - timedelta(hours=1), "old"),)
    world.wait(3600)
    assert world.status.round.number == 1


def test_drift_is_not_answered_where_it_is_not_asked_for(world: World) -> None:
    world.edit(triggers=Triggers(drift=False))
    world.now += timedelta(hours=1)
    world.drift = (alarm(world),)
    world.wait(120)
    assert world.status.round.number == 1


def test_new_samples_start_a_round_with_one_more_batch() -> None:
    world = World(spec(triggers=Triggers(new_samples=200)))
    world.rest()
    world.samples = 199
    world.rest()
    assert world.status.round.number == 1
    world.samples = 200
    world.rest()
    assert (world.status.round.trigger, world.status.labels.spent) == ("NewSamples", 80)
    world.samples = 399
    world.rest()
    assert world.status.round.number == 2
