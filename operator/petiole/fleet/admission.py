"""Who may begin now, and who may apply: pace, disruption budget and windows of the plan. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from petiole.rollout import windows
from petiole.rollout.plan import Plan

from .lane import Lane
from .member import Member
from .roster import BACKOFF, BEGIN, Roster, variant_of
from .standing import Clock, Standing
from .watch import Begun, Pace

CLOSED = windows.Look(open=False)


@dataclass(frozen=True, slots=True)
class Doors:
    """Whether devices may download and apply now. ``problem``: a window that nobody can read."""

    download: windows.Look = CLOSED
    apply: windows.Look = CLOSED
    problem: str = ""

    @classmethod
    def at(cls, plan: Plan, now: float) -> Doors:
        """Look at the plan's windows; what cannot be read stays closed."""
        when = datetime.fromtimestamp(now, UTC)
        try:
            return cls(
                windows.look(plan.windows, "download", when),
                windows.look(plan.windows, "apply", when),
            )
        except ValueError as error:
            return cls(problem=f"nobody begins: {error}")

    @property
    def next_time(self) -> float | None:
        times = [look.until.timestamp() for look in (self.download, self.apply) if look.until]
        return min(times, default=None)


class Admission:
    """Fills free places in flight, first with those that wait to apply, then with new ones."""

    def __init__(self, roster: Roster, begun: Begun) -> None:
        self.roster = roster
        self.doors = Doors()
        self._begun = begun
        self._pace: Pace | None = None

    def admit(self, clock: Clock, ready: Callable[[str], bool]) -> None:
        """Let as many begin, or apply, as the plan allows at this time."""
        roster = self.roster
        pace = self.remembered(clock)
        self.doors = Doors.at(roster.plan, clock.now)
        self._keep_back()
        if not roster.terms.rolling:
            return
        roster.recall(roster.apply, ready)
        roster.recall(roster.begin, ready)
        if self.doors.apply.open:
            self._apply()
        if self.doors.download.open:
            self._begin(pace, clock, ready)

    def held_back(self) -> dict[str, int]:
        """Count those that the stage allows and that wait, by the reason."""
        if not self.roster.terms.rolling:
            return {}
        totals, doors = self.roster.totals, self.doors
        held = {"Backoff": totals.waits[BACKOFF]}
        waiting, blocked = totals.waits[BEGIN], totals.waits["DisruptionBudget"]
        if doors.download.open:
            held["Pace"], held["DisruptionBudget"] = waiting, blocked
        else:
            held[doors.download.reason or "DownloadWindow"] = waiting + blocked
        if kept := totals.standings[Standing.READY]:
            why = "Pace" if doors.apply.open else doors.apply.reason or "ApplyWindow"
            held[why] = held.get(why, 0) + kept
        return {why: count for why, count in held.items() if count}

    def next_time(self, now: float) -> float | None:
        """When a window opens or closes, or the pace allows more."""
        if not self.roster.terms.rolling:
            apply = self.doors.apply  # nobody is let go, but who is on his way is told to hold
            return apply.until.timestamp() if apply.open and apply.until else None
        times = [self.doors.next_time]
        per_minute = self.roster.plan.per_minute
        if self._pace is not None and self.roster.totals.waits[BEGIN]:
            times.append(self._pace.next if self._pace.left(per_minute, now) == 0 else None)
        return min((t for t in times if t is not None), default=None)

    def remembered(self, clock: Clock) -> Pace:
        """Return the pace; after a restart, those that began in the last minute still count."""
        if self._pace is None:
            self._pace = Pace()
            members = self.roster.members.values()
            begun = [(m.granted_at, 1) for m in members if m.granted_at is not None]
            for at, count in sorted([*self._begun, *begun]):
                if at > clock.now - Pace.MINUTE:
                    self._pace.add(at, count)
        return self._pace

    def keep_beginning(self, member: Member) -> None:
        """Keep when a member began that is forgotten, or begins again: the pace still counts it."""
        at, minute_ago = member.granted_at, self.roster.clock.now - Pace.MINUTE
        if at is None or at <= minute_ago:
            return
        begun: Counter[float] = Counter()
        for when, count in (*self._begun, (at, 1)):
            begun[when] += count
        self._begun[:] = [(when, count) for when, count in begun.items() if when > minute_ago]

    def _keep_back(self) -> None:
        """Devices on their way may apply while that is open, and only then; silent ones too."""
        closed = not self.doors.apply.open
        roster = self.roster
        if closed == roster.keeps_back or (not closed and not roster.terms.rolling):
            return
        roster.keeps_back = closed
        for member in roster.order:
            if closed != (member.released_at is None) and _on_its_way(roster.plan, member):
                roster.let_apply(member, hold=closed)

    def _apply(self) -> None:
        roster = self.roster
        while self._places() > 0 and (member := roster.apply.pop()) is not None:
            if self._has_room(roster.apply, member):
                roster.let_apply(member, hold=False)

    def _begin(self, pace: Pace, clock: Clock, ready: Callable[[str], bool]) -> None:
        roster = self.roster
        hold = not self.doors.apply.open
        while self._places() > 0 and pace.left(roster.plan.per_minute, clock.now) != 0:
            member = self._next(ready)
            if member is None:
                return
            variant = variant_of(roster.plan, member)
            if variant is None:
                continue  # `_next` gives none such
            missing = next((i.digest for i in variant.images if not ready(i.digest)), None)
            if missing is not None:
                roster.begin.lack(member, missing)
                roster.begin.free(roster.group(member))  # others of it may have theirs
                roster.settle(member)
            elif self._has_room(roster.begin, member):
                self.keep_beginning(member)
                roster.let_begin(member, hold=hold)
                pace.add(clock.now)

    def _next(self, ready: Callable[[str], bool]) -> Member | None:
        """Those that were passed over come before those that were never asked."""
        roster = self.roster
        roster.recall(roster.begin, ready)
        member = roster.begin.pop()
        if member is not None:
            return member
        end = min(roster.terms.limit, len(roster.order))
        while roster.cursor < end:
            member = roster.order[roster.cursor]
            roster.cursor += 1
            if roster.may_begin(member):
                return member
        return None

    def _has_room(self, lane: Lane, member: Member) -> bool:
        roster = self.roster
        group = roster.group(member)
        if roster.room(group) > 0:
            return True
        lane.stand_aside(member, group)
        roster.settle(member)
        return False

    def _places(self) -> int:
        return self.roster.plan.max_in_flight - len(self.roster.flying)


def _on_its_way(plan: Plan, member: Member) -> bool:
    """Tell whether it was let begin and does not run the target yet."""
    mark, variant = member.mark, variant_of(plan, member)
    if mark is None or variant is None or member.granted_at is None:
        return False
    busy = (Standing.OFFERED, Standing.DOWNLOADING, Standing.SILENT)
    return mark.standing in busy and not variant.has(mark.running)
