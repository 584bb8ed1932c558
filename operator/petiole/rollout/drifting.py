"""Drift of a fleet: one verdict from the windows of all artefacts of its stable revision."""

from __future__ import annotations

from petiole.api.base import seconds
from petiole.api.devicefleet import DriftStatus
from petiole.learning import drift

from .observed import FleetObserved
from .planning import version


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
        version=stable,
        score=f"{worst.score:.1f}",
        message=f"{target}: {worst.message}",
    )


def _verdicts(observed: FleetObserved, stable: int) -> list[tuple[str, drift.DriftVerdict]]:
    found = version(observed, stable)
    if found is None:
        return []
    monitoring = observed.spec.monitoring
    # Each target is a chart of its own: they share the asked rate of false alarms.
    rate = monitoring.drift.false_alarms_per_year / len(found.variants)
    return [
        (
            variant.target,
            drift.evaluate(
                observed.references[variant.digest],
                [w for w in observed.windows if w.digest == variant.digest],
                false_alarms_per_year=rate,
                interval_seconds=seconds(monitoring.interval),
            ),
        )
        for variant in found.variants
        if variant.digest in observed.references
    ]
