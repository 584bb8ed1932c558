"""What a status that was written adds to the counts: steps, stages, rounds and rollouts that ended.

They are counted after the write, so that a pass that saw an old object counts nothing. A crash
between the two loses a count, which Prometheus takes as it takes any restart.
"""

from __future__ import annotations

from datetime import datetime

from petiole.api.devicefleet import DeviceFleetStatus, HistoryEntry
from petiole.api.tinymodel import TinyModelStatus
from petiole.events.told import (
    DRIFT_DETECTED,
    ROLLOUT_FINISHED,
    ROLLOUT_REVERTED,
    ROUND_FINISHED,
    Told,
)

from . import metrics


def fleet_moved(
    before: DeviceFleetStatus, after: DeviceFleetStatus, told: tuple[Told, ...], now: datetime
) -> None:
    """Count what ended in a fleet."""
    finished = tuple(
        HistoryEntry.model_validate(event.data)
        for event in told
        if event.type in (ROLLOUT_FINISHED, ROLLOUT_REVERTED)
    )
    for entry in finished:
        took = (entry.finished_at - entry.started_at).total_seconds()
        metrics.ROLLOUTS.labels(entry.kind, entry.result).observe(took)
    metrics.ALARMS.inc(sum(event.type == DRIFT_DETECTED for event in told))
    promoted = any(entry.result == "Promoted" for entry in finished)
    if (answered := stage_answered(before, after, promoted=promoted, now=now)) is not None:
        metrics.STAGES.observe(answered)


def stage_answered(
    before: DeviceFleetStatus, after: DeviceFleetStatus, *, promoted: bool, now: datetime
) -> float | None:
    """Return the seconds of a stage whose last device has answered since ``before``, else None.

    A stage without soak is complete and left in the same pass.
    """
    was, stage = before.stage, after.stage
    if was.started_at is None or was.complete_at is not None:
        return None
    if stage.started_at == was.started_at:
        end = stage.complete_at
    else:
        left = promoted or (after.mode == before.mode == "Rolling" and stage.index > was.index)
        end = now if left else None
    return None if end is None else (end - was.started_at).total_seconds()


def model_moved(
    before: TinyModelStatus, after: TinyModelStatus, told: tuple[Told, ...], now: datetime
) -> None:
    """Count what ended in a model."""
    for event in told:
        if event.type == ROUND_FINISHED:
            metrics.ROUNDS.labels(event.data["result"]).inc()
    was = before.round
    if was.step not in ("Idle", after.round.step) and was.since is not None:
        metrics.ROUND_STEPS.labels(was.step).observe((now - was.since).total_seconds())
