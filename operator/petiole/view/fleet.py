"""A DeviceFleet in words and rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from petiole.api.base import fraction
from petiole.api.devicefleet import (
    Counts,
    DeviceFleetStatus,
    DriftStatus,
    GateStatus,
    HistoryEntry,
    RevisionStatus,
)
from petiole.api.rollout import Rollout, Stage
from petiole.rollout import course

from .objects import Fleet
from .words import share, span


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage of the rollout in progress. ``here``: it is the one."""

    name: str
    size: str
    soak: str
    approval: str
    said: str
    here: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a gate knows, as shares: its estimate, where the true value lies, what is allowed."""

    estimate: float
    low: float
    high: float
    allowed: float | None


def line(fleet: Fleet) -> str:
    """All that a reader acts on, in a line; it stays the same while time passes by."""
    status = fleet.status
    parts = [fleet.message.rstrip(".")]
    if status.mode != "Idle":
        parts.append(counts(status.counts))
        parts += [f"gate {g.name} {g.verdict} {share(g.estimate)}".rstrip() for g in status.gates]
    if status.waiting_for is not None:
        parts.append(f"waits: {status.waiting_for.reason}")
    return "; ".join(parts)


def counts(found: Counts) -> str:
    """``"19 updated, 1 failed, 180 pending of 200 devices"``; nothing is said of none."""
    named = found.model_dump(exclude={"total", "pending"})
    named = {"updated": named.pop("updated"), **named, "pending": found.pending}
    said = ", ".join(f"{number} {word}" for word, number in named.items() if number)
    return f"{said or 'none'} of {found.total} devices"


def waiting(status: DeviceFleetStatus, now: datetime) -> str:
    """Say what it waits for, since when and how long still."""
    found = status.waiting_for
    if found is None:
        return "-"
    until = f", {span(now, found.until)} left" if found.until is not None else ""
    return f"{found.reason} for {span(found.since, now)}{until}: {found.message}"


def revision(found: RevisionStatus) -> str:
    failed = f", {found.failed} taken back" if found.failed else ""
    return f"target {found.target}, stable {found.stable}{failed}"


def current(status: DeviceFleetStatus) -> RevisionStatus:
    """Return the revisions of what mode, stage and counts are about."""
    return status.revision if status.kind == "Model" else status.firmware


def drift(found: DriftStatus) -> str:
    """Say whether the field moved and what did; empty while too little was seen."""
    if found.state == "Unknown":
        return ""
    moved = f": {'; '.join(found.moved)}" if found.moved else ""
    return f"{found.state} {found.message}{moved}"


def stages(fleet: Fleet, now: datetime) -> Iterator[StageRow]:
    """Say of each stage whether it passed, what it does, or that it is to come."""
    status, rollout = fleet.status, fleet.spec.rollout
    if status.stage.rollback:
        yield StageRow("rollback", course.ALL, "-", "-", _at(status, now), here=True)
        return
    devices = status.counts.total
    for index in range(course.last(rollout, devices) + 1):
        here = index == status.stage.index
        said = _at(status, now) if here else "passed" if index < status.stage.index else "to come"
        yield _row(course.stage(rollout, index, devices), said, here=here)


def _row(stage: Stage, said: str, *, here: bool) -> StageRow:
    return StageRow(stage.name, str(stage.size), stage.soak, stage.approval, said, here)


def _at(status: DeviceFleetStatus, now: datetime) -> str:
    """Say what the stage in progress does."""
    words = {"Reverting": "being taken back", "Paused": "paused"}
    at = words.get(status.mode, "updating" if status.stage.complete_at is None else "complete")
    since = status.stage.complete_at or status.stage.started_at
    return f"{at}, {status.stage.limit} devices" + (f", {span(since, now)}" if since else "")


def bounds(gate: GateStatus, rollout: Rollout) -> Bounds | None:
    """Return the numbers of a gate; None while it has none."""
    low, _, high = gate.interval.partition("..")
    try:
        return Bounds(float(gate.estimate), float(low), float(high), _allowed(gate.name, rollout))
    except ValueError:
        return None


def _allowed(gate: str, rollout: Rollout) -> float | None:
    tests = (g.test for g in rollout.gates if g.name == gate)
    given = (
        percent for test in tests for percent in (test.bad, test.max_drop, test.max_rise, test.max)
    )
    return next((fraction(percent) for percent in given if percent is not None), None)


def what(entry: HistoryEntry) -> str:
    """``"revision 2"`` or ``"firmware 2"``."""
    return f"{'revision' if entry.kind == 'Model' else 'firmware'} {entry.revision}"
