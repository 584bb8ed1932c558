"""Status is written when it says something to act on, not for every device."""

from __future__ import annotations

from datetime import timedelta

import pytest

from petiole.api.rollout import Pace, Stage, Window, Windows
from petiole.rollout.observed import Event
from petiole.rollout.quiet import worth_writing

from .fleet import CONFIDENCE, UPDATE, Field, Operator, spec

DEVICES = 10_000
STAGES = (
    Stage(name="canary", size=100, soak="10m"),
    Stage(name="early", size="20%", soak="10m"),
    Stage(name="all", size="100%"),
)


def play(operator: Operator, at_once: int, seconds: float) -> dict[str, int]:
    """Roll out; devices answer a few at a time, one in 200 fails. API writes by stage."""
    field, written, answers = operator.field, {}, 0
    for _ in range(5000):
        stage, writes, events = operator.status.stage.name, operator.writes, len(operator.events)
        operator.one_pass()
        made = operator.writes - writes + len(operator.events) - events
        stage = operator.status.stage.name or stage
        written[stage] = written.get(stage, 0) + made
        if operator.status.mode == "Idle" and operator.status.history:
            return written
        offered = [d for d, p in field.phase.items() if p == "offered"]
        for device in offered[:at_once]:
            answers += 1
            field.answer(device, "failed" if answers % 200 == 0 else "updated")
        # The pace runs dry and comes again, as a limit a minute does.
        field.held_back = {"Pace": 10} if len(offered) > at_once and answers % 3 else {}
        operator.now += timedelta(seconds=seconds if offered else 120)
    raise AssertionError(operator.status.message)


@pytest.mark.parametrize(("at_once", "seconds"), [(50, 0.5), (50, 20.0), (20, 0.5)])
def test_ten_thousand_devices_cost_at_most_ten_writes_a_stage(at_once: int, seconds: float) -> None:
    """All requests that change something at the API server: status and Events."""
    gates = (UPDATE, CONFIDENCE)
    policy = {"stages": STAGES, "gates": gates, "pace": Pace(max_in_flight=500)}
    operator = Operator(spec(**policy, progress_deadline="7d"), Field(devices=DEVICES))
    written = play(operator, at_once, seconds)
    assert set(written) >= {"canary", "early", "all"}
    assert max(written.values()) <= 10, written
    assert operator.status.history[-1].result == "Promoted"
    counts = operator.status.counts
    assert (counts.updated, counts.failed) == (9950, 50)  # the last word is exact


def test_a_stage_that_takes_days_writes_the_more_seldom_the_longer_it_takes() -> None:
    operator = Operator(spec(gates=(), progress_deadline="30d"), Field())
    operator.settle()
    writes, held = operator.writes, False
    for _ in range(7 * 24 * 12):
        held = not held
        operator.field.held_back = {"Backoff": 1} if held else {}
        operator.field.phase = dict.fromkeys(operator.field.phase, "ready" if held else "offered")
        operator.now += timedelta(minutes=5)
        operator.one_pass()
    assert 1 <= operator.writes - writes <= 7


@pytest.fixture
def canary() -> Operator:
    operator = Operator(spec(gates=()), Field())
    operator.settle()
    operator.now += timedelta(seconds=1)
    return operator


def answered(operator: Operator, number: int, phase: str = "updated") -> int:
    """Return how many writes the answers cost."""
    writes = operator.writes
    offered = [d for d, p in operator.field.phase.items() if p == "offered"]
    for device in offered[:number]:
        operator.field.answer(device, phase)
    operator.one_pass()
    return operator.writes - writes


def test_a_quarter_of_the_stage_is_told(canary: Operator) -> None:
    assert [answered(canary, 3) for _ in range(7)] == [0, 0, 0, 1, 0, 0, 1]


def test_the_first_failed_device_is_told_and_the_next_ones_are_counted(canary: Operator) -> None:
    assert [answered(canary, 1, "failed") for _ in range(2)] == [1, 0]


def test_what_was_held_back_is_written_when_it_is_due(canary: Operator) -> None:
    assert answered(canary, 1) == 0
    outcome = canary.one_pass()
    assert outcome.again == 59.0
    canary.now += timedelta(seconds=59)
    assert answered(canary, 0) == 1
    assert canary.status.counts.updated == 1


def test_what_people_act_on_is_told_at_once(canary: Operator) -> None:
    writes = canary.writes
    canary.problem = "connection refused"
    canary.one_pass()
    assert canary.writes == writes + 1
    canary.problem = ""
    canary.annotate("pause")
    outcome = canary.one_pass()
    assert canary.writes == writes + 2
    assert [a.reason for a in outcome.actions if isinstance(a, Event)] == ["RequestAccepted"]


def test_an_idle_fleet_tells_its_counts_once_a_minute(rolled: Operator) -> None:
    rolled.wait(minutes=5)
    writes = rolled.writes
    for _ in range(20):
        rolled.field.phase[rolled.field.ids[0]] = "silent"
        rolled.now += timedelta(seconds=6)
        rolled.one_pass()
        rolled.field.phase[rolled.field.ids[0]] = "updated"
        rolled.now += timedelta(seconds=6)
        rolled.one_pass()
    assert 3 <= rolled.writes - writes <= 5


def test_a_status_that_is_kept_is_the_one_that_was_there(canary: Operator) -> None:
    observed = canary.observe()
    more = observed.status.model_copy(update={"samples": 7, "message": "other"})
    kept, due = worth_writing(observed, more, canary.now)
    assert kept is observed.status
    assert due is not None
    moved = more.model_copy(update={"mode": "Paused"})
    assert worth_writing(observed, moved, canary.now)[0].samples == 7


def test_a_wait_that_is_over_is_not_asked_for_again_and_again() -> None:
    """Its successor is not worth a write, so that the status still names the old one."""
    windows = Windows(apply=(Window(cron="0 9 * * *", duration="9h"),))  # it is 08:00
    operator = Operator(spec(gates=(), windows=windows, progress_deadline="9d"), Field())
    operator.settle()
    operator.field.phase = dict.fromkeys(operator.field.phase, "ready")
    operator.field.held_back = {"ApplyWindow": 40}
    operator.wait(minutes=50)
    waiting = operator.status.waiting_for
    assert waiting is not None
    assert waiting.reason == "ApplyWindow"

    operator.field.held_back = {"Pace": 40}
    outcome = operator.wait(minutes=10)
    assert operator.status.waiting_for == waiting, "it is told with the next counts"
    assert outcome.again is not None
    assert outcome.again > 10.0
