"""One fleet: its plan, the frozen order of its devices, and what follows from both. Pure.

A report costs O(1), a turn O(what changed). ``turn`` says what to grant, whether to stop, and the
fleet's summary. It changes members (who was granted) and the halt, never devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from petiole.api.devicefleet import Counts
from petiole.rollout.gates import judge
from petiole.rollout.plan import Evidence, Halt, Plan, Summary
from petiole.wire.messages import MAX_HALTS, Grant, Patch, Reason

from . import evidence
from .admission import Admission
from .devices import Device
from .grants import Given, Granter, given, same
from .member import Member
from .roster import Roster
from .standing import Clock, Standing, Terms
from .watch import Begun


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a fleet's summary says that the fleet itself does not know.

    ``patches`` are what its grants say besides: by the digest of the artefact that they make.
    """

    unknown_devices: int = 0
    samples: int = 0
    problems: tuple[str, ...] = ()
    patches: Mapping[str, Patch] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one turn changed. After a ``new_halt`` the next turn says what to take back."""

    grants: list[tuple[Device, Grant]]
    members: list[Member]
    summary: Summary
    new_halt: bool


class Fleet:
    """``looks`` is the evidence of the metric gates when they were ``looked`` at last.

    ``begun``: when how many began in the last minute of which no member tells, for the pace.
    """

    def __init__(
        self, name: str, plan: Plan, *, version: int = 0, halt: Halt | None = None
    ) -> None:
        self.name = name
        self.plan = plan
        self.version = version
        self.halt = halt
        self.looks: dict[str, Evidence] = {}
        self.looked: tuple[str, int] = ("", -1)
        self.begun: Begun = []
        self.summary: Summary | None = None
        self.gathered: tuple[Evidence, ...] = ()
        self._gate_problems: tuple[str, ...] = ()
        self._judged: tuple[object, ...] = ()
        self._told: tuple[object, ...] = ()
        self._lacking: dict[str, dict[Member, None]] = {}
        self._granter = Granter(plan)
        self._begin_rollout()

    def _begin_rollout(self) -> None:
        self._lacking.clear()  # members of an earlier rollout were let begin something else
        self.roster = Roster(Terms.of(self.plan, halted=self.halted))
        self.admission = Admission(self.roster, self.begun)

    @classmethod
    def from_row(cls, row: Any) -> Fleet:  # noqa: ANN401 - a row of any columns
        fleet = cls(
            name=row["name"],
            plan=Plan.model_validate(row["plan"]),
            version=row["version"],
            halt=None if row["halt"] is None else Halt.model_validate(row["halt"]),
        )
        looks = [Evidence.model_validate(e) for e in row["evidence"]["looks"]]
        mark, look = row["evidence"]["looked"]
        fleet.looks, fleet.looked = {e.gate: e for e in looks}, (mark, look)
        fleet.begun = [(at, count) for at, count in row["evidence"].get("begun", [])]
        fleet.admission = Admission(fleet.roster, fleet.begun)
        return fleet

    def row(self) -> dict[str, Any]:
        looks = [e.model_dump(mode="json") for e in self.looks.values()]
        return {
            "name": self.name,
            "plan": self.plan.model_dump(mode="json"),
            "version": self.version,
            "halt": None if self.halt is None else self.halt.model_dump(mode="json"),
            "evidence": {"looks": looks, "looked": list(self.looked), "begun": self.begun},
        }

    @property
    def revision(self) -> int:
        """Number of the target revision; 0 without one."""
        return 0 if self.plan.target is None else self.plan.target.number

    @property
    def halted(self) -> bool:
        """Nobody may begin the target revision."""
        own = self.halt is not None and self.halt.revision == self.revision
        return own or self.revision in self.plan.halted

    @property
    def halted_digests(self) -> tuple[str, ...]:
        """For the halt topic: the gateway's own stop first, then the newest of the plan's."""
        own: list[str] = []
        if self.halt is not None and self.plan.target is not None:
            own = [image.digest for image in self.plan.target.images]
        ordered = dict.fromkeys([*own, *reversed(self.plan.halted_digests)])
        return tuple(ordered)[:MAX_HALTS]

    @property
    def members(self) -> dict[str, Member]:
        return self.roster.members

    # --- what the operator says -------------------------------------------------------------------

    def adopt(self, plan: Plan, clock: Clock) -> list[Member]:
        """Take a plan. One with another target begins anew: returns the members then forgotten."""
        before, self.plan = self.plan, plan
        self.roster.clock = clock
        self._granter = Granter(plan)
        if _name(plan) == _name(before):
            self.roster.adopt(Terms.of(plan, halted=self.halted))
            if plan.attempt > before.attempt:
                self.roster.try_again()
            return []
        forgotten = self.roster
        self.begun = self.admission.remembered(clock).begun(clock.now)
        self.halt, self.looks, self.looked = None, {}, ("", -1)
        self._begin_rollout()
        self.roster.clock = clock
        self.roster.enrol(m.device for m in forgotten.order if m.device is not None)
        return list(forgotten.members.values())

    def enrol(self, devices: Iterable[Device]) -> None:
        """Let devices take part; new ones come behind those that are there already."""
        self.roster.enrol(devices)

    def dismiss(self, devices: Iterable[Device]) -> None:
        """Let devices go."""
        self.roster.dismiss(devices)

    def forget(self, device: str) -> Member | None:
        """Let a device go with all that it did here; returns what was known of it.

        If it began just now, that still counts for the pace.
        """
        member = self.roster.forget(device)
        if member is not None:
            self.admission.keep_beginning(member)
        return member

    def relabel(self) -> None:
        """Note that labels of devices changed: budgets and clusters are counted anew."""
        self.roster.stale = True

    # --- what devices say -------------------------------------------------------------------------

    def report(self, device: Device, clock: Clock) -> Member | None:
        """Learn from a device's newest state; the member when something to be stored changed."""
        self.roster.clock = clock
        member = self.members[device.id]
        return member if self.roster.report(member) else None

    def heard(self, device: Device) -> None:
        """Note statistics: the device lives."""
        self.roster.heard(self.members[device.id])

    def presence(self, device: Device) -> None:
        """Note that the device came or went."""
        self.roster.settle(self.members[device.id])

    # --- decide -----------------------------------------------------------------------------------

    def turn(
        self,
        clock: Clock,
        ready: Callable[[str], bool],
        around: Surroundings,
        at_once: int | None = None,
    ) -> Outcome:
        """Decide. ``ready`` tells whether the blocks of an artefact are at the broker.

        At most ``at_once`` grants are looked at; while others are left, ``next_time`` is now.
        """
        roster = self.roster
        roster.clock = clock
        if roster.stale:
            roster.recount()
        roster.pass_time(clock)
        new_halt = self._judge(clock)
        grants: list[tuple[Device, Grant]] = []
        if new_halt:
            roster.adopt(Terms.of(self.plan, halted=True))
        else:
            self.admission.admit(clock, ready)
            self._granter.use(around.patches)
            grants = self._regrant(ready, at_once)
        members, roster.changed = list(roster.changed), {}
        return Outcome(grants, members, self._summarise(clock, around), new_halt)

    def next_time(self) -> float | None:
        """When time alone changes something; a time that has passed: now. None: never."""
        roster = self.roster
        if roster.stale or roster.dirty:
            return roster.clock.now
        times = [roster.next_time, self.admission.next_time(roster.clock.now), self._next_look()]
        return min((t for t in times if t is not None), default=None)

    # --- gates ------------------------------------------------------------------------------------

    def _judge(self, clock: Clock) -> bool:
        """Judge the gates by what is new; True when one fails now and stops the revision."""
        rolling = self.roster.terms.rolling
        self._look_again(clock)
        totals = self.roster.totals
        judged = (self.plan.gates, rolling, self.looked, len(self.roster.order), id(totals))
        if judged == self._judged and not totals.evidence_changed:
            return False
        self._judged, totals.evidence_changed = judged, False
        self.gathered = self._gather()
        self._gate_problems = ()
        if not rolling:
            return False
        by_name = {g.name: g for g in self.plan.gates}
        for found in self.gathered:
            try:
                verdict = judge(by_name[found.gate], found)
            except ValueError as error:
                self._gate_problems += (str(error),)
                continue
            if verdict.verdict == "Fail":
                at = datetime.fromtimestamp(clock.now, UTC)
                self.halt = Halt(
                    revision=self.revision, gate=found.gate, at=at, message=verdict.message
                )
                return True
        return False

    def _gather(self) -> tuple[Evidence, ...]:
        if self.plan.target is None:
            return ()
        roster = self.roster
        return tuple(
            roster.totals.evidence(gate, roster.began, len(roster.order))
            if gate.outcome is not None
            else self.looks[gate.name]
            for gate in self.plan.gates
            if gate.outcome is not None or gate.name in self.looks
        )

    def _look_again(self, clock: Clock) -> None:
        """Metric gates are looked at once an interval: every look spends error."""
        look = evidence.look(self.plan, clock.now)
        looked = (evidence.stage_mark(self.plan), look)
        if not self.roster.terms.rolling or looked == self.looked:
            return
        self.looked = looked
        devices = [m.device for m in self.roster.order if m.device is not None]
        self.looks = {
            gate.name: evidence.gathered(gate, self.plan, self.members, devices, look)
            for gate in self.plan.gates
            if gate.metric is not None
        }

    def _next_look(self) -> float | None:
        plan = self.plan
        metric = any(gate.metric is not None for gate in plan.gates)
        if not metric or not self.roster.terms.rolling or plan.stage is None:
            return None
        look = evidence.look(plan, self.roster.clock.now) + 1
        return plan.stage.started_at.timestamp() + look * plan.interval_seconds

    # --- grants -----------------------------------------------------------------------------------

    def _regrant(
        self, ready: Callable[[str], bool], at_once: int | None
    ) -> list[tuple[Device, Grant]]:
        """Write to those whose grant changed."""
        roster, granter = self.roster, self._granter
        granter.halted = self.halted
        for digest in [d for d in self._lacking if ready(d)]:
            roster.dirty.update(self._lacking.pop(digest))
        dirty = list(islice(roster.dirty, at_once))
        for member in dirty:
            del roster.dirty[member]
        grants = []
        for member in dirty:
            device = member.device
            if device is None:
                continue
            kinds = (self.plan.kind, granter.other_kind)
            wanted = (granter.choose(member, device), granter.rest(device))
            chosen, rest = (
                self._there(member, new, given(kind, device.grant), ready)
                for kind, new in zip(kinds, wanted, strict=True)
            )
            grant = granter.grant(chosen, rest, member)
            if not same(device.grant, grant, device.state):
                grants.append((device, grant))
        return grants

    def _there(
        self, member: Member, new: Given | None, old: Given | None, ready: Callable[[str], bool]
    ) -> Given | None:
        """Return ``new`` once its blocks are at the broker, ``old`` until then."""
        missing = new.missing(ready) if new is not None else None
        if missing is None:
            return new
        self._lacking.setdefault(missing, {})[member] = None
        return old

    # --- summary ----------------------------------------------------------------------------------

    def _summarise(self, clock: Clock, around: Surroundings) -> Summary:
        """Keep the old summary unless something changed; a change raises the version."""
        roster, totals = self.roster, self.roster.totals
        told = (
            self.plan.serial,
            len(roster.order),
            totals.online,
            tuple(totals.standings.values()),
            dict(totals.running),
            dict(totals.boards),
            dict(totals.gave_up),
            totals.exposed,
            dict(totals.reasons),
            self.admission.held_back(),
            self.gathered,
            self.halt,
            around,
            self._gate_problems,
            self.admission.doors.problem,
        )
        if self.summary is not None and told == self._told:
            return self.summary
        self._told = told
        self.version += 1
        problems = (*self._gate_problems, self.admission.doors.problem)
        self.summary = Summary(
            fleet=self.name,
            serial=self.plan.serial,
            version=self.version,
            at=datetime.fromtimestamp(clock.now, UTC),
            devices=len(roster.order),
            online=totals.online,
            running=dict(totals.running),
            boards=dict(totals.boards),
            gave_up=dict(totals.gave_up),
            counts=Counts(
                total=len(roster.order), **{s.value: totals.standings[s] for s in Standing}
            ),
            exposed=totals.exposed,
            reasons={Reason(f).word: count for f, count in totals.reasons.items()},
            held_back=self.admission.held_back(),
            evidence=self.gathered,
            halt=self.halt,
            samples=around.samples,
            unknown_devices=around.unknown_devices,
            problems=(*around.problems, *(p for p in problems if p)),
        )
        return self.summary


def _name(plan: Plan) -> str:
    """Name what a plan rolls out; empty for nothing."""
    return plan.target.name if plan.target is not None else ""
