"""Machines of recordings: what their devices see, and what counts as said of a failure."""

import numpy as np
import pytest

from hack.testbed.link import Answer
from hack.testbed.machines import Machines, Recording

LEARNS, LENGTH = 10, 40
FAULT = slice(18, 30)
ONE, OTHER = "1" * 64, "2" * 64


def recording(name="pump", fault=FAULT, learns=LEARNS):
    """Windows that say where they are: byte n in the n-th, 100 more when worn."""
    places = np.arange(LENGTH, dtype=np.uint8).reshape(-1, 1, 1, 1)
    faulty = np.zeros(LENGTH, bool)
    faulty[fault] = True
    return Recording(name, {"calm": places, "worn": places + 100}, faulty, learns)


class Device:
    """Answers what it is told to, and keeps what it saw."""

    def __init__(self, machines, name="a", digest=ONE):
        self.machines, self.name, self.digest = machines, name, digest
        self.random = np.random.default_rng(0)

    def see(self, count, *, phase="calm", alarm=lambda place: False):
        source, seen = self.machines.seen(phase), []
        for _ in range(count):
            shown, truth = source.next(self.name, self.random)
            place = int(shown.item()) % 100
            seen.append((place, truth))
            source.answered(self.name, Answer(0, int(alarm(place)), 0, self.digest))
        return seen


def commissioned(machines, name="a"):
    device = Device(machines, name)
    device.see(LEARNS + 1)
    return device


def test_a_machine_is_commissioned_and_then_runs_well_forth_and_back():
    device = Device(Machines([recording()]))
    assert device.see(1) == [(0, None)]  # answered by a model that it has not had before
    assert device.see(LEARNS) == [(place, None) for place in range(LEARNS)]
    places, truths = zip(*device.see(60), strict=True)
    assert set(truths) == {0}
    assert set(places) == set(range(LEARNS, FAULT.start))
    assert set(np.abs(np.diff(places))) == {1}


def test_another_model_has_its_machine_commissioned_anew():
    machines = Machines([recording()])
    device = commissioned(machines)
    assert machines.learning == 0
    device.digest = OTHER
    device.see(1)
    assert machines.learning == 1
    assert device.see(LEARNS) == [(place, None) for place in range(LEARNS)]
    assert machines.learning == 0


def test_a_failure_is_the_whole_run_once_in_order():
    machines = Machines([recording()])
    device = commissioned(machines)
    (failure,) = machines.fail(["a"], "worn")
    rest = LENGTH - LEARNS
    seen = device.see(rest, phase="worn", alarm=lambda place: 21 <= place < 33)
    assert seen == [(n, int(FAULT.start <= n < FAULT.stop)) for n in range(LEARNS, LENGTH)]
    assert (failure.device, failure.phase, failure.digest) == ("a", "worn", ONE)
    assert failure.counts.tolist() == [9, 3, 3, rest - 15]
    assert failure.delay == 3
    assert machines.failing == 1  # until the next reading is wanted
    assert device.see(1)[0][1] == 0
    assert machines.failing == 0
    device.see(20, alarm=lambda _: True)
    assert failure.counts.sum() == rest
    assert machines.failures == [failure]


def test_only_the_machines_that_are_named_fail():
    machines = Machines([recording("one"), recording("other")])
    devices = [commissioned(machines, name) for name in "abc"]
    told = machines.fail(["b", "c"], "calm")
    assert [failure.recording for failure in told] == ["other", "one"]
    assert {truth for _, truth in devices[0].see(60)} == {0}
    assert 1 in {truth for _, truth in devices[1].see(30)}


def test_a_fault_that_is_never_told_has_no_delay():
    machines = Machines([recording()])
    device = commissioned(machines)
    (failure,) = machines.fail(["a"], "calm")
    assert failure.counts.tolist() == [0, 0, 0, 0]
    device.see(LENGTH - LEARNS, alarm=lambda place: place < FAULT.start)
    assert failure.delay is None


@pytest.mark.parametrize("fault", [slice(5, 8), slice(0, 0), slice(LEARNS + 1, 20)])
def test_a_recording_without_a_time_that_is_well_is_refused(fault):
    with pytest.raises(ValueError, match="pump shows no time"):
        Machines([recording(fault=fault)])
