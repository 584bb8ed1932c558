"""Who leads among several operators: what one of them may do next. Pure: time is an argument.

The rules are those of client-go's leaderelection (Gray and Cheriton 1989 on leases). A candidate
trusts no clock but its own: it takes a Lease that it has seen unchanged for the Lease's whole life.
A leader counts from before it asked for the last renewal, and gives up a third of that life before
anybody can follow, so that no two ever act.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Terms:
    """Times in seconds, all from the life of a Lease."""

    life: int

    @property
    def give_up(self) -> float:
        """A leader without a renewal stops acting after this."""
        return self.life * 2 / 3

    @property
    def renew(self) -> float:
        """Between two renewals of a leader, and two looks of a candidate."""
        return self.life / 6


@dataclass(frozen=True, slots=True)
class Record:
    """What a Lease says: its holder ("" for none), its life in seconds, and which writing it is."""

    holder: str
    life: float
    version: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write the Lease: this process is the holder, from now on or still."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Act no more: another may lead."""

    why: str


Action = Write | Wait | Stop


@dataclass(frozen=True, slots=True)
class Standing:
    """One process: the Lease as it saw it last, and its own lead. Times are its own clock's."""

    me: str
    terms: Terms
    record: Record | None = None  # None: there is no Lease
    since: float = 0.0  # when the record was first seen as it is
    renewed: float | None = None  # when the last renewal was asked for; None: it does not lead

    def saw(self, record: Record | None, now: float) -> Standing:
        """Return what follows of a look at the Lease; ``now`` is after the answer came."""
        if record == self.record:
            return self
        return replace(self, record=record, since=now)

    def wrote(self, record: Record, begun: float) -> Standing:
        """Return what follows of a write that was asked for at ``begun``."""
        return replace(self, record=record, since=begun, renewed=begun)

    def leads(self, now: float) -> bool:
        """Tell whether nobody else can lead, whatever became of the API server."""
        return self.renewed is not None and now < self.renewed + self.terms.give_up

    def next(self, now: float) -> Action:
        """Return what to do now."""
        if self.renewed is None:
            return self._follow(now)
        return self._lead(self.renewed, now)

    def _follow(self, now: float) -> Action:
        # One's own name: an earlier process under it, which is dead (see Election).
        if self.record is None or self.record.holder in ("", self.me):
            return Write()
        left = self.since + self.record.life - now
        return Write() if left <= 0 else Wait(min(left, self.terms.renew))

    def _lead(self, renewed: float, now: float) -> Action:
        if self.record is None:
            return Stop("the Lease was deleted")
        if self.record.holder != self.me:
            return Stop(f"{self.record.holder or 'somebody'} took the Lease")
        if not self.leads(now):
            return Stop(f"the Lease could not be renewed for {self.terms.give_up:g} s")
        left = renewed + self.terms.renew - now
        return Write() if left <= 0 else Wait(left)
