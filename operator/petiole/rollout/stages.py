"""Stages in numbers: how many devices a stage allows, when it is complete, what its gates say."""

from __future__ import annotations

import math

from petiole.api.base import fraction
from petiole.api.devicefleet import Counts, GateStatus
from petiole.api.rollout import Gate, Stage

from .gates import MIN_ARM, Verdict, judge
from .plan import Summary


def size(stage: Stage, devices: int) -> int:
    """Devices that ``stage`` allows in a fleet of ``devices``: cumulative, at least one."""
    if isinstance(stage.size, int):
        return max(1, stage.size)
    return max(1, math.ceil(fraction(stage.size) * devices))


def settled(counts: Counts) -> int:
    """Devices from which no further answer about the revision is to be waited for."""
    return counts.updated + counts.failed + counts.reverted + counts.silent + counts.ineligible


def in_flight(counts: Counts) -> int:
    return counts.offered + counts.downloading + counts.trial


def complete(summary: Summary, limit: int) -> bool:
    """Tell whether every device that the stage allows has answered, or will not.

    One that is held back, or waits with the artefact for a window, has not answered yet.
    """
    counts = summary.counts
    open_ = in_flight(counts) + counts.ready + sum(summary.held_back.values())
    return settled(counts) >= min(limit, counts.total) and open_ == 0


def review(
    gates: tuple[Gate, ...],
    before: tuple[GateStatus, ...],
    summary: Summary,
    *,
    revision: int,
    controls: int,
) -> tuple[GateStatus, ...]:
    """Judge every gate by the summary's evidence. A gate that failed once stays failed.

    A sequential test ends when it first crosses its boundary; looking again until it says something
    nicer would spend error that nobody stated. ``controls`` are the devices that run the stable
    revision and are not among those that ``revision`` is allowed for.
    """
    failed = {g.name: g for g in before if g.verdict == "Fail"}
    if summary.halt is not None and summary.halt.revision == revision:
        halt = GateStatus(name=summary.halt.gate, verdict="Fail", message=summary.halt.message)
        failed.setdefault(halt.name, halt)
    evidence = {e.gate: e for e in summary.evidence}
    reviewed = []
    for gate in gates:
        if gate.name in failed:
            continue
        verdict = judge(gate, evidence[gate.name]) if gate.name in evidence else None
        reviewed.append(_status(gate, verdict, controls))
    return (*failed.values(), *reviewed)


def _status(gate: Gate, verdict: Verdict | None, controls: int) -> GateStatus:
    """Put a verdict into status. With nothing to compare with, a metric gate cannot apply."""
    if gate.metric is not None and controls < _controls(gate) and _undecided(verdict):
        left = f"{controls} devices stay on a stable revision to compare with"
        message = f"{left}, {_controls(gate)} are needed"
        return GateStatus(name=gate.name, verdict="NotApplicable", message=message)
    if verdict is None:
        return GateStatus(name=gate.name, verdict="Continue", message="no evidence yet")
    return GateStatus(
        name=gate.name,
        verdict=verdict.verdict,
        estimate=f"{verdict.estimate:.3f}",
        interval=f"{verdict.lower:.3f}..{verdict.upper:.3f}",
        message=verdict.message,
    )


def _controls(gate: Gate) -> int:
    """Devices that must be left on the stable revision: else no further evidence can come."""
    return 1 if gate.metric == "Disagreement" else MIN_ARM


def _undecided(verdict: Verdict | None) -> bool:
    return verdict is None or verdict.verdict == "Continue"


def failure(gates: tuple[GateStatus, ...]) -> GateStatus | None:
    return next((g for g in gates if g.verdict == "Fail"), None)


def undecided(gates: tuple[GateStatus, ...]) -> GateStatus | None:
    return next((g for g in gates if g.verdict == "Continue"), None)
