"""Never two leaders: own clocks, lost and late answers, pauses, crashes."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from petiole.controller.lease import Record, Standing, Stop, Terms, Wait, Write

TERMS = Terms(12)
CANDIDATES = 3
who = st.integers(0, CANDIDATES - 1)


def record(holder, version="1", life=12.0):
    return Record(holder, life, version)


def test_without_a_lease_it_is_made():
    assert Standing("a", TERMS).next(0.0) == Write()


def test_a_lease_is_taken_after_its_life_without_a_change_and_no_sooner():
    seen = Standing("a", TERMS).saw(record("b"), 100.0)
    assert seen.next(100.0) == Wait(TERMS.renew)
    assert seen.next(111.5) == Wait(0.5)
    assert seen.next(112.0) == Write()
    renewed = seen.saw(record("b"), 111.0).saw(record("b", "2"), 111.5)
    assert renewed.next(112.0) == Wait(TERMS.renew)
    assert renewed.next(123.5) == Write()


def test_the_life_is_that_of_the_holder():
    seen = Standing("a", TERMS).saw(record("b", life=60.0), 0.0)
    assert isinstance(seen.next(59.0), Wait)
    assert seen.next(60.0) == Write()


@pytest.mark.parametrize("holder", ["", "a"], ids=["released", "its own, of an earlier process"])
def test_what_nobody_else_holds_is_taken_at_once(holder):
    assert Standing("a", TERMS).saw(record(holder), 5.0).next(5.0) == Write()


def test_a_leader_counts_from_before_it_asked():
    leader = Standing("a", TERMS).wrote(record("a"), 10.0)
    assert leader.next(10.5) == Wait(1.5)
    assert leader.next(12.0) == Write()
    assert leader.leads(17.9)
    assert not leader.leads(18.0)
    assert isinstance(leader.next(18.0), Stop)


@pytest.mark.parametrize("found", [record("b", "2"), record("", "2"), None])
def test_a_leader_that_sees_another_hand_on_the_lease_stops(found):
    leader = Standing("a", TERMS).wrote(record("a"), 10.0)
    assert isinstance(leader.saw(found, 10.1).next(10.1), Stop)


@dataclass
class Call:
    """A write under way: it may arrive late, twice as late as anybody waits for it, or never."""

    caller: int
    over: Record | None
    begun: float  # by the caller's clock
    applied: Record | None = None


@dataclass
class Process:
    standing: Standing
    ahead: float  # of its clock
    calls: list[Call] = field(default_factory=list)


class Leaders(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now, self.version = 0.0, 0
        self.lease = None
        self.late = []
        self.processes = [Process(Standing(f"p{n}", TERMS), 1000.0 * n) for n in range(CANDIDATES)]

    def clock(self, n):
        return self.now + self.processes[n].ahead

    @initialize()
    def one_leads_and_all_have_seen_it(self):
        for n in range(CANDIDATES):
            self.has_a_turn(n)

    @rule(seconds=st.sampled_from([0.1, 1.9, 6.0, 11.9, 12.0]) | st.floats(0.01, 15.0))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(n=who)
    def has_a_turn(self, n):
        self.looks(n)
        self.decides(n)
        self.is_answered(n)

    @rule(n=who)
    def looks(self, n):
        process = self.processes[n]
        process.standing = process.standing.saw(self.lease, self.clock(n))

    @rule(n=who)
    def decides(self, n):
        process = self.processes[n]
        action = process.standing.next(self.clock(n))
        if isinstance(action, Stop):
            self.dies(n)
        elif isinstance(action, Write) and not process.calls:
            process.calls.append(Call(n, process.standing.record, self.clock(n)))

    @rule(n=who)
    def arrives(self, n):
        for call in self.processes[n].calls:
            self._apply(call)

    @rule(n=who)
    def is_answered(self, n):
        process = self.processes[n]
        for call in process.calls:
            self._apply(call)
            if call.applied is not None:
                process.standing = process.standing.wrote(call.applied, call.begun)
        process.calls.clear()

    @rule(n=who)
    def waits_no_longer(self, n):
        self.late += self.processes[n].calls
        self.processes[n].calls.clear()

    @precondition(lambda self: self.late)
    @rule()
    def a_late_one_arrives(self):
        self._apply(self.late.pop(0))

    @rule(n=who)
    def dies(self, n):
        """A new process under the old name; what the old one sent may still arrive."""
        process = self.processes[n]
        self.late += process.calls
        self.processes[n] = Process(Standing(f"p{n}", TERMS), process.ahead + 50.0)

    @rule(n=who)
    def releases(self, n):
        process = self.processes[n]
        mine = self.lease is not None and self.lease == process.standing.record
        if process.standing.leads(self.clock(n)) and mine:
            self._put("")
            process.standing = Standing(f"p{n}", TERMS)

    def _apply(self, call):
        if call.applied is None and call.over == self.lease:
            call.applied = self._put(f"p{call.caller}")

    def _put(self, holder):
        self.version += 1
        self.lease = record(holder, str(self.version))
        return self.lease

    @invariant()
    def at_most_one_leads(self):
        leading = [n for n, p in enumerate(self.processes) if p.standing.leads(self.clock(n))]
        assert len(leading) <= 1, leading

    def teardown(self):
        """One that is left alone leads within two lives."""
        for process in self.processes:
            process.calls.clear()
        end = self.now + 2 * TERMS.life
        while self.now < end and not self.processes[0].standing.leads(self.clock(0)):
            self.looks(0)
            self.decides(0)
            self.is_answered(0)
            self.now += TERMS.renew
        assert self.processes[0].standing.leads(self.clock(0))


Leaders.TestCase.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
TestLeaders = Leaders.TestCase
