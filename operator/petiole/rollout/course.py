"""Which stages a rollout has: those of the spec, those of a ramp, or one for a proven revision."""

from __future__ import annotations

from collections.abc import Sequence

from petiole.api.devicefleet import HistoryEntry, StageStatus
from petiole.api.rollout import Ramp, Rollout, Stage

ALL = "100%"
_ROLLBACK = Stage(name="rollback", size=ALL)


def policy(rollout: Rollout, at: StageStatus, devices: int) -> Stage:
    """Return what the spec says by now about the stage ``at`` of a fleet of ``devices``."""
    return _ROLLBACK if at.rollback else stage(rollout, at.index, devices)


def stage(rollout: Rollout, index: int, devices: int) -> Stage:
    """Return the stage at ``index``, or the last one when the spec has fewer by now."""
    if rollout.ramp is not None:
        return _step(rollout.ramp, index, devices)
    stages = rollout.stages or (Stage(name="all", size=ALL),)
    return stages[min(index, len(stages) - 1)]


def last(rollout: Rollout, devices: int) -> int:
    """Return the index of the stage that allows the whole fleet."""
    if rollout.ramp is None:
        return max(len(rollout.stages or ()) - 1, 0)
    index = 0
    while _step(rollout.ramp, index, devices).size != ALL:
        index += 1
    return index


def is_last(rollout: Rollout, at: StageStatus, devices: int) -> bool:
    return at.rollback or at.index >= last(rollout, devices)


def _step(ramp: Ramp, index: int, devices: int) -> Stage:
    size = ramp.start * ramp.factor**index
    return Stage(name=f"ramp-{index + 1}", size=size if size < devices else ALL, soak=ramp.soak)


def proven(rollout: Rollout, history: Sequence[HistoryEntry], wanted: int, stable: int) -> bool:
    """Tell whether ``wanted`` is among the last revisions that were promoted before ``stable``.

    One that was taken back after it had been promoted is proven no more.
    """
    if rollout.rollback_window is None:
        return False
    verdicts: dict[int, bool] = {}  # by revision, the newest first
    for entry in reversed(history):
        if entry.result != "Superseded":
            verdicts.setdefault(entry.revision, entry.result == "Promoted")
    good = [revision for revision, kept in verdicts.items() if kept and revision != stable]
    return wanted in good[: rollout.rollback_window.revisions]
