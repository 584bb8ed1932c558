"""A device in one rollout: what happened to it, and what it counts for. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from petiole.api.base import seconds
from petiole.api.rollout import Retries
from petiole.rollout.plan import Plan, Variant
from petiole.wire.messages import Phase, Reason, State

from .devices import Device
from .standing import Standing, aside, running, spare

if TYPE_CHECKING:
    from .lane import Lane

MAX_ATTEMPT = 65_535  # what the wire can say

STORED = (
    "position", "granted_at", "released_at", "began", "attempt", "retries", "retry_at", "exposed",
    "confirmed", "failed",
)  # fmt: skip


class Mark(NamedTuple):
    """All that one device adds to the totals of its fleet. ``waits`` says why it has not begun.

    ``board`` is the class of a device that takes firmware; ``gave_up`` the reason for which it has
    no longer, or never had, what it shall have of the other kind.
    """

    standing: Standing
    waits: str
    running: str | None
    online: bool
    exposed: bool
    failed: int | None
    finished: bool
    confirmed: bool
    lost: bool
    board: str | None
    gave_up: str


@dataclass(slots=True, eq=False)
class Member:
    """The first fields are stored. Times in seconds since 1970.

    ``granted_at``: when it was let begin last; ``released_at``: when it was let apply, None while
    its grant says hold. ``began``: its place, from 0, in the order of beginning. While ``retry_at``
    is set it waits for its next try, which has the number ``attempt``.

    The rest follows from the stored ones, from the plan and from what was heard: ``place`` is the
    index in the frozen order of the present devices, ``silent`` says that it let its deadline pass,
    ``watched`` is the earliest time at which it is looked whether it did,
    ``spare`` is what lay in its other slot when it was heard last, None while that is not known.
    """

    id: str
    position: int
    granted_at: float | None = None
    released_at: float | None = None
    began: int | None = None
    attempt: int = 0
    retries: int = 0
    retry_at: float | None = None
    exposed: bool = False
    confirmed: bool = False
    failed: int | None = None
    device: Device | None = None
    place: int = -1
    mark: Mark | None = None
    lane: Lane | None = None
    blocked: str = ""
    silent: bool = False
    watched: float = math.inf
    spare: str | None = None

    @classmethod
    def from_row(cls, row: Any) -> Member:  # noqa: ANN401 - a row of any columns
        return cls(id=row["device"], **{name: row[name] for name in STORED})

    def row(self, fleet: str, revision: int) -> dict[str, Any]:
        stored = {name: getattr(self, name) for name in STORED}
        return {"fleet": fleet, "revision": revision, "device": self.id, **stored}

    @property
    def finished(self) -> bool:
        return self.confirmed or self.failed is not None

    def observe(self, plan: Plan, state: State, variant: Variant, now: float) -> bool:
        """Learn from a report; True when something changed."""
        before = (self.exposed, self.confirmed, self.failed, self.attempt)
        if variant.has(running(plan.kind, state)):
            self.exposed = True
            if state.phase in (Phase.IDLE, Phase.CONFIRMED) or aside(plan, state):
                self.confirmed, self.failed, self.retry_at = True, None, None
        if variant.has(state.target) and state.phase in (Phase.FAILED, Phase.ROLLEDBACK):
            # A rollback tells of a trial whose own report may have been lost, or of firmware that
            # was confirmed and did not last.
            rolled_back = state.phase is Phase.ROLLEDBACK
            self.exposed = self.exposed or rolled_back
            self.confirmed = self.confirmed and not rolled_back
            if state.reason is not Reason.HALTED and state.attempt >= self.attempt:
                self._give_up(state.reason, plan.retries, now)
        self.exposed = self.exposed or self._has_tried(plan, state, variant)
        self.spare = spare(plan.kind, state) or ""
        return before != (self.exposed, self.confirmed, self.failed, self.attempt)

    def _has_tried(self, plan: Plan, state: State, variant: Variant) -> bool:
        """Tell whether a trial lies between two reports: it alone fills the other slot.

        A broker that dies loses reports it has taken, and with them the whole of a trial that was
        taken back meanwhile. What is held back, or compared first, lies there without one.
        """
        if self.released_at is None or plan.shadow or self.spare is None:
            return False
        found = spare(plan.kind, state)
        return found != self.spare and variant.has(found) and not variant.has(state.target)

    def begins(self, plan: Plan, state: State, variant: Variant) -> bool:
        """Tell whether this report is the first that shows it busy with the target."""
        ours = variant.has(state.target) and state.attempt >= self.attempt
        busy = ours and state.phase is not Phase.IDLE
        return self.began is None and (busy or variant.has(running(plan.kind, state)))

    def try_again(self, now: float) -> None:
        """Let it try again at once, whatever it failed of."""
        if self.failed is not None:
            self.attempt = min(self.attempt + 1, MAX_ATTEMPT)
            self.failed = None
        self.retries, self.retry_at = 0, now

    def _give_up(self, reason: Reason, retries: Retries | None, now: float) -> None:
        """Count a failure, or wait for the next try: the backoff doubles with each."""
        again = retries is not None and reason.word in retries.reasons
        if retries is None or not again or self.retries >= retries.limit or self.failed is not None:
            self.failed = int(reason)
            return
        self.retry_at = now + seconds(retries.backoff) * 2.0**self.retries
        self.retries += 1
        self.attempt = min(self.attempt + 1, MAX_ATTEMPT)
