"""What the crash sweep and the faults call different or unsafe, and what not."""

import json
import time

import pytest

from bench.operator.breaks import BREAKS, Clock
from bench.operator.crashes import Sweep
from bench.operator.faults import Found, disturbance, middles
from bench.operator.normal import End, differences, masked
from bench.operator.play import Disturbance, Outcome, kill
from bench.operator.safety import broken
from bench.operator.verdicts import judge
from hack.testbed.apiline import ApiLine, Asked

STATES = {"fleet": {"mode": "Idle", "history": [{"result": "Reverted"}]}}
WANTED = End(STATES, ("r1-query", "r1-train"), {(0, 1): 1, (1, 1): 1})
FLEET = {
    "serial": 4,
    "mode": "Rolling",
    "exposed": 2,
    "stage": {"limit": 4},
    "counts": {"total": 8, "pending": 6, "updated": 2},
    "revision": {"stable": 1, "target": 2, "failed": 0},
    "history": [{"revision": 1, "result": "Promoted"}],
}
MODEL = {
    "latestVersion": 1,
    "round": {"number": 1, "step": "Labelling", "targetLabels": 4},
    "labels": {"spent": 0, "requested": 4},
    "versions": [{"version": 1}],
}


def outcome(what="PATCH tinymodels/play/status", end=WANTED, **more):
    return Outcome(what, end=end, **more)


def test_the_same_end_is_the_same():
    verdict = judge(kill(3), outcome(), WANTED)
    assert verdict.same
    assert verdict.end == "same"


def test_a_state_that_differs_is_named_with_both_values():
    states = {"fleet": {"mode": "Rolling", "history": [{"result": "Reverted"}]}}
    verdict = judge(kill(3), outcome(end=End(states, WANTED.runs, WANTED.starts)), WANTED)
    assert verdict.different == ("fleet.mode: 'Idle', 'Rolling'",)
    assert verdict.end == "different"


def test_what_is_missing_or_more_differs():
    assert differences({"a": 1}, {}) == ["a: 1, None"]
    assert differences({"a": [1]}, {"a": [1, 2]}) == ["a: None, 2"]
    assert differences({"a": [1, 3]}, {"a": [3]}) == ["a: 1, None"]
    assert differences({"a": [1]}, {"a": [1, 1]}) == ["a: [1], [1, 1]"]
    assert differences({"a": [{"b": 1}]}, {"a": [{"b": 2}]}) == ["a[0].b: 1, 2"]


def test_a_run_and_a_start_too_many_are_counted():
    twice = End(STATES, (*WANTED.runs, "r1-train"), {(0, 1): 2, (1, 1): 1, (5, 2): 1})
    verdict = judge(kill(3), outcome(end=twice), WANTED)
    assert (verdict.extra_runs, verdict.extra_starts, verdict.different) == (1, 2, ())
    assert not verdict.same


def test_an_end_that_never_came_and_writes_at_rest_differ():
    never = outcome(end=None, problem="version 1: not within 120 s")
    assert judge(kill(3), never, WANTED).different == ("version 1: not within 120 s",)
    assert judge(kill(3), outcome(what=""), WANTED).end == "not reached"
    resting = outcome(writes_at_rest=1)
    assert judge(kill(3), resting, WANTED).different == ("1 writes at rest",)


def test_names_and_times_of_a_play_are_masked_the_longest_first():
    names = {"12345678-aaaa": "<uid>", "12345678": "<short>"}
    found = masked(
        {"run": "x-12345678", "uid": "12345678-aaaa", "at": "2026-11-22T18:00:00Z"}, names
    )
    assert found == {"run": "x-<short>", "uid": "<uid>", "at": "<time>"}


def test_figures_add_up_over_all_plays():
    bad = judge(kill(5), outcome(end=None, problem="away"), WANTED)
    unsafe = judge(kill(6), outcome(unsafe=["write 3: labels were lost"]), WANTED)
    good = judge(kill(3), outcome(), WANTED)
    found = Sweep(9, [("round", 4), ("edit", 9)], [good, bad, unsafe])
    assert not found.good
    assert (found.act(4), found.act(5)) == ("round", "edit")
    assert found.figures() == {
        "writes": 9,
        "killed": 3,
        "missed": 0,
        "different": 1,
        "unsafe": 1,
        "extraRuns": 0,
        "extraStarts": 0,
        "writesAtRest": 0,
    }


def test_a_write_that_came_in_no_play_is_missed():
    late = judge(kill(4), outcome(what=""), WANTED)
    other = judge(kill(3), outcome(), WANTED)
    assert Sweep(4, [], [other, late]).figures()["missed"] == 1
    assert not Sweep(4, [], [other, late]).good
    again = Sweep(4, [], [other, late, judge(kill(4), outcome(), WANTED)])
    assert again.good
    assert (again.figures()["missed"], again.figures()["killed"]) == (0, 2)


