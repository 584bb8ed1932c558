"""The members of one rollout: their frozen order, where each stands, and what all add up to. Pure.

A member is looked at again when something about it changed (``settle``), or when its time came
(``pass_time``). All are looked at again (``recount``) only when the terms of all changed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable

from petiole.rollout import cohort
from petiole.rollout.plan import Plan, Variant
from petiole.wire.messages import State

from .devices import Device
from .lane import Group, Lane
from .member import MAX_ATTEMPT, Mark, Member
from .standing import IN_FLIGHT, Clock, Standing, Terms, gave_up, running, standing, variant_for
from .totals import Totals
from .watch import Watch

BEGIN, BACKOFF = "Begin", "Backoff"  # why a member waits; or what ``Member.blocked`` says
HARDWARE = "hardware"  # the label that the reported class stands in for


class Roster:
    """``members`` are all that the rollout ever had, ``order`` those that the fleet has now.

    ``dirty`` are members whose grant may have to change, ``changed`` those to be stored.
    ``cursor``: everyone before this place was asked whether it may begin. ``keeps_back``: those in
    flight were told to hold.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.members: dict[str, Member] = {}
        self.order: list[Member] = []
        self.began = 0
        self.clock = Clock(0.0, 0.0)
        self.dirty: dict[Member, None] = {}
        self.changed: dict[Member, None] = {}
        self.stale = True
        self._reset()

    def _reset(self) -> None:
        self.totals = Totals()
        self.groups: Counter[Group] = Counter()
        self.flying: dict[Member, None] = {}
        self.begin, self.apply = Lane(), Lane()
        self.cursor = 0
        self.keeps_back: bool | None = None
        self._silence, self._backoff = Watch(), Watch()

    @property
    def plan(self) -> Plan:
        return self.terms.plan

    # --- who takes part ---------------------------------------------------------------------------

    def load(self, member: Member) -> None:
        """Know a member that an earlier process stored."""
        self.members[member.id] = member
        self.began = max(self.began, 1 + (-1 if member.began is None else member.began))

    def enrol(self, devices: Iterable[Device]) -> None:
        """Let devices take part; new ones come behind those that are there already."""
        joining = {d.id: d for d in devices}
        revision = self.plan.target.name if self.plan.target else "0"
        fresh = [d for d in joining if d not in self.members]
        strata = {d: _strata(self.plan, joining[d]) for d in fresh if self.plan.stratify_by}
        first = 1 + max((m.position for m in self.members.values()), default=-1) if fresh else 0
        for number, device in enumerate(cohort.order(revision, fresh, strata)):
            member = self.members[device] = Member(
                device, first + number, attempt=_attempt(self.plan, joining[device])
            )
            self.changed[member] = None
        joined = [self.members[d] for d in joining if self.members[d].device is None]
        for member in joined:
            member.device, member.mark, member.lane = joining[member.id], None, None
            member.blocked, member.watched, member.silent = "", math.inf, False
            self._observe(member)
        joined.sort(key=lambda m: m.position)
        if self.order and joined and joined[0].position < self.order[-1].position:
            self.stale = True
        self.order += joined
        self._line_up(len(self.order) - len(joined))

    def dismiss(self, devices: Iterable[Device]) -> None:
        """Let devices go. Their places in the order stay theirs, should they come back."""
        for device in devices:
            member = self.members.get(device.id)
            if member is not None:
                member.device, member.place = None, -1
                self.dirty.pop(member, None)
        self.order = [m for m in self.order if m.device is not None]
        self.stale = True

    def forget(self, device: str) -> Member | None:
        """Forget all that this device did in the rollout; returns what is then to be deleted.

        Should it come back it is a new one, behind all others. The numbers of those that began
        stay theirs.
        """
        member = self.members.get(device)
        if member is None:
            return None
        if member.device is not None:
            self.dismiss([member.device])
        self.changed.pop(member, None)
        return self.members.pop(device)

    def _line_up(self, start: int) -> None:
        if self.stale:
            return
        for place in range(start, len(self.order)):
            member = self.order[place]
            member.place = place
            self.dirty[member] = None
            self._count_cluster(member)
            self.settle(member)

    # --- what happens -----------------------------------------------------------------------------

    def report(self, member: Member) -> bool:
        """Learn from the newest state of a device; True when something to be stored changed."""
        member.silent = False
        changed = self._observe(member)
        self.dirty[member] = None
        self.settle(member)
        return changed

    def heard(self, member: Member) -> None:
        """Note a sign of life that says nothing about the rollout."""
        if member.silent:
            member.silent = False
            self.settle(member)

    def _observe(self, member: Member) -> bool:
        state, plan = _state(member), self.plan
        variant = variant_for(plan.target, state)
        if state is None or variant is None:
            return False
        begins = member.begins(plan, state, variant)
        if begins:
            member.began = self.began
            self.began += 1
            if not self.stale and member.place >= 0:
                self._count_cluster(member)
        changed = member.observe(plan, state, variant, self.clock.now) or begins
        if changed:
            self.changed[member] = None
        return changed

    def pass_time(self, clock: Clock) -> None:
        """Find those that have been silent for too long, and those whose backoff is over."""
        self.clock = clock
        for member in self._silence.due(clock.now):
            member.watched = math.inf
            if member.device is not None and clock.now >= self._deadline(member):
                member.silent = True
            self.settle(member)
        for member in self._backoff.due(clock.now):
            self.settle(member)

    @property
    def next_time(self) -> float | None:
        times = [t for t in (self._silence.next, self._backoff.next) if t is not None]
        return min(times, default=None)

    def adopt(self, terms: Terms) -> None:
        """Go on under other terms; all are looked at again unless only the stage grew."""
        before, self.terms = self.terms, terms
        if before == terms or self.stale:
            return
        if not _only_grew(before, terms):
            self.stale = True
            return
        for member in self.order[before.limit : terms.limit]:
            self.settle(member)

    def try_again(self) -> None:
        """Let all who gave up try again."""
        for member in self.order:
            if (member.failed is not None or member.retry_at is not None) and not member.confirmed:
                member.try_again(self.clock.now)
                self.changed[member] = None
        self.stale = True

    # --- where everyone stands --------------------------------------------------------------------

    def recount(self) -> None:
        """Look at all again, from nothing."""
        self._reset()
        self.stale = False
        self.order.sort(key=lambda m: m.position)
        for place, member in enumerate(self.order):
            member.place, member.mark, member.lane, member.blocked = place, None, None, ""
            member.watched = math.inf
            member.silent = member.silent and self.clock.now >= self._deadline(member)
            self.dirty[member] = None
            self._count_cluster(member)
        for member in self.order:
            self.settle(member)

    def settle(self, member: Member) -> None:
        """Count a member for what it is now, and queue or watch it accordingly."""
        if self.stale or member.device is None:
            return
        device, old = member.device, member.mark
        state = device.state
        variant = variant_for(self.terms.plan.target, state)
        found, asked = standing(self.terms, member, state, variant)
        keeps = self.terms.watches and member.confirmed and found is Standing.UPDATED
        if not asked and not keeps:
            member.silent = False
        if member.silent and asked:
            found = Standing.SILENT
        waits = self._waits(member, variant) if found is Standing.PENDING else ""
        new = Mark(
            found,
            waits,
            running(self.plan.kind, state) if state else None,
            device.online,
            member.exposed,
            member.failed,
            member.finished,
            member.confirmed,
            keeps and member.silent,
            state.caps.target if state and state.caps.firmware else None,
            gave_up(self.plan, device),
        )
        if new != old:
            member.mark = new
            self.totals.move(member, old, new, self.cluster(member))
            self._fly(member, found)
        if (asked or keeps) and not member.silent:
            self._await(member)
        if waits == BACKOFF and (old is None or old.waits != BACKOFF):
            self._backoff.add(member, member.retry_at or 0.0)
        self._queue(member, found, waits)

    def let_begin(self, member: Member, *, hold: bool) -> None:
        """Ask a device to fetch the target; with ``hold`` it must not run it yet."""
        member.granted_at, member.retry_at, member.silent = self.clock.now, None, False
        self.let_apply(member, hold=hold)

    def let_apply(self, member: Member, *, hold: bool) -> None:
        """Let a device that was asked to fetch the target run it, or not yet."""
        member.released_at = None if hold else self.clock.now
        if hold and self.clock.now >= self._deadline(member):
            member.silent = True  # to be let go was no sign of life
        self.changed[member] = self.dirty[member] = None
        self.settle(member)

    def may_begin(self, member: Member) -> bool:
        return member.mark is not None and member.mark.waits == BEGIN

    def group(self, member: Member) -> Group:
        """Whose disruption budget it takes from; without the labels it is a group of its own."""
        disruption = self.plan.disruption
        labels = member.device.labels if member.device else {}
        if disruption is None:
            return ()
        values = [labels.get(name) for name in disruption.group_by]
        return tuple(v for v in values if v is not None) if None not in values else ("", member.id)

    def room(self, group: Group) -> int:
        """How many more of ``group`` may be in flight."""
        disruption = self.plan.disruption
        return len(self.order) if disruption is None else (
            disruption.max_unavailable - self.groups[group]
        )  # fmt: skip

    def recall(self, lane: Lane, ready: Callable[[str], bool]) -> None:
        """Queue those again whose group has room now, or whose artefact is there."""
        for member in lane.recall(self.room, ready):
            self.settle(member)

    def cluster(self, member: Member) -> str:
        label = self.plan.cluster_by
        return member.device.labels.get(label, "") if label and member.device else ""

    def _waits(self, member: Member, variant: Variant | None) -> str:
        """Say why a pending member has not begun, if the stage allows it."""
        terms = self.terms
        if not terms.rolling or variant is None or member.failed is not None:
            return ""
        if member.place >= terms.limit:
            return ""
        if member.retry_at is None:
            return (member.blocked or BEGIN) if member.granted_at is None else ""
        return BACKOFF if member.retry_at > self.clock.now else member.blocked or BEGIN

    def _queue(self, member: Member, found: Standing, waits: str) -> None:
        if waits and waits != BACKOFF:
            if member.place < self.cursor:
                self.begin.push(member)
        elif found is Standing.READY:
            self.apply.push(member)
        elif member.lane is not None:
            member.lane.free(self.group(member))  # it may have been asked before others of it
            member.lane, member.blocked = None, ""

    def _fly(self, member: Member, found: Standing) -> None:
        flies = found in IN_FLIGHT
        if flies == (member in self.flying):
            return
        group = self.group(member)
        if flies:
            self.flying[member] = None
            self.groups[group] += 1
            return
        del self.flying[member]
        self.groups[group] -= 1
        if not self.groups[group]:
            del self.groups[group]
        self.begin.free(group)
        self.apply.free(group)

    def _count_cluster(self, member: Member) -> None:
        if member.began is not None:
            self.totals.begin(self.cluster(member))

    def _await(self, member: Member) -> None:
        """Look at the deadline whether it was kept, or before: one that moves later is found then.

        Told to hold, a device is no longer waited for from its release on: that moves it earlier.
        """
        at = self._deadline(member)
        if at < member.watched:
            member.watched = at
            self._silence.add(member, at)

    def _deadline(self, member: Member) -> float:
        """Until when it must be heard."""
        device, plan = member.device, self.plan
        asked = max(member.released_at or 0.0, member.granted_at or 0.0)
        if asked == 0.0 and plan.stage is not None:
            asked = plan.stage.started_at.timestamp()
        seen = device.seen_at or 0.0 if device is not None else 0.0
        return max(asked, seen, self.clock.hearing_since) + plan.no_report_after_seconds


