"""The life of one rollout: what each mode does with a fresh look at the fleet.

A handler takes a status and returns the next one; it makes at most one step, because the step after
needs a summary that answers the new plan.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from petiole.api.base import seconds
from petiole.api.devicefleet import (
    DeviceFleetStatus,
    GateStatus,
    HistoryEntry,
    RevisionStatus,
    StageStatus,
)

from . import course, stages, windows
from .plan import Summary
from .planning import digests
from .scene import Scene

HISTORY = 20

Result = Literal["Promoted", "Reverted", "Superseded", "Paused", "Kept"]


def step(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Move the rollout by at most one step. ``status`` holds what the summary says."""
    return _MODES[status.mode](scene, status)


def absorb(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Write into status what a fresh summary says: counts, exposed devices, gates."""
    summary = scene.fresh
    if summary is None:
        return status
    changes: dict[str, Any] = {
        "counts": summary.counts,
        "exposed": summary.exposed,
        "samples": summary.samples,
    }
    if status.mode in ("Rolling", "Paused"):
        changes["gates"] = stages.review(
            scene.gates,
            status.gates,
            summary,
            revision=status.revision.target,
            controls=_controls(scene, status, summary),
        )
    return status.model_copy(update=changes)


def _controls(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> int:
    """Devices that can serve as the control of this stage, when it is complete."""
    beyond = max(summary.devices - status.stage.limit, 0)
    return min(beyond, _running(scene, status.revision.stable, summary))


def _running(scene: Scene, revision: int, summary: Summary) -> int:
    return sum(summary.running.get(digest, 0) for digest in digests(scene.observed, revision))


# --- Idle -----------------------------------------------------------------------------------------


def _idle(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    revision = status.revision
    if scene.wanted in (0, revision.failed):
        return status
    if scene.wanted == revision.stable:
        # Going back to what is proven also forgets the failure, so that it may be tried again.
        return status.model_copy(update={"revision": at_rest(revision.stable)})
    if scene.fresh is None or scene.fresh.devices == 0 or held_up(scene, status):
        return status
    return begin(scene, status, scene.fresh)


def at_rest(stable: int) -> RevisionStatus:
    """Nothing is wanted but what is proven."""
    return RevisionStatus(target=stable, stable=stable)


def held_up(scene: Scene, status: DeviceFleetStatus) -> bool:
    """Tell whether the wanted revision waits for a person before its first stage."""
    first = scene.stage(_first(scene, status))
    return status.held or first.approval == "Manual"


def _first(scene: Scene, status: DeviceFleetStatus) -> StageStatus:
    rollback = course.proven(
        scene.spec.rollout, status.history, scene.wanted, status.revision.stable
    )
    return StageStatus(rollback=rollback)


def begin(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> DeviceFleetStatus:
    """Start the first stage of the wanted revision."""
    revision = RevisionStatus(target=scene.wanted, stable=status.revision.stable)
    return status.model_copy(
        update={
            "mode": "Rolling",
            "revision": revision,
            "started_at": scene.now,
            "stage": started(scene, _first(scene, status), summary),
            "gates": (),
            "exposed": 0,
        }
    )


def started(scene: Scene, at: StageStatus, summary: Summary) -> StageStatus:
    """Return the stage ``at`` as it begins now."""
    stage = scene.stage(at)
    return StageStatus(
        index=at.index,
        name=stage.name,
        limit=stages.size(stage, summary.devices),
        started_at=scene.now,
        rollback=at.rollback,
    )


# --- Rolling and Paused ---------------------------------------------------------------------------


def _rolling(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    failed = stages.failure(status.gates)
    if failed is not None and not closed(status):
        return _ON_FAILURE[scene.spec.rollout.on_failure](scene, status, failed)
    if scene.wanted not in (0, status.revision.target):
        return _change_course(scene, status)
    if scene.fresh is None or closed(status):
        return _hold(status)
    return _progress(scene, status, scene.fresh)


def closed(status: DeviceFleetStatus) -> bool:
    """Tell whether the rollout is in history already, though its devices keep the revision."""
    return status.revision.failed == status.revision.target


def _hold(status: DeviceFleetStatus) -> DeviceFleetStatus:
    return status.model_copy(update={"mode": "Paused"}) if status.held else status


def _progress(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> DeviceFleetStatus:
    status = status.model_copy(update={"stage": _measure(scene, status, summary)})
    if status.held:
        return _hold(status)
    if may_proceed(scene, status):
        status = status.model_copy(update={"mode": "Rolling"})
        return status if needs_approval(scene, status) else proceed(scene, status, summary)
    return status.model_copy(update={"mode": "Paused" if overdue(scene, status) else "Rolling"})


def may_proceed(scene: Scene, status: DeviceFleetStatus) -> bool:
    """Tell whether the stage has answered, or its deadline lets it through without an answer."""
    if passed(scene, status):
        return True
    # What no device took is not inconclusive: there is nothing that could be let through.
    lenient = scene.spec.rollout.on_inconclusive == "Proceed" or status.stage.skipped
    return lenient and status.counts.updated > 0 and overdue(scene, status)


def needs_approval(scene: Scene, status: DeviceFleetStatus) -> bool:
    """Tell whether the next stage waits for a person."""
    if _is_last(scene, status):
        return False
    return scene.stage(_following(status)).approval == "Manual"


def _is_last(scene: Scene, status: DeviceFleetStatus) -> bool:
    return course.is_last(scene.spec.rollout, status.stage, scene.devices)


def _following(status: DeviceFleetStatus) -> StageStatus:
    return StageStatus(index=status.stage.index + 1)


def _measure(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> StageStatus:
    """Follow a growing fleet, and note when the stage became complete."""
    stage = status.stage
    limit = max(stage.limit, stages.size(scene.stage(stage), summary.devices))
    complete_at = stage.complete_at if limit == stage.limit else None
    if complete_at is None and stages.complete(summary, limit):
        complete_at = scene.now
    return stage.model_copy(update={"limit": limit, "complete_at": complete_at})


def passed(scene: Scene, status: DeviceFleetStatus) -> bool:
    """Tell whether the stage is complete, has soaked, and every gate let it through.

    What a person skips is no evidence: it ends the waiting only. A revision that is proven already
    is watched by the gates, which stop it when they fail, but has nothing left to prove.
    """
    soaked = soak_end(scene, status)
    if soaked is None or scene.now < soaked or status.counts.updated == 0:
        return False
    if stages.failure(status.gates) is not None:
        return False
    proven = status.stage.skipped or status.stage.rollback
    return proven or stages.undecided(status.gates) is None


def proceed(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> DeviceFleetStatus:
    """Start the next stage, or end the rollout after the last one."""
    if not _is_last(scene, status):
        stage = started(scene, _following(status), summary)
        return status.model_copy(update={"mode": "Rolling", "stage": stage})
    target = status.revision.target
    counts = status.counts
    message = f"Promoted revision {target}: {counts.updated} of {counts.total} devices run it."
    status = record(scene, status, "Promoted", message)
    return status.model_copy(
        update={"mode": "Idle", "revision": at_rest(target), "stage": StageStatus()}
    )


def soak_end(scene: Scene, status: DeviceFleetStatus) -> datetime | None:
    """When the stage has soaked; None while devices are still to answer."""
    stage = status.stage
    if stage.complete_at is None or stage.skipped:
        return stage.complete_at
    return stage.complete_at + timedelta(seconds=seconds(scene.stage(stage).soak))


def overdue(scene: Scene, status: DeviceFleetStatus) -> bool:
    until = deadline(scene, status)
    return until is not None and scene.now >= until


def deadline(scene: Scene, status: DeviceFleetStatus) -> datetime | None:
    """When a stage that could not decide is called inconclusive; None while no clock runs.

    It does not run while the stage is held, and not while no window is open.
    """
    if status.held or scene.invalid:
        return None
    rollout, stage = scene.spec.rollout, status.stage
    since = stage.resumed_at or stage.started_at or scene.now
    allowed = timedelta(seconds=seconds(rollout.progress_deadline))
    return windows.deadline(rollout.windows, since, allowed)


def _change_course(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Leave a rollout because another revision is wanted."""
    revision = status.revision
    if scene.fresh is None:
        return _hold(status)
    if scene.wanted == revision.stable and status.exposed > 0:
        return take_back(status, "an earlier revision was asked for")
    if scene.wanted != revision.stable and held_up(scene, status):
        # Until the other one may begin, nobody is led to or from this one.
        return status.model_copy(update={"mode": "Paused"})
    return _idle(scene, superseded(scene, status))


def superseded(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """End a rollout in favour of the wanted revision."""
    old = status.revision
    if not closed(status):
        message = f"Revision {scene.wanted} was asked for before revision {old.target} was through."
        status = record(scene, status, "Superseded", message)
    revision = RevisionStatus(target=old.target, stable=old.stable)
    return status.model_copy(
        update={"mode": "Idle", "stage": StageStatus(), "gates": (), "revision": revision}
    )


# --- failure --------------------------------------------------------------------------------------


def _revert(scene: Scene, status: DeviceFleetStatus, failed: GateStatus) -> DeviceFleetStatus:
    if status.revision.stable == 0:
        why = f"{failed.message}. There is no earlier revision to go back to"
        return stop(scene, status, why)
    return take_back(status, failed.message)


def take_back(status: DeviceFleetStatus, why: str) -> DeviceFleetStatus:
    """Give exposed devices the stable revision again."""
    changes = {"failed": status.revision.target, "why": why}
    revision = status.revision.model_copy(update=changes)
    return status.model_copy(update={"mode": "Reverting", "revision": revision})


def _pause(scene: Scene, status: DeviceFleetStatus, _failed: GateStatus) -> DeviceFleetStatus:
    if scene.wanted not in (0, status.revision.target):
        return _change_course(scene, status)
    return status.model_copy(update={"mode": "Paused"})


def _keep(scene: Scene, status: DeviceFleetStatus, failed: GateStatus) -> DeviceFleetStatus:
    return stop(scene, status, failed.message)


def stop(scene: Scene, status: DeviceFleetStatus, why: str) -> DeviceFleetStatus:
    """End a rollout where it is: who has the revision keeps it, nobody else gets it."""
    target = status.revision.target
    message = (
        f"Stopped revision {target}: {why}. "
        f"{status.exposed} exposed devices keep it, no other device gets it."
    )
    status = record(scene, status, "Kept", message)
    revision = status.revision.model_copy(update={"failed": target, "why": why})
    return status.model_copy(update={"mode": "Paused", "revision": revision})


def _reverting(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    summary = scene.fresh
    # Those that still run it and are heard of; silent ones are counted apart.
    if summary is None or summary.counts.updated + summary.counts.trial > 0:
        return status
    left = remaining(scene, status, summary)
    back = max(status.exposed - left, 0)
    target = status.revision.target
    put = "all put back" if left == 0 else f"{back} put back, {left} silent"
    message = (
        f"Reverted revision {target}: {status.revision.why}. "
        f"{status.exposed} devices exposed, {put}."
    )
    status = record(scene, status, "Reverted", message, reverted=back)
    return status.model_copy(update={"mode": "Idle", "stage": StageStatus()})


def remaining(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> int:
    """Devices that still run the revision being taken back."""
    return _running(scene, status.revision.target, summary)


def record(
    scene: Scene,
    status: DeviceFleetStatus,
    result: Result,
    message: str,
    *,
    reverted: int | None = None,
) -> DeviceFleetStatus:
    """Append the rollout to history."""
    entry = HistoryEntry(
        revision=status.revision.target,
        result=result,
        started_at=status.started_at or scene.now,
        finished_at=scene.now,
        exposed=status.exposed,
        updated=status.counts.updated,
        reverted=status.counts.reverted if reverted is None else reverted,
        message=message,
    )
    return status.model_copy(update={"history": (*status.history, entry)[-HISTORY:]})


Handler = Callable[[Scene, DeviceFleetStatus], DeviceFleetStatus]

_MODES: dict[str, Handler] = {
    "Idle": _idle,
    "Rolling": _rolling,
    "Paused": _rolling,
    "Reverting": _reverting,
}

_ON_FAILURE: dict[str, Callable[[Scene, DeviceFleetStatus, GateStatus], DeviceFleetStatus]] = {
    "Revert": _revert,
    "Pause": _pause,
    "Keep": _keep,
}
