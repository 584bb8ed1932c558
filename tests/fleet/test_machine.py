"""Whatever happens to a fleet: its numbers are a recount's, and nobody begins amiss.

Hypothesis plays operator, devices, time and crashes; the checks know nothing of how it decides.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from petiole.api.devicefleet import Kind
from petiole.api.rollout import Disruption, Freeze, Gate, GateTest, Retries, Window, Windows
from petiole.fleet.devices import Device
from petiole.fleet.standing import running
from petiole.wire import messages as wire

from .checks import Checks
from .world import OTHER, World, revision, rolling, stage

TEST = GateTest(good="5%", bad="60%")
GATES = (
    Gate(name="update", outcome="Confirmed", test=TEST),
    Gate(name="self", outcome="SelfTest", test=TEST),
    Gate(name="alive", outcome="Alive", test=TEST),
)
NIGHT = Window(cron="0 1 * * *", duration="4h")
DAY = Window(cron="0 9 * * *", duration="8h")
WINDOWS = (
    Windows(),
    Windows(download=(DAY,)),
    Windows(apply=(NIGHT,)),
    Windows(download=(DAY,), apply=(NIGHT,)),
    Windows(freeze=(Freeze(first="2026-03-03", last="2026-03-03"),)),
)
NAMES = tuple(f"d{n:02}" for n in range(14))
PHASES = st.sampled_from([p for p in wire.Phase if p is not wire.Phase.FAILED])
REASONS = st.sampled_from(
    [
        wire.Reason.TIMEOUT, wire.Reason.GOLDEN_MISMATCH, wire.Reason.FLASH_ERROR,
        wire.Reason.HALTED, wire.Reason.TRIAL_EXPIRED,
    ]
)  # fmt: skip
names = st.sampled_from(NAMES)


class Operations(Checks):
    """What operator, devices, time and crashes may do, in any order."""

    @initialize(
        kind=st.sampled_from(["Model", "Firmware"]),
        chosen=st.sampled_from(WINDOWS),
        disruption=st.sampled_from([None, Disruption(group_by=("site",), max_unavailable=1)]),
        cluster=st.sampled_from([None, "site"]),
        strata=st.sampled_from([(), ("hardware",)]),
        retries=st.sampled_from(
            [None, Retries(reasons=("timeout", "trial-expired"), backoff="1m")]
        ),
    )
    def start(
        self,
        kind: Kind,
        chosen: Windows,
        disruption: Disruption | None,
        cluster: str | None,
        strata: tuple[str, ...],
        retries: Retries | None,
    ) -> None:
        self.world = World(
            rolling(
                2, 4, kind, gates=GATES, disruption=disruption, cluster_by=cluster,
                stratify_by=strata, retries=retries, max_in_flight=3, windows=chosen,
            )
        )  # fmt: skip
        for number, name in enumerate(NAMES[:10]):
            self.register(name, number)

    def register(self, name: str, number: int) -> None:
        labels = {"site": f"site-{number % 3}"} if number % 5 else {}
        caps = ("m4", None, "m7", "m4", "fixed", "tiny", "m7")[number % 7]
        self.world.add(name, labels, caps)

    def known(self, name: str) -> str:
        """Some device that is there."""
        there = sorted(self.world.devices)
        return name if name in self.world.devices else there[int(name[1:]) % len(there)]

    # --- what devices do --------------------------------------------------------------------------

    @rule(name=names, phase=PHASES)
    def device_reports(self, name: str, phase: wire.Phase) -> None:
        reason = wire.Reason.TRIAL_EXPIRED if phase is wire.Phase.ROLLEDBACK else wire.Reason.NONE
        self.world.say(self.known(name), phase, reason)

    @rule(name=names, phase=PHASES)
    def device_reports_of_the_other_kind(self, name: str, phase: wire.Phase) -> None:
        reason = wire.Reason.CRASHED if phase is wire.Phase.ROLLEDBACK else wire.Reason.NONE
        self.world.say_aside(self.known(name), phase, reason)

    @rule(steps=st.integers(1, 12))
    def devices_obey(self, steps: int) -> None:
        """Those who are asked to do something go on, one after another."""
        for _ in range(steps):
            self.checked_turn()
            busy = sorted(n for n in self.world.devices if self.asked(n))
            if not busy:
                return
            self.obey(busy[int(self.world.now) % len(busy)])
            self.world.now += 1.0

    @rule(which=st.data())
    def device_obeys(self, which: st.DataObject) -> None:
        busy = sorted(n for n in self.world.devices if self.asked(n))
        self.obey(which.draw(st.sampled_from(busy or sorted(self.world.devices))))

    def asked(self, name: str) -> bool:
        """Tell whether its grant is other than what it runs and keeps."""
        granted, state = self.world.granted(name), self.world.devices[name].state
        if granted is None:
            return False
        done = (wire.Phase.CONFIRMED, wire.Phase.IDLE)
        waits = state is not None and state.phase is wire.Phase.READY and self.world.terms(name)[0]
        runs = state is not None and running(self.world.plan.kind, state) == granted
        return not waits and (state is None or not runs or state.phase not in done)

    def obey(self, name: str) -> None:
        state, hold = self.world.devices[name].state, self.world.terms(name)[0]
        done = state is not None and state.target == self.world.granted(name)
        phase = state.phase if state is not None and done else wire.Phase.IDLE
        after = {
            wire.Phase.IDLE: wire.Phase.DOWNLOADING,
            wire.Phase.DOWNLOADING: wire.Phase.READY if hold else wire.Phase.TRIAL,
            wire.Phase.READY: wire.Phase.READY if hold else wire.Phase.TRIAL,
            wire.Phase.TRIAL: wire.Phase.CONFIRMED,
        }
        self.world.say(name, after.get(phase, wire.Phase.DOWNLOADING))

    @rule(name=names, reason=REASONS)
    def device_fails(self, name: str, reason: wire.Reason) -> None:
        self.world.say(self.known(name), wire.Phase.FAILED, reason)

    @rule(reason=REASONS)
    def all_on_their_way_fail(self, reason: wire.Reason) -> None:
        for name in sorted(self.world.devices):
            if self.asked(name):
                self.world.say(name, wire.Phase.FAILED, reason)

    @rule(name=names)
    def report_comes_again(self, name: str) -> None:
        device = self.world.devices[self.known(name)]
        if device.state is not None:
            self.world.hear(device.id, device.state)

    @rule(name=names, phase=PHASES)
    def old_report_comes_late(self, name: str, phase: wire.Phase) -> None:
        device = self.world.devices[self.known(name)]
        old = device.state
        if old is not None:
            late = wire.State(0, 9, phase, wire.Reason.TIMEOUT, old.caps, target=old.active)
            self.world.hear(device.id, late)
            assert device.state == old

    @rule(name=names, online=st.booleans())
    def device_comes_or_goes(self, name: str, online: bool) -> None:
        device = self.world.devices[self.known(name)]
        device.online = online
        self.world.fleet.presence(device)

    @rule(name=names)
    def statistics_come(self, name: str) -> None:
        device = self.world.devices[self.known(name)]
        device.seen_at = self.world.now
        self.world.fleet.heard(device)

    # --- what people and the operator do ----------------------------------------------------------

    @rule(name=names)
    def device_is_registered(self, name: str) -> None:
        if name not in self.world.devices:
            self.register(name, int(name[1:]))

    @precondition(lambda self: len(self.world.devices) > 5)
    @rule(name=names)
    def device_leaves(self, name: str) -> None:
        device = self.world.devices.pop(self.known(name))
        self.world.fleet.dismiss([device])

    @precondition(lambda self: len(self.world.devices) > 5)
    @rule(name=names, again=st.booleans())
    def device_is_forgotten(self, name: str, again: bool) -> None:
        """Perhaps one that left before; perhaps it comes again, provisioned anew."""
        forgotten = name if name in self.world.fleet.members else self.known(name)
        self.world.devices.setdefault(forgotten, Device(forgotten))
        self.world.forget(forgotten)
        if again:
            self.register(forgotten, int(name[1:]))

    @rule(name=names, site=st.integers(0, 3))
    def labels_change(self, name: str, site: int) -> None:
        self.world.devices[self.known(name)].labels = {"site": f"site-{site}"}
        self.world.fleet.relabel()

    @rule(more=st.integers(1, 6))
    def stage_grows(self, more: int) -> None:
        before = self.world.plan.stage
        assert before is not None
        self.world.put(stage=stage(before.limit + more, self.world.now, before.index + 1))

    @rule(edit=st.data())
    def operator_edits(self, edit: st.DataObject) -> None:
        """Everything that stops what goes on is one rule, so that much goes on between."""
        chosen = edit.draw(st.sampled_from([
            self.shrink, self.stop, self.stop, self.retarget, self.halt, self.retry,
            self.take_turns,
        ]))  # fmt: skip
        chosen(edit)

    def shrink(self, edit: st.DataObject) -> None:
        self.world.put(stage=stage(edit.draw(st.integers(1, 4)), self.world.now))

    def stop(self, edit: st.DataObject) -> None:
        self.world.put(mode=edit.draw(st.sampled_from(["Rolling", "Paused", "Reverting"])))

    def retarget(self, edit: st.DataObject) -> None:
        number, limit = edit.draw(st.integers(2, 5)), edit.draw(st.integers(1, 14))
        fields = {"halted": (), "mode": "Rolling", "stage": stage(limit, self.world.now)}
        self.world.put(target=revision(number, self.world.plan.kind), **fields)

    def take_turns(self, edit: st.DataObject) -> None:
        """Roll out the other kind; what is at rest of this one stays."""
        kind = OTHER[self.world.plan.kind]
        number, rests = edit.draw(st.integers(2, 5)), revision(1, self.world.plan.kind)
        fields = {"halted": (), "mode": "Rolling", "stage": stage(4, self.world.now)}
        self.world.put(
            kind=kind,
            target=revision(number, kind),
            stable=revision(1, kind),
            other=rests,
            **fields,
        )

    def halt(self, _: st.DataObject) -> None:
        self.world.put(halted=(self.world.fleet.revision,))

    def retry(self, _: st.DataObject) -> None:
        self.world.put(attempt=self.world.plan.attempt + 1)

    @rule()
    def operator_goes_on(self) -> None:
        if self.world.plan.mode != "Rolling":
            self.world.put(mode="Rolling")

    @rule(
        flight=st.integers(1, 5),
        minute=st.sampled_from([None, 1, 2, 4]),
        chosen=st.sampled_from(WINDOWS),
        most=st.sampled_from([None, 1, 2]),
        cluster=st.sampled_from([None, "site"]),
    )
    def pace_changes(
        self,
        flight: int,
        minute: int | None,
        chosen: Windows,
        most: int | None,
        cluster: str | None,
    ) -> None:
        disruption = Disruption(group_by=("site",), max_unavailable=most) if most else None
        self.world.put(
            max_in_flight=flight, per_minute=minute, windows=chosen, disruption=disruption,
            cluster_by=cluster,
        )  # fmt: skip

    @rule(interval=st.sampled_from([900.0, 60.0]), silence=st.sampled_from([600.0, 60.0]))
    def intervals_change(self, interval: float, silence: float) -> None:
        self.world.put(interval_seconds=interval, no_report_after_seconds=silence)

    @rule(gone=st.booleans())
    def artefacts_come_and_go(self, gone: bool) -> None:
        target = self.world.plan.target
        assert target is not None
        self.world.missing = {target.variants["m7"].images[-1].digest} if gone else set()

    # --- what nobody does -------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.1, 1.0, 20.0, 61.0, 300.0, 3600.0, 30_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule()
    def broker_was_away(self) -> None:
        self.world.hearing_since = self.world.now

    @rule()
    def process_is_killed(self) -> None:
        self.world.crash()

    @rule()
    def turn(self) -> None:
        self.checked_turn()

    @rule()
    def nothing_happens_before_the_next_time(self) -> None:
        self.checked_turn()
        self.checked_turn()
        at = self.world.fleet.next_time()
        until = self.world.now + 40_000.0 if at is None else at - 0.001
        if until <= self.world.now:
            return
        self.world.now = until
        version = self.world.fleet.version
        outcome = self.checked_turn()
        assert (outcome.grants, outcome.members) == ([], [])
        assert outcome.summary.version == version


def play(examples: int, steps: int) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Operations,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
        ),
    )


def test_who_is_told_to_hold_is_missed_in_time() -> None:
    """A release moves the deadline on, a hold moves it back: found by the steps below."""
    state = Operations()
    state.start("Model", Windows(), None, None, (), None)
    state.nothing_happens_before_the_next_time()
    state.stage_grows(1)
    night = Windows(apply=(NIGHT,))
    for chosen, most in ((night, None), (Windows(), None), (night, 1)):
        state.pace_changes(1, None, chosen, most, None)
        state.nothing_happens_before_the_next_time()
    state.teardown()


def test_who_is_on_his_way_is_told_to_hold_in_a_paused_fleet_too() -> None:
    """The window closes for him at its end, not at the next heartbeat."""
    state = Operations()
    state.start("Model", Windows(), None, None, (), None)
    state.nothing_happens_before_the_next_time()
    state.world.put(mode="Paused")
    state.time_passes(3600.0)
    state.pace_changes(1, None, Windows(apply=(NIGHT,)), None, None)
    state.nothing_happens_before_the_next_time()
    state.teardown()


def test_a_restart_forgets_no_beginning_of_who_tried_again() -> None:
    """The pace counts both tries, though a member says the time of one only."""
    state = Operations()
    state.start("Model", Windows(), None, None, (), None)
    state.turn()
    state.device_fails("d00", wire.Reason.TIMEOUT)
    state.world.put(attempt=state.world.plan.attempt + 1)
    state.pace_changes(3, 4, Windows(), None, None)
    state.turn()
    state.device_is_forgotten("d02", again=False)
    state.process_is_killed()
    state.nothing_happens_before_the_next_time()
    state.teardown()


def test_ten_thousand_steps() -> None:
    before = Operations.steps
    for _ in range(5):  # how many steps an example takes is drawn
        play(examples=120, steps=100)
        if Operations.steps - before >= 10_000:
            return
    raise AssertionError(f"{Operations.steps - before} steps")


@pytest.mark.long
def test_a_quarter_of_a_million_steps() -> None:
    play(examples=2500, steps=100)