def _only_grew(before: Terms, after: Terms) -> bool:
    """Tell whether the stage's limit is all that standings depend on and that changed."""
    old, new = before.plan, after.plan
    if after.limit < before.limit or (old.stage is None) != (new.stage is None):
        return False
    same = (old.mode, old.target, old.stable, old.other) == (
        new.mode,
        new.target,
        new.stable,
        new.other,
    )
    flags = (before.withdrawn, before.rolling, before.watches)
    return same and flags == (after.withdrawn, after.rolling, after.watches) and all(
        getattr(old, name) == getattr(new, name)
        for name in (
            "disruption", "cluster_by", "no_report_after_seconds", "interval_seconds",
            "samples_per_day", "shadow",
        )
    )  # fmt: skip


def _state(member: Member) -> State | None:
    return member.device.state if member.device else None


def _attempt(plan: Plan, device: Device) -> int:
    """Return the number of a new member's first try.

    A device goes on saying that it gave up the target, also when that was in a rollout before: a
    plan of a later attempt lets it try again.
    """
    state, variant = device.state, variant_for(plan.target, device.state)
    if plan.attempt == 0 or state is None or variant is None or not variant.has(state.target):
        return 0
    return min(state.attempt + 1, MAX_ATTEMPT)


def _strata(plan: Plan, device: Device) -> tuple[str, ...]:
    """Values of the labels that every stage has its share of."""
    return tuple(_label(device, name) for name in plan.stratify_by)


def _label(device: Device, name: str) -> str:
    value = device.labels.get(name, "")
    if not value and name == HARDWARE and device.state is not None:
        return device.state.caps.target
    return value


def variant_of(plan: Plan, member: Member) -> Variant | None:
    """Return the target's artefact for this member."""
    return variant_for(plan.target, _state(member))