def test_a_fault_that_met_nothing_or_never_began_fails():
    fault = disturbance("403", "round", 3)
    met = judge(fault, outcome(harmed=2), WANTED)
    missed = judge(fault, outcome(), WANTED)
    late = judge(fault, outcome(what="", harmed=2), WANTED)
    found = Found([met, missed, late])
    assert found.failed == [missed, late]
    assert found.figures() == {"cases": 3, "failed": 2, "unsafe": 0}


def test_faults_begin_in_the_middle_of_an_act():
    assert middles([("round", 7), ("rollout", 12), ("edit", 13)]) == {
        "round": 4,
        "rollout": 10,
        "edit": 13,
    }


def test_an_undisturbed_play_has_no_write_to_be_reached():
    assert judge(Disturbance("undisturbed"), outcome(what=""), WANTED).end == "same"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"serial": 3}, "serial fell from 4 to 3"),
        ({"history": []}, "history is not what it was"),
        ({"exposed": 5}, "5 devices exposed in a stage of 4"),
        ({"counts": {"total": 8, "pending": 7, "updated": 2}}, "counts of 9 devices in a"),
        ({"revision": {"stable": 2, "target": 2, "failed": 0}}, "2 is stable and was not promoted"),
        ({"revision": {"stable": 1, "target": 2, "failed": 2}}, "2 goes on after it was taken"),
    ],
)
def test_what_must_never_be_written_of_a_fleet_is_found(changes, text):
    assert broken("devicefleets", {}, FLEET) == broken("devicefleets", FLEET, FLEET) == []
    found = broken("devicefleets", FLEET, FLEET | changes)
    assert len(found) == 1
    assert text in found[0]


def test_a_promotion_past_a_failed_gate_is_found():
    before = FLEET | {"gates": [{"name": "update", "verdict": "Fail"}]}
    entry = {"revision": 2, "result": "Promoted"}
    after = FLEET | {
        "mode": "Idle",
        "revision": {"stable": 2, "target": 2, "failed": 0},
        "history": [*FLEET["history"], entry],
    }
    assert broken("devicefleets", FLEET, after) == []
    assert broken("devicefleets", before, after) == ["revision 2 is stable, and failed at update"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"latestVersion": 3}, "latestVersion went from 1 to 3"),
        ({"latestVersion": 0}, "latestVersion went from 1 to 0"),
        ({"round": MODEL["round"] | {"number": 3}}, "round.number went from 1 to 3"),
        ({"versions": [{"version": 2}]}, "versions is not what it was"),
        ({"labels": {"spent": 4, "requested": 4}}, "4 labels spent and 4 asked for, of 4"),
    ],
)
def test_what_must_never_be_written_of_a_model_is_found(changes, text):
    assert broken("tinymodels", MODEL, MODEL) == []
    assert broken("tinymodels", MODEL, MODEL | changes) == [text]


class Line(ApiLine):
    """Its hooks alone, without a network."""

    def __init__(self):
        self.mend()
        self.cuts = 0

    def cut(self):
        self.cuts += 1

    def said(self, asked):
        """Everything a client would notice of a request, an event and an answer."""
        answer = self.answer(asked)
        return (answer and answer.status, self.delay(asked), tuple(self.events(b"a")), self.cuts)


READ = Asked("GET", "/apis/petiole.dev/v1alpha1/namespaces/a/devicefleets/play", "")
LIST = Asked("GET", "/apis/petiole.dev/v1alpha1/namespaces/a/devicefleets", "")
WATCH = Asked("GET", LIST.path, "watch=true")
WRITE = Asked("PATCH", f"{READ.path}/status", "")


@pytest.mark.parametrize("name", BREAKS)
def test_a_fault_is_felt_while_it_lasts_and_not_after(name):
    def felt(line):
        said = [line.said(asked) for asked in (READ, LIST, WATCH, WRITE)]
        olds = [line.contents(asked, b"old") for asked in (READ, LIST)]
        return said, olds, [line.contents(asked, b"new") for asked in (READ, LIST)]

    healthy = felt(Line())
    line = Line()
    BREAKS[name][1](line, Clock(60.0))
    assert felt(line) != healthy
    over = Line()
    BREAKS[name][1](over, Clock(0.0))
    over.cuts = 0
    assert felt(over) == healthy


def test_a_watch_tells_errors_that_a_client_can_read():
    line = Line()
    BREAKS["500 in watches"][1](line, Clock(60.0))
    (told,) = line.events(b"event")
    assert json.loads(told)["object"]["code"] == 500
    assert told.endswith(b"\n")


def test_a_clock_runs_out():
    clock = Clock(0.05)
    assert clock.on
    time.sleep(0.06)
    assert not clock.on
