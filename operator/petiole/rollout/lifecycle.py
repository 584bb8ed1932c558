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

from . import stages
from .plan import Summary
from .planning import digests
from .scene import Scene

HISTORY = 20

Result = Literal["Promoted", "Reverted", "Superseded", "Paused", "Kept"]


def step(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Move the rollout by at most one step."""
    return _MODES[status.mode](scene, absorb(scene, status))


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
            scene.spec.rollout.gates,
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
        settled = RevisionStatus(target=revision.stable, stable=revision.stable)
        return status.model_copy(update={"revision": settled})
    if scene.fresh is None or scene.fresh.devices == 0:
        return status
    return _begin(scene, status, scene.fresh)


def _begin(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> DeviceFleetStatus:
    revision = RevisionStatus(target=scene.wanted, stable=status.revision.stable)
    return status.model_copy(
        update={
            "mode": "Rolling",
            "revision": revision,
            "started_at": scene.now,
            "stage": _stage(scene, 0, summary),
            "gates": (),
            "exposed": 0,
        }
    )


def _stage(scene: Scene, index: int, summary: Summary) -> StageStatus:
    stage = scene.stage(index)
    return StageStatus(
        index=index,
        name=stage.name,
        limit=stages.size(stage, summary.devices),
        started_at=scene.now,
    )


# --- Rolling and Paused ---------------------------------------------------------------------------


def _rolling(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    failed = stages.failure(status.gates)
    if failed is not None and not _closed(status):
        return _ON_FAILURE[scene.spec.rollout.on_failure](scene, status, failed)
    if scene.wanted not in (0, status.revision.target):
        return _change_course(scene, status)
    if scene.fresh is None or _closed(status):
        return status
    return _progress(scene, status, scene.fresh)


def _closed(status: DeviceFleetStatus) -> bool:
    """Tell whether the rollout is in history already, though its devices keep the revision."""
    return status.revision.failed == status.revision.target


def _progress(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> DeviceFleetStatus:
    status = status.model_copy(update={"stage": _measure(scene, status, summary)})
    if _passed(scene, status):
        return _next(scene, status, summary)
    overdue = scene.now >= deadline(scene, status)
    # What no device took is not inconclusive: there is nothing that could be let through.
    proceeds = scene.spec.rollout.on_inconclusive == "Proceed" and status.counts.updated > 0
    if overdue and proceeds:
        return _next(scene, status, summary)
    return status.model_copy(update={"mode": "Paused" if overdue else "Rolling"})


def _measure(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> StageStatus:
    """Follow a growing fleet, and note when the stage became complete."""
    stage = status.stage
    limit = max(stage.limit, stages.size(scene.stage(stage.index), summary.devices))
    complete_at = stage.complete_at if limit == stage.limit else None
    if complete_at is None and stages.complete(summary.counts, limit):
        complete_at = scene.now
    return stage.model_copy(update={"limit": limit, "complete_at": complete_at})


def _passed(scene: Scene, status: DeviceFleetStatus) -> bool:
    soaked = soak_end(scene, status)
    if soaked is None or scene.now < soaked or status.counts.updated == 0:
        return False
    return all(g.verdict in ("Pass", "NotApplicable") for g in status.gates)


def _next(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> DeviceFleetStatus:
    if status.stage.index < scene.last_stage:
        stage = _stage(scene, status.stage.index + 1, summary)
        return status.model_copy(update={"mode": "Rolling", "stage": stage})
    target = status.revision.target
    counts = status.counts
    message = f"Promoted revision {target}: {counts.updated} of {counts.total} devices run it."
    status = record(scene, status, "Promoted", message)
    return status.model_copy(
        update={
            "mode": "Idle",
            "revision": RevisionStatus(target=target, stable=target),
            "stage": StageStatus(),
        }
    )


def soak_end(scene: Scene, status: DeviceFleetStatus) -> datetime | None:
    """When the stage has soaked; None while devices are still to answer."""
    if status.stage.complete_at is None:
        return None
    soak = seconds(scene.stage(status.stage.index).soak)
    return status.stage.complete_at + timedelta(seconds=soak)


def deadline(scene: Scene, status: DeviceFleetStatus) -> datetime:
    """When a stage that could not decide is called inconclusive."""
    since = status.stage.started_at or scene.now
    return since + timedelta(seconds=seconds(scene.spec.rollout.progress_deadline))


def _change_course(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Leave a rollout because another revision is wanted."""
    if scene.fresh is None:
        return status
    old = status.revision.target
    if scene.wanted == status.revision.stable and status.exposed > 0:
        return _take_back(status)
    if not _closed(status):
        message = f"Revision {scene.wanted} was asked for before revision {old} was through."
        status = record(scene, status, "Superseded", message)
    revision = RevisionStatus(target=old, stable=status.revision.stable)
    status = status.model_copy(
        update={"mode": "Idle", "stage": StageStatus(), "gates": (), "revision": revision}
    )
    return _idle(scene, status)


# --- failure --------------------------------------------------------------------------------------


def _revert(scene: Scene, status: DeviceFleetStatus, failed: GateStatus) -> DeviceFleetStatus:
    if status.revision.stable == 0:
        why = f"{failed.message}. There is no earlier revision to go back to"
        return _keep(scene, status, failed.model_copy(update={"message": why}))
    return _take_back(status)


def _take_back(status: DeviceFleetStatus) -> DeviceFleetStatus:
    revision = status.revision.model_copy(update={"failed": status.revision.target})
    return status.model_copy(update={"mode": "Reverting", "revision": revision})


def _pause(scene: Scene, status: DeviceFleetStatus, _failed: GateStatus) -> DeviceFleetStatus:
    if scene.wanted not in (0, status.revision.target):
        return _change_course(scene, status)
    return status.model_copy(update={"mode": "Paused"})


def _keep(scene: Scene, status: DeviceFleetStatus, failed: GateStatus) -> DeviceFleetStatus:
    target = status.revision.target
    message = (
        f"Stopped revision {target}: {failed.message}. "
        f"{status.exposed} exposed devices keep it, no other device gets it."
    )
    status = record(scene, status, "Kept", message)
    revision = status.revision.model_copy(update={"failed": target})
    return status.model_copy(update={"mode": "Paused", "revision": revision})


def _reverting(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    summary = scene.fresh
    # Those that still run it and are heard of; silent ones are counted apart.
    if summary is None or summary.counts.updated + summary.counts.trial > 0:
        return status
    left = remaining(scene, status, summary)
    back = max(status.exposed - left, 0)
    target = status.revision.target
    failed = stages.failure(status.gates)
    why = failed.message if failed is not None else "an earlier revision was asked for"
    put = "all put back" if left == 0 else f"{back} put back, {left} silent"
    message = f"Reverted revision {target}: {why}. {status.exposed} devices exposed, {put}."
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
