"""The gateway's half: one fleet of ``petiole.fleet``, turned as its process turns it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from petiole.api.devicefleet import Counts
from petiole.fleet.devices import Device
from petiole.fleet.fleet import Fleet, Surroundings
from petiole.fleet.standing import Clock
from petiole.rollout.plan import Plan, Summary
from petiole.wire.messages import State

from .assumptions import Assumptions
from .devices import SimulatedDevice
from .events import Events
from .field import Field
from .policy import Policy
from .world import Build

BATCH = 0.05  # seconds in which messages gather, as in the gateway's process
PAUSE = 0.1  # least seconds between two turns, as there
_LARGE = 1e6  # devices for which a turn each second is enough
_BESIDE = Surroundings()


class Gateway:
    """Takes plans, hears devices, and calls ``changed`` when its summary is another."""

    def __init__(
        self,
        events: Events,
        policy: Policy,
        assumed: Assumptions,
        build: Build,
        seed: str,
        changed: Callable[[], None],
    ) -> None:
        self.grants = self.reports = self.halts = 0
        self.fleet: Fleet | None = None
        self.field = Field(events, policy, assumed, build, seed, self._hear)
        self._events = events
        self._changed = changed
        self._began = self._turned = events.now
        self._pause = max(PAUSE, assumed.devices / _LARGE)
        self._due: float | None = None
        self._at_rest: Summary | None = None

    @property
    def summary(self) -> Summary | None:
        return self._at_rest if self.fleet is None else self.fleet.summary

    def put(self, plan: Plan) -> None:
        """Take the operator's plan."""
        halted: tuple[str, ...] = ()
        if self.fleet is None and plan.mode == "Idle":
            self._at_rest = _resting(plan, self.field.devices, self._events.now)
            self._changed()
            return
        if self.fleet is None:
            self.fleet = Fleet(plan.fleet, plan)
            self.fleet.enrol(self.field.devices)
        else:
            halted = self.fleet.halted_digests
            self.fleet.adopt(plan, self._clock())
        self.field.pulse.told(plan)
        if self.fleet.halted_digests != halted:
            self._halt(self.fleet)
        self._turn_by(self._events.now)

    def _hear(self, device: SimulatedDevice, state: State) -> None:
        self.reports += 1
        device.state, device.seen_at = state, self._events.now
        if self.fleet is not None:
            self.fleet.report(device, self._clock())
            self._turn_by(self._events.now)

    def _turn_by(self, time: float) -> None:
        """Turn at ``time``, or as soon after it as the process would."""
        due = max(time + BATCH, self._turned + self._pause)
        if self._due is None or due < self._due:
            self._due = due
            self._events.at(due, self._turn, due)

    def _turn(self, due: float) -> None:
        fleet = self.fleet
        if due != self._due or fleet is None:
            return  # another turn came before
        self._due, self._turned = None, self._events.now
        before = fleet.version
        outcome = fleet.turn(self._clock(), _always, _BESIDE)
        for device, grant in outcome.grants:
            device.grant = grant
            self.field.grant(device)  # type: ignore[arg-type]
        self.grants += len(outcome.grants)
        if outcome.new_halt:
            self._halt(fleet)
        if fleet.version != before:
            self._changed()
        following = fleet.next_time()
        if following is not None:
            self._turn_by(following)

    def _halt(self, fleet: Fleet) -> None:
        self.halts += 1
        self.field.halt(fleet.halted_digests)

    def _clock(self) -> Clock:
        return Clock(self._events.now, self._began)


def _resting(plan: Plan, devices: Sequence[Device], now: float) -> Summary:
    """Say what a fleet says in which nothing is rolled out; nothing has to be decided for that."""
    running = Counter(d.state.active for d in devices if d.state is not None and d.state.active)
    return Summary(
        fleet=plan.fleet,
        serial=plan.serial,
        version=0,
        at=datetime.fromtimestamp(now, UTC),
        devices=len(devices),
        online=len(devices),
        running=dict(running),
        counts=Counts(total=len(devices), updated=len(devices)),
        exposed=len(devices),
    )


def _always(_digest: str) -> bool:
    """Tell that the blocks of an artefact are at the broker."""
    return True
