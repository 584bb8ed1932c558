"""One fleet: its plan, the frozen order of its devices, and what follows from both.

``evaluate`` reads devices and members and says what to grant, whether to stop, and the fleet's
summary. It changes members (who was granted) and the halt, never devices; it does no I/O.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from petiole.api.devicefleet import Counts
from petiole.rollout import cohort
from petiole.rollout.gates import judge
from petiole.rollout.plan import Evidence, Halt, Plan, Summary
from petiole.wire.messages import MAX_HALTS, Artefact, Grant, Reason

from . import evidence
from .devices import Device
from .grants import Case, artefact, wanted
from .standing import IN_FLIGHT, Clock, Member, Standing, standing, variant_for


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a fleet's summary says that the fleet itself does not know."""

    unknown_devices: int = 0
    samples: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one evaluation changed."""

    grants: list[tuple[Device, Grant]]
    members: list[Member]
    summary: Summary
    new_halt: bool


@dataclass(slots=True)
class Fleet:
    """``devices`` are those that the selector matches, in the frozen order of the target."""

    name: str
    plan: Plan
    version: int = 0
    halt: Halt | None = None
    members: dict[str, Member] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)
    looks: dict[str, Evidence] = field(default_factory=dict)
    looked: tuple[str, int] = ("", -1)
    summary: Summary | None = None

    @classmethod
    def from_row(cls, row: Any) -> Fleet:  # noqa: ANN401 - a row of any columns
        looks = [Evidence.model_validate(e) for e in row["evidence"]["looks"]]
        mark, look = row["evidence"]["looked"]
        return cls(
            name=row["name"],
            plan=Plan.model_validate(row["plan"]),
            version=row["version"],
            halt=None if row["halt"] is None else Halt.model_validate(row["halt"]),
            looks={e.gate: e for e in looks},
            looked=(mark, look),
        )

    def row(self) -> dict[str, Any]:
        looks = [e.model_dump(mode="json") for e in self.looks.values()]
        return {
            "name": self.name,
            "plan": self.plan.model_dump(mode="json"),
            "version": self.version,
            "halt": None if self.halt is None else self.halt.model_dump(mode="json"),
            "evidence": {"looks": looks, "looked": list(self.looked)},
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
            own = [v.digest for v in self.plan.target.variants.values()]
        ordered = dict.fromkeys([*own, *reversed(self.plan.halted_digests)])
        return tuple(ordered)[:MAX_HALTS]

    def adopt(self, plan: Plan) -> bool:
        """Take a plan; True when it begins with another target, so that members start anew."""
        anew = self.revision != (plan.target.number if plan.target else 0)
        self.plan = plan
        if anew:
            self.halt, self.looks, self.looked, self.members = None, {}, ("", -1), {}
        return anew

    def enrol(self, devices: Iterable[Device]) -> list[Member]:
        """Say which devices the fleet has; returns the members that are new or changed.

        The order of those known is kept; new ones follow.
        """
        by_id = {d.id: d for d in devices}
        fresh = [i for i in cohort.order(self.revision, by_id) if i not in self.members]
        first = 1 + max((m.position for m in self.members.values()), default=-1)
        added = [Member(device, first + n) for n, device in enumerate(fresh)]
        self.members.update((m.device, m) for m in added)
        self.devices = sorted(by_id.values(), key=lambda d: self.members[d.id].position)
        changed = [m for d in self.devices if (m := self.observe(d)) is not None]
        return [*added, *changed]

    def observe(self, device: Device) -> Member | None:
        """Learn from a device's newest report; the member when it changed."""
        member = self.members[device.id]
        changed = member.observe(device.state, variant_for(self.plan.target, device.state))
        return member if changed else None

    def evaluate(self, clock: Clock, ready: Callable[[str], bool], around: Surroundings) -> Outcome:
        """``ready`` tells whether the blocks of an artefact are at the broker."""
        looks, new_halt, problems = self._judge(clock)
        withdrawn = self.plan.mode == "Reverting" or self.halted
        stands = {d.id: self._standing(d, withdrawn, clock) for d in self.devices}
        grants, changed = self._grant(stands, clock, ready)
        summary = self._summarise(stands, clock, around, looks, problems)
        return Outcome(grants, changed, summary, new_halt)

    def _standing(self, device: Device, withdrawn: bool, clock: Clock) -> Standing:
        member = self.members[device.id]
        return standing(self.plan, withdrawn, member, device.state, device.seen_at, clock)

    # --- gates ------------------------------------------------------------------------------------

    def _judge(self, clock: Clock) -> tuple[tuple[Evidence, ...], bool, list[str]]:
        """Evidence of all gates; a stop when one fails; what is wrong with a gate."""
        gathered = self._gather(clock)
        if self.plan.mode != "Rolling" or self.halted or self.plan.stage is None:
            return gathered, False, []
        by_name = {g.name: g for g in self.plan.gates}
        problems: list[str] = []
        for found in gathered:
            try:
                verdict = judge(by_name[found.gate], found)
            except ValueError as error:
                problems.append(str(error))
                continue
            if verdict.verdict == "Fail":
                at = datetime.fromtimestamp(clock.now, UTC)
                self.halt = Halt(
                    revision=self.revision, gate=found.gate, at=at, message=verdict.message
                )
                return gathered, True, problems
        return gathered, False, problems

    def _gather(self, clock: Clock) -> tuple[Evidence, ...]:
        if self.plan.target is None:
            return ()
        look = evidence.look(self.plan, clock.now)
        self._look_again(look)
        members = [self.members[d.id] for d in self.devices]
        return tuple(
            evidence.outcome(gate, members, look)
            if gate.outcome is not None
            else self.looks[gate.name]
            for gate in self.plan.gates
            if gate.outcome is not None or gate.name in self.looks
        )

    def _look_again(self, look: int) -> None:
        """Metric gates are looked at once an interval: every look spends error."""
        looked = (evidence.stage_mark(self.plan), look)
        frozen = self.plan.mode != "Rolling" or self.halted or self.plan.stage is None
        if frozen or looked == self.looked:
            return
        self.looked = looked
        self.looks = {
            gate.name: evidence.confidence(gate, self.plan, self.members, self.devices, look)
            for gate in self.plan.gates
            if gate.metric is not None
        }

    # --- grants -----------------------------------------------------------------------------------

    def _grant(
        self, stands: dict[str, Standing], clock: Clock, ready: Callable[[str], bool]
    ) -> tuple[list[tuple[Device, Grant]], list[Member]]:
        limit = self.plan.stage.limit if self.plan.stage else 0
        free = self.plan.max_in_flight - sum(s in IN_FLIGHT for s in stands.values())
        grants: list[tuple[Device, Grant]] = []
        changed: list[Member] = []
        for position, device in enumerate(self.devices):
            may_begin = position < limit and free > 0 and stands[device.id] is Standing.PENDING
            given = self._choose(device, may_begin, ready)
            member = self.members[device.id]
            if given is not None and member.granted_at is None and self._is_target(device, given):
                member.granted_at = clock.now
                changed.append(member)
                free -= 1
            grant = self._grant_of(given)
            if not _same(device.grant, grant):
                grants.append((device, grant))
        return grants, changed

    def _choose(
        self, device: Device, admitted: bool, ready: Callable[[str], bool]
    ) -> Artefact | None:
        member, state = self.members[device.id], device.state
        current = device.grant.artefact if device.grant else None
        chosen = wanted(
            Case(
                mode=self.plan.mode,
                halted=self.halted,
                target=artefact(variant_for(self.plan.target, state)),
                stable=artefact(variant_for(self.plan.stable, state)),
                current=current,
                running=state.active if state else None,
                exposed=member.exposed,
                failed=member.failed is not None,
                granted=member.granted_at is not None,
                admitted=admitted,
            )
        )
        return chosen if chosen is None or ready(chosen.digest) else current

    def _is_target(self, device: Device, given: Artefact) -> bool:
        target = variant_for(self.plan.target, device.state)
        return target is not None and target.digest == given.digest

    def _grant_of(self, given: Artefact | None) -> Grant:
        return Grant(
            serial=self.plan.serial,
            fleet=self.name,
            interval=round(self.plan.interval_seconds * 1000),
            samples=self.plan.samples_per_day,
            artefact=given,
        )

    # --- summary ----------------------------------------------------------------------------------

    def _summarise(
        self,
        stands: dict[str, Standing],
        clock: Clock,
        around: Surroundings,
        looks: tuple[Evidence, ...],
        problems: list[str],
    ) -> Summary:
        members = [self.members[d.id] for d in self.devices]
        states = [d.state for d in self.devices if d.state is not None]
        counted = Counter(stands.values())
        failed = [m.failed for m in members if m.failed is not None]
        fresh = Summary(
            fleet=self.name,
            serial=self.plan.serial,
            version=self.version,
            at=datetime.fromtimestamp(clock.now, UTC),
            devices=len(self.devices),
            online=sum(d.online for d in self.devices),
            running=dict(Counter(s.active for s in states if s.active is not None)),
            counts=Counts(
                total=len(self.devices), **{s.value: counted.get(s, 0) for s in Standing}
            ),
            exposed=sum(m.exposed for m in members),
            reasons=dict(Counter(Reason(f).word for f in failed)),
            evidence=looks,
            halt=self.halt,
            samples=around.samples,
            unknown_devices=around.unknown_devices,
            problems=(*around.problems, *problems),
        )
        return self._number(fresh)

    def _number(self, fresh: Summary) -> Summary:
        """Keep the old summary unless something changed; a change raises the version."""
        old = self.summary
        if old is not None and fresh.model_copy(update={"at": old.at}) == old:
            return old
        self.version += 1
        self.summary = fresh.model_copy(update={"version": self.version})
        return self.summary


def _same(old: Grant | None, new: Grant) -> bool:
    """Equal but for the serial: a new plan alone is no reason to write to every device."""
    return old is not None and (old.fleet, old.interval, old.samples, old.artefact) == (
        new.fleet,
        new.interval,
        new.samples,
        new.artefact,
    )
