"""Which failure decides, for hawkBit's threshold and for Petiole's gate; and the agent's events."""

import random
from itertools import pairwise

from bench.rollout.events import Events, note
from bench.rollout.peers.hawkbit import deciding as hawkbit_deciding
from bench.rollout.peers.petiole import campaign
from bench.rollout.policy import GATE, deciding
from bench.rollout.work import Trace, Work

DIGEST = "0011aabb" + 56 * "0"


def played(outcomes, *, delay=0.5):
    """Devices that begin a second apart and end ``delay`` later."""
    trace = Trace(0.0)
    for number, ok in enumerate(outcomes):
        trace.begun[f"d{number:04d}"] = float(number)
        trace.ended[f"d{number:04d}"] = (number + delay, ok)
    return trace


def test_hawkbit_decides_when_a_group_is_above_its_threshold():
    groups = [frozenset(f"d{n:04d}" for n in range(20)), frozenset({"d0020"})]
    once = played([True, False] + [True] * 18)
    assert hawkbit_deciding(once, groups, 5) is None  # 1 of 20 is 5 %, not above
    twice = played([True, False, True, False] + [True] * 16)
    assert hawkbit_deciding(twice, groups, 5) == 3.5


def test_failures_of_different_groups_do_not_add_up():
    groups = [frozenset(f"d{n:04d}" for n in range(i, i + 20)) for i in (0, 20)]
    outcomes = [n not in (1, 21) for n in range(40)]
    assert hawkbit_deciding(played(outcomes), groups, 5) is None


def test_a_clean_rollout_decides_nothing():
    assert deciding(played([True] * 200), GATE, 1000) is None


def test_the_gate_is_decided_by_one_failure_and_not_before():
    """Dropping the deciding failure and all later ones leaves nothing that decides."""
    chance = random.Random(3)
    trace = played([chance.random() > 0.3 for _ in range(100)])
    at = deciding(trace, GATE, 1000)
    assert at in {when for when, _ in trace.failures()}
    earlier = Trace(0.0, dict(trace.begun), {d: e for d, e in trace.ended.items() if e[0] < at})
    assert deciding(earlier, GATE, 1000) is None


def test_a_halt_is_no_failure_and_a_return_is_no_success():
    trace = Trace(0.0)
    for line in (
        "1000000 a downloading 0011aabb none",
        "1500000 b downloading 0011aabb none",
        "2000000 a confirmed 0011aabb none",
        "2500000 b failed 0011aabb halted",
        "3000000 c failed 0011aabb golden-mismatch",
        "3100000 c confirmed 99887766 none",
        "3200000 d confirmed 0011aabb none",
        "3300000 d confirmed 99887766 none",
        "3400000 a confirmed 0011aabb none",
    ):
        note(trace, line, DIGEST)
    assert trace.begun == {"a": 1.0, "b": 1.5}
    assert trace.ended == {"a": (2.0, True), "c": (3.0, False), "d": (3.2, True)}
    assert (trace.succeeded, trace.failed) == (1, 1)  # d was put back


def test_a_line_that_is_not_whole_waits(tmp_path):
    events, trace = Events(tmp_path / "events"), Trace(0.0)
    events.read(trace, DIGEST)  # nothing there yet
    events.file.write_text("1000000 a downloading 0011aabb none\n2000000 a conf")
    events.read(trace, DIGEST)
    assert (trace.begun, trace.ended) == ({"a": 1.0}, {})
    with events.file.open("a") as file:
        file.write("irmed 0011aabb none\n")
    events.read(trace, DIGEST)
    assert trace.ended == {"a": (2.0, True)}
    events.skip()
    with events.file.open("a") as file:
        file.write("3000000 b downloading 0011aabb none\n")
    events.read(trace, DIGEST)
    assert set(trace.begun) == {"a", "b"}


def test_the_stable_version_stays_among_those_that_a_model_lists(tmp_path):
    """A TinyModel lists 20 versions; between two that end well there are fewer."""
    rounds = campaign(Work(tmp_path, repeats=30), 1000)
    well = [r.version for r in rounds if r.failing <= 0.01]
    assert all(later - earlier < 20 for earlier, later in pairwise(well))
    assert [r.version for r in rounds] == list(range(1, len(rounds) + 1))
    assert not [r for r in rounds if r.kind == "stop"]
