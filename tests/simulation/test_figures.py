"""Simulated frequencies against what is known exactly, and the sums made of runs."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from petiole.rollout.boundary import boundary
from petiole.simulation.events import Events
from petiole.simulation.run import simulate
from petiole.simulation.study import Chance, Spread, study

from .policies import AT_ONCE, assumed, meters

COHORT, RUNS = 100, 150


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_chance_to_stop_is_the_gates_own():
    """One device after another: the boundary's exact figures must come out, within 3.3 sigma."""
    rule = boundary(0.01, 0.10, 0.05, 0.05, COHORT)
    policy = meters(stages=list(AT_ONCE), pace={"maxInFlight": 1})
    good, bad = (
        [simulate(policy, assumed(COHORT), build, seed) for seed in range(RUNS)]
        for build in ("good", "bad")
    )

    def agrees(stops: int, exact: float) -> bool:
        return abs(stops / RUNS - exact) <= 3.3 * math.sqrt(exact * (1.0 - exact) / RUNS)

    assert agrees(sum(r.end == "Stopped" for r in good), rule.alpha)
    assert agrees(sum(r.end == "Stopped" for r in bad), rule.power)
    exposed = [r.exposed for r in bad]
    error = statistics.stdev(exposed) / math.sqrt(RUNS)
    assert abs(statistics.fmean(exposed) - rule.exposed) <= 3.3 * error
    assert all(r.end == "Promoted" for r in good if r.end != "Stopped")


@pytest.mark.timeout(300)
def test_reports_of_failures_that_come_first_stop_no_more_good_builds():
    """All at once, and failures are known half a minute before any success."""
    rule = boundary(0.01, 0.10, 0.05, 0.05, COHORT)
    policy = meters(stages=list(AT_ONCE))
    done = [simulate(policy, assumed(COHORT), "good", seed) for seed in range(2 * RUNS)]
    stopped = sum(run.end == "Stopped" for run in done)
    assert stopped > 0
    bound = rule.alpha + 3.3 * math.sqrt(rule.alpha * (1.0 - rule.alpha) / len(done))
    assert stopped / len(done) <= bound


def test_a_study_sums_up_its_runs():
    policy = meters()
    done = [simulate(policy, assumed(300), "bad", seed) for seed in range(10)]
    found = study(done, policy.stages(300))
    assert found.runs == 10
    ends = (found.promoted, found.stopped, found.undecided, found.unfinished)
    assert sum(chance.share for chance in ends) == pytest.approx(1.0)
    assert found.exposed.mean == pytest.approx(statistics.fmean(r.exposed for r in done))
    assert found.exposed.p90 == sorted(r.exposed for r in done)[8]
    assert [s.name for s in found.stages] == ["canary", "all"]
    assert sum(number for _, number in found.messages) == 10 * (1.0 - found.promoted.share)
    with pytest.raises(ValueError, match="no run"):
        study([], ["canary"])


def test_a_chance_covers_the_truth_as_often_as_it_says():
    rng = random.Random(1)
    covered = 0
    for _ in range(2000):
        truth = rng.random()
        chance = Chance.of(sum(rng.random() < truth for _ in range(20)), 20)
        covered += chance.lower <= truth <= chance.upper
    assert covered >= 0.95 * 2000 - 3.3 * math.sqrt(2000 * 0.05 * 0.95)
    assert Chance.of(0, 59).upper == pytest.approx(1.0 - 0.025 ** (1 / 59))


def test_a_spread_of_nothing_is_nothing():
    assert Spread.of([]) is None
    assert Spread.of([3.0]) == Spread(3.0, 0.0, 3.0, 3.0)
    values = [float(v) for v in range(1, 11)]
    spread = Spread.of(values)
    assert (spread.mean, spread.p50, spread.p90) == (5.5, 5.0, 9.0)
    assert spread.error == pytest.approx(statistics.stdev(values) / math.sqrt(10))


def test_events_come_in_time_and_in_the_order_they_were_set():
    events, seen = Events(100.0), []
    events.at(103.0, seen.append, "c")
    events.after(1.0, seen.append, "a")
    events.after(1.0, seen.append, "b")
    events.at(90.0, seen.append, "now")
    events.run(until=102.0)
    assert seen == ["now", "a", "b"]
    assert events.now == 102.0
    events.at(102.5, lambda _: events.stop())
    events.run(until=200.0)
    assert seen == ["now", "a", "b"]
    assert events.now == 102.5
