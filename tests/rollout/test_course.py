"""Ramps, rollbacks, and a stage's deadline beside windows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petiole.api.rollout import (
    Disruption,
    Pace,
    Ramp,
    Retries,
    RollbackWindow,
    Rollout,
    Stage,
    Window,
    Windows,
)
from petiole.rollout import course, windows
from petiole.rollout.cohort import order
from petiole.rollout.gates import shared

from .fleet import CONFIDENCE, START, UPDATE, Field, Operator, spec

# --- ramps ----------------------------------------------------------------------------------------


def ramped(**ramp) -> dict:
    return {"stages": None, "ramp": Ramp(**ramp)}


def test_a_ramp_grows_to_the_whole_fleet() -> None:
    operator = Operator(spec(**ramped(start=40, factor=4), gates=(UPDATE,)), Field())
    seen = []
    for _ in range(3):
        operator.settle()
        seen.append((operator.status.stage.name, operator.status.stage.limit))
        operator.field.answer_all()
        operator.settle()
    assert seen == [("ramp-1", 40), ("ramp-2", 160), ("ramp-3", 200)]
    assert operator.status.history[-1].result == "Promoted"


def test_every_step_of_a_ramp_soaks() -> None:
    operator = Operator(spec(**ramped(start=100, factor=2, soak="5m"), gates=()), Field())
    operator.settle()
    operator.field.answer_all()
    operator.settle()
    assert operator.status.waiting_for.until == START + timedelta(minutes=5)
    operator.wait(minutes=5)
    assert operator.status.stage.name == "ramp-2"


@given(start=st.integers(1, 500), factor=st.integers(2, 100), devices=st.integers(0, 1_000_000))
def test_a_ramp_has_growing_stages_and_ends_with_all(start, factor, devices) -> None:
    rollout = Rollout(ramp=Ramp(start=start, factor=factor))
    last = course.last(rollout, devices)
    sizes = [course.stage(rollout, index, devices).size for index in range(last + 1)]
    assert sizes[-1] == "100%"
    assert sizes[:-1] == [start * factor**index for index in range(last)]
    assert all(size < devices for size in sizes[:-1])


def test_promote_goes_to_the_end_of_a_ramp() -> None:
    operator = Operator(spec(**ramped(start=5)), Field())
    operator.settle()
    operator.ask("promote")
    assert (operator.status.stage.name, operator.status.stage.limit) == ("ramp-7", 200)


# --- rollback window ------------------------------------------------------------------------------


@pytest.fixture
def three() -> Operator:
    """A fleet that ran revisions 1 and 2 and runs 3."""
    operator = Operator(spec(rollback_window=RollbackWindow(revisions=1)), Field())
    for _ in range(3):
        operator.roll()
        operator.publish()
    operator.latest = 3
    operator.edit(version=3, rollback_window=RollbackWindow(revisions=1))
    operator.settle()
    return operator


def test_a_recent_good_revision_goes_back_without_stages(three: Operator) -> None:
    three.edit(version=2, rollback_window=RollbackWindow(revisions=1))
    three.settle()
    stage = three.status.stage
    assert (stage.name, stage.limit, stage.rollback) == ("rollback", 200, True)
    assert three.field.plan.max_in_flight == 500  # at the usual pace
    three.field.answer_all()
    three.settle()
    assert (three.status.mode, three.status.revision.stable) == ("Idle", 2)
    assert three.status.history[-1].result == "Promoted"


def test_an_older_one_takes_all_stages(three: Operator) -> None:
    three.edit(version=1, rollback_window=RollbackWindow(revisions=1))
    three.settle()
    assert three.status.stage.name == "canary"
    three.edit(version=3, rollback_window=RollbackWindow(revisions=1))
    three.settle()
    three.edit(version=1, rollback_window=RollbackWindow(revisions=2))
    three.settle()
    assert three.status.stage.name == "rollback"


def test_the_gates_watch_a_rollback(three: Operator) -> None:
    three.edit(version=2, rollback_window=RollbackWindow(revisions=1))
    three.settle()
    for device in list(three.field.phase):
        three.field.answer(device, "failed")
    three.settle()
    assert (three.status.history[-1].result, three.status.revision.stable) == ("Reverted", 3)


def test_a_rollback_needs_no_approval_and_no_proof(three: Operator) -> None:
    policy = {"rollback_window": RollbackWindow(revisions=1), "gates": (UPDATE,)}
    manual = (Stage(name="all", size="100%", approval="Manual"),)
    three.field.devices = 5
    three.edit(version=2, stages=manual, **policy)
    three.settle()
    three.field.answer_all()
    three.settle()
    assert three.status.revision.stable == 2


def test_a_revision_that_was_taken_back_later_is_proven_no_more(three: Operator) -> None:
    three.edit(version=2)
    three.settle()
    three.field.answer_all()
    three.ask("abort")
    three.field.put_back()
    three.settle()
    assert three.status.history[-1].result == "Reverted"
    three.edit(version=3)
    three.settle()
    three.edit(version=2, rollback_window=RollbackWindow(revisions=10))
    three.settle()
    assert three.status.stage.name == "canary"


# --- windows --------------------------------------------------------------------------------------

NIGHTS = Windows(apply=(Window(cron="0 22 * * *", duration="4h"),))  # it is 08:00


def test_a_stage_waits_for_its_window_and_its_deadline_too() -> None:
    operator = Operator(spec(windows=NIGHTS), Field())
    operator.settle()
    assert operator.field.plan.windows == NIGHTS
    for device in list(operator.field.phase):
        operator.field.phase[device] = "ready"
    operator.field.held_back = {"ApplyWindow": 40}
    operator.now += timedelta(minutes=2)
    outcome = operator.settle()
    waiting = operator.status.waiting_for
    assert (waiting.reason, waiting.until) == ("ApplyWindow", START + timedelta(hours=14))
    assert outcome.again == 13 * 3600 + 58 * 60
    assert waiting.message.endswith("`kubectl edit devicefleet meters -n default`")
    assert operator.status.counts.ready == 40
    assert operator.status.stage.complete_at is None  # ready is not yet an answer
    operator.wait(hours=14)
    assert operator.status.mode == "Rolling"
    operator.wait(hours=1, minutes=57)
    assert operator.status.mode == "Rolling"
    operator.wait(minutes=1)
    assert operator.status.waiting_for.reason == "Inconclusive"  # two hours in the window


@pytest.mark.parametrize("reason", ["Pace", "DisruptionBudget", "Backoff"])
def test_what_holds_devices_back_is_named_once_none_is_on_its_way(reason: str) -> None:
    operator = Operator(spec(), Field())
    operator.settle()
    operator.field.held_back = {reason: 3, "Freeze": 1}
    operator.wait(minutes=2)
    assert operator.status.waiting_for.reason == "DevicesUpdating"
    operator.field.answer_all()
    operator.wait(minutes=10)
    assert operator.status.waiting_for.reason == reason
    assert "3 wait for " in operator.status.waiting_for.message
    assert operator.status.stage.complete_at is None
    operator.field.held_back = {}
    operator.settle()
    assert operator.status.waiting_for.reason == "Soaking"


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        (Windows(), 2),
        (NIGHTS, 16),
        (NIGHTS.model_copy(update={"download": NIGHTS.apply}), 16),
        # Downloads by day, switches by night: either is time in which something can happen.
        (Windows(download=(Window(cron="0 6 * * *", duration="3h"),), apply=NIGHTS.apply), 15),
        (Windows(apply=(Window(cron="0 22 * * *", duration="30m"),)), 24 * 3 + 14.5),
        (Windows.model_validate({"freeze": [{"first": "2026-11-01", "last": "2026-11-02"}]}), 18),
    ],
)
def test_a_deadline_counts_open_time(given: Windows, hours: float) -> None:
    found = windows.deadline(given, START, timedelta(hours=2))
    assert found == START + timedelta(hours=hours)


def test_windows_that_mean_nothing_are_an_invalid_object() -> None:
    wrong = Windows(apply=(Window(cron="0 25 * * *", duration="1h"),))
    operator = Operator(spec(windows=wrong), Field())
    operator.settle()
    assert (operator.status.mode, operator.status.waiting_for.reason) == ("Idle", "InvalidObject")
    assert "spec.rollout.windows.apply[0].cron '0 25 * * *'" in operator.status.message
    stalled = operator.condition("Stalled")
    assert (stalled.status, stalled.reason) == ("True", "InvalidObject")
    operator.edit()
    operator.settle()
    assert operator.status.mode == "Rolling"
    operator.edit(windows=wrong)  # in mid-rollout: nobody is led on, nobody is led back
    operator.wait(hours=30)
    assert (operator.status.mode, operator.status.waiting_for.reason) == (
        "Rolling",
        "InvalidObject",
    )
    assert operator.condition("Stalled").status == "True"


# --- the plan -------------------------------------------------------------------------------------


def test_the_plan_holds_the_whole_policy() -> None:
    rollout = {
        "stratify_by": ("hardware",),
        "cluster_by": "site",
        "pace": Pace(max_in_flight=7, per_minute=70),
        "disruption": Disruption(group_by=("site",), max_unavailable=2),
        "windows": NIGHTS,
        "retries": Retries(limit=3),
        "false_stop": "5%",
    }
    operator = Operator(spec(**rollout), Field())
    operator.settle()
    plan = operator.field.plan
    names = ("stratify_by", "cluster_by", "disruption", "windows", "retries")
    assert {name: getattr(plan, name) for name in names} == {n: rollout[n] for n in names}
    assert (plan.max_in_flight, plan.per_minute, plan.attempt) == (7, 70, 0)
    assert plan.gates == shared((UPDATE, CONFIDENCE), "5%")
    assert plan.gates != (UPDATE, CONFIDENCE)  # together they may not spend 10 %
    assert order(1, operator.field.ids)[:40] == [
        d for d in order(1, operator.field.ids) if d in operator.field.phase
    ]
