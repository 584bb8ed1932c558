"""What a page shows of fleets and models: objects and summaries in, figures to draw out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from petiole.api.devicefleet import Counts
from petiole.api.tinymodel import CurvePoint
from petiole.fleet.fleet import Fleet as HeldFleet
from petiole.rollout.plan import Plan, Summary
from petiole.view.fleet import Bounds
from petiole.view.objects import Fleet

UNTOLD = (
    "The operator has not said what it decided since this gateway started: it does so within a"
    " minute if it runs. Numbers of devices are the gateway's own."
)
WIDTH = 1000  # of a bar, in units of its own
_PARTS = {  # of a bar, in this order; the rest is pending
    "updated": ("updated",),
    "busy": ("offered", "downloading", "trial", "ready"),
    "failed": ("failed",),
    "reverted": ("reverted",),
    "lost": ("silent", "ineligible"),
}


@dataclass(frozen=True, slots=True)
class Glance:
    """A fleet by what the operator decided and what the gateway counts; one of both may lack."""

    name: str
    fleet: Fleet | None
    plan: Plan | None
    summary: Summary | None

    @classmethod
    def of(cls, name: str, fleet: Fleet | None, held: HeldFleet | None) -> Glance:
        if held is None:
            return cls(name, fleet, None, None)
        return cls(name, fleet, held.plan, held.summary)

    @property
    def model(self) -> str:
        """Full name of the model that it follows; empty while the operator has not told."""
        return "" if self.fleet is None else self.fleet.model

    @property
    def names(self) -> dict[str, str]:
        """Names of the artefacts that the plan knows, by digest."""
        revisions = () if self.plan is None else self.plan.revisions
        return {
            image.digest: f"{'revision' if r.kind == 'Model' else 'firmware'} {r.number}"
            for r in revisions
            for image in r.images
        }

    @property
    def message(self) -> str:
        return UNTOLD if self.fleet is None else self.fleet.message

    @property
    def mode(self) -> str:
        if self.fleet is not None:
            return self.fleet.status.mode
        return "Idle" if self.plan is None else self.plan.mode

    @property
    def stage(self) -> str:
        """Name of the stage in progress; empty without one."""
        if self.mode == "Idle":
            return ""
        if self.fleet is not None:
            return self.fleet.status.stage.name
        return self.plan.stage.name if self.plan is not None and self.plan.stage else ""

    @property
    def counts(self) -> Counts:
        """The gateway's, which are of now; the status' while those answer another plan."""
        if self.fleet is None:
            return Counts() if self.summary is None else self.summary.counts
        status = self.fleet.status
        if self.summary is None or self.summary.serial != status.serial:
            return status.counts
        return self.summary.counts

    @property
    def tone(self) -> str:
        """How loud it is: bad, busy, wait or good."""
        if self.fleet is None:
            return "wait"
        if self.fleet.holds("Degraded") or self.fleet.holds("Stalled"):
            return "bad"
        if self.mode in ("Rolling", "Reverting"):
            return "busy"
        return "wait" if self.fleet.status.waiting_for is not None else "good"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar from ``start``, both in units of ``WIDTH``."""

    name: str
    start: float
    width: float


def segments(counts: Counts) -> list[Segment]:
    """Cut a bar into the parts of a fleet that are not pending; nothing is drawn of none."""
    found, start = [], 0.0
    for name, fields in _PARTS.items():
        width = WIDTH * sum(getattr(counts, f) for f in fields) / max(counts.total, 1)
        if width:
            found.append(Segment(name, round(start, 1), round(width, 1)))
        start += width
    return found


@dataclass(frozen=True, slots=True)
class Plot:
    """A gate's interval on a line of ``WIDTH``. ``allowed``: where it would be too much."""

    zero: float
    low: float
    high: float
    estimate: float
    allowed: float | None


def plot(found: Bounds) -> Plot:
    """Lay a gate's numbers out, zero and what is allowed included."""
    limit = 0.0 if found.allowed is None else found.allowed
    least, most = min(0.0, found.low), max(found.high, limit)
    scale = WIDTH / (1.05 * (most - least) or 1.0)

    def at(share: float) -> float:
        return round((min(max(share, least), most) - least) * scale, 1)

    allowed = None if found.allowed is None else at(found.allowed)
    return Plot(at(0.0), at(found.low), at(found.high), at(found.estimate), allowed)


def curve(points: Sequence[CurvePoint]) -> str:
    """Return the teacher's accuracy by labels as points of a line, 0 to 100 % high."""
    most = max((point.labels for point in points), default=0) or 1
    return " ".join(
        f"{WIDTH * point.labels / most:.0f},{100 - float(point.accuracy.rstrip('%')):.1f}"
        for point in points
    )
