"""Drift of a fleet: one verdict from the windows of all artefacts of its stable revision.

Drift is one model in two times; a regression is two models at one time. The devices on the stable
revision tell of the first, the gates that compare the canaries with them of the second.
"""

from __future__ import annotations

from dataclasses import dataclass

from petiole.api.base import seconds
from petiole.api.devicefleet import DeviceFleetStatus, DriftStatus, GateStatus
from petiole.learning import drift

from .observed import FleetObserved
from .planning import version

_LONGEST = 1024  # characters of a message
_REMEMBERED = 1024  # verdicts


@dataclass(frozen=True, slots=True)
class Regression:
    """Whether the revision that is rolled out is worse than the stable one, and not the field."""

    found: bool
    reason: str
    message: str


def regression(observed: FleetObserved, status: DeviceFleetStatus) -> Regression | None:
    """Tell a worse revision from a moved field; None when this pass says nothing about it.

    Canaries that fall alone are a regression. Canaries and controls that fall together are drift:
    the gates, which compare them at the same time, then find no difference.
    """
    target, stable = status.revision.target, status.revision.stable
    if status.kind != "Model" or status.mode == "Idle" or stable in (0, target):
        return None
    compared = _compared(observed, status)
    failed = next((g for g in compared if g.verdict == "Fail"), None)
    if failed is not None:
        reason, field_ = _FIELD[status.drift.state]
        where = field_.format(stable=stable)
        text = f"revision {target} regressed, gate {failed.name!r}: {failed.message}; {where}"
        return Regression(True, reason, text)
    if status.drift.state != "Drifted":
        return Regression(False, "NotSeen", "")
    text = f"the field has drifted under revision {stable} too"
    if not compared:
        return Regression(False, "FieldMoved", f"{text}; no gate compares revision {target} to it")
    said = "; ".join(f"{g.name!r}: {g.message}" for g in compared)
    return Regression(False, "FieldMoved", f"{text}; no regression is seen by gate {said}")


_FIELD = {
    "Stable": ("CanariesMoved", "the devices on revision {stable} have not drifted"),
    "Drifted": ("BothMoved", "besides, the devices on revision {stable} have drifted"),
    "Unknown": ("CanariesMoved", "whether revision {stable} has drifted is not known yet"),
}


def _compared(observed: FleetObserved, status: DeviceFleetStatus) -> tuple[GateStatus, ...]:
    """Gates that compare the canaries with others at the same time."""
    names = {g.name for g in observed.spec.rollout.gates if g.metric is not None}
    return tuple(g for g in status.gates if g.name in names and g.verdict != "NotApplicable")


def watch(observed: FleetObserved, stable: int, before: DriftStatus) -> DriftStatus:
    """Evaluate drift of the ``stable`` revision; an alarm stays until another one is stable."""
    if stable == 0:
        return DriftStatus()
    if before.version == stable and before.state == "Drifted":
        return before
    verdicts = _verdicts(observed, stable)
    if not verdicts:
        return before if before.version == stable else DriftStatus(version=stable)
    order = {"Drifted": 2, "Stable": 1, "Unknown": 0}
    target, worst = max(verdicts, key=lambda item: (order[item[1].state], item[1].score))
    return DriftStatus(
        state=worst.state,
        detected_at=worst.detected_at,
        since=worst.since,
        version=stable,
        score=f"{worst.score:.1f}",
        detectors=worst.detectors,
        moved=worst.moved,
        message=f"{target}: {worst.message}"[:_LONGEST],
    )


def _verdicts(observed: FleetObserved, stable: int) -> list[tuple[str, drift.DriftVerdict]]:
    found = version(observed, stable)
    if found is None:
        return []
    # Each target is a series of its own: they share the asked rate of false alarms.
    share = 1.0 / len(found.variants)
    return [
        (variant.target, _verdict(observed, variant.digest, share))
        for variant in found.variants
        if variant.digest in observed.references
    ]


def _verdict(observed: FleetObserved, digest: str, share: float) -> drift.DriftVerdict:
    """Evaluate one artefact's windows, or remember: passes are many, and new windows few."""
    windows = [w for w in observed.windows if w.digest == digest]
    monitoring, last = observed.spec.monitoring, windows[-1].end if windows else None
    seen = (len(windows), last, sum(w.count for w in windows))
    key = (observed.uid, digest, share, monitoring, observed.labels, seen)
    if key not in _known:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        policy = monitoring.drift
        _known[key] = drift.evaluate(
            observed.references[digest],
            windows,
            false_alarms_per_year=policy.false_alarms_per_year * share,
            interval_seconds=seconds(monitoring.interval),
            baseline_seconds=seconds(policy.baseline) if policy.baseline else 0.0,
            labels=observed.labels,
        )
    return _known[key]


_known: dict[object, drift.DriftVerdict] = {}
