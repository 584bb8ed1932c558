"""The life of one rollout: what each mode does with a fresh look at the fleet.

A handler takes a status and returns the next one; it makes at most one step, because the step after
needs a summary that answers the new plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

from . import bundles, course, stages, windows
from .plan import Summary
from .planning import digests
from .scene import Scene
from .tracks import at_rest, current, ended, is_closed, named, other, track, with_track

HISTORY = 20

Result = Literal["Promoted", "Reverted", "Superseded", "Paused", "Kept"]


def step(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Move the rollout by at most one step. ``status`` holds what the summary says."""
    return _MODES[status.mode](scene, status)


def absorb(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Write into status what is new: a bundle; counts, exposed devices and gates, if fresh."""
    summary = scene.fresh
    if scene.observed.bundle is not None and scene.wants["Firmware"]:
        status = bundles.noted(status, scene.observed.bundle)
    if summary is None:
        return status
    changes: dict[str, Any] = {
        "counts": summary.counts,
        "exposed": summary.exposed,
        "gave_up": sum(summary.gave_up.values()),
        "samples": summary.samples,
    }
    if status.mode in ("Rolling", "Paused"):
        changes["gates"] = stages.review(
            scene.gates(status),
            status.gates,
            summary,
            revision=current(status).target,
            controls=_controls(scene, status, summary),
        )
    return status.model_copy(update=changes)


def _controls(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> int:
    """Devices that can serve as the control of this stage, when it is complete."""
    beyond = max(summary.devices - status.stage.limit, 0)
    return min(beyond, _running(scene, status, current(status).stable, summary))


def _running(scene: Scene, status: DeviceFleetStatus, revision: int, summary: Summary) -> int:
    listed = digests(scene.observed, status, status.kind, revision)
    return sum(summary.running.get(digest, 0) for digest in listed)


# --- Idle -----------------------------------------------------------------------------------------


def _idle(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    kind, wanted = scene.kind(status), scene.wanted(status)
    revision = track(status, kind)
    if wanted in (0, revision.failed):
        return status
    if wanted == revision.stable:
        # Going back to what is proven also forgets the failure, so that it may be tried again.
        return with_track(status, kind, at_rest(wanted))
    if scene.fresh is None or scene.fresh.devices == 0 or held_up(scene, status):
        return status
    return begin(scene, status, scene.fresh)


def held_up(scene: Scene, status: DeviceFleetStatus) -> bool:
    """Tell whether the wanted revision waits for a person before its first stage."""
    first = scene.stage(_first(scene, status))
    return status.held or first.approval == "Manual"


def _first(scene: Scene, status: DeviceFleetStatus) -> StageStatus:
    kind = scene.kind(status)
    history = [entry for entry in status.history if entry.kind == kind]
    wanted, stable = scene.wanted(status), track(status, kind).stable
    return StageStatus(rollback=course.proven(scene.spec.rollout, history, wanted, stable))


def begin(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> DeviceFleetStatus:
    """Start the first stage of the wanted revision."""
    kind = scene.kind(status)
    revision = RevisionStatus(target=scene.wanted(status), stable=track(status, kind).stable)
    return with_track(status, kind, revision).model_copy(
        update={
            "mode": "Rolling",
            "kind": kind,
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
    if scene.wanted(status) not in (0, current(status).target):
        return _change_course(scene, status)
    if scene.fresh is None or closed(status):
        return _make_way(scene, status)
    return _progress(scene, status, scene.fresh)


def closed(status: DeviceFleetStatus) -> bool:
    """Tell whether the rollout is in history already, though its devices keep the revision."""
    return is_closed(current(status))


def _make_way(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Let the other kind begin beside one that goes no further and keeps its devices."""
    if scene.fresh is None or not closed(status) or not scene.is_due(status, other(status.kind)):
        return _hold(status)
    begun = _idle(scene, put_by(status))
    return begun if begun.mode == "Rolling" else _hold(status)


def put_by(status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Leave a rollout as it is, for another to begin."""
    return status.model_copy(
        update={"mode": "Idle", "kind": "Model", "stage": StageStatus(), "gates": ()}
    )


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
    kind, target = status.kind, current(status).target
    counts = status.counts
    message = (
        f"Promoted {named(kind, target)}: {counts.updated} of {counts.total} devices run it"
        f"{_gave_up(summary)}."
    )
    return ended(with_track(record(scene, status, "Promoted", message), kind, at_rest(target)))


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
    revision, wanted = current(status), scene.wanted(status)
    if scene.fresh is None:
        return _hold(status)
    if wanted == revision.stable and status.exposed > 0:
        return take_back(status, "an earlier revision was asked for")
    if wanted != revision.stable and held_up(scene, status):
        # Until the other one may begin, nobody is led to or from this one.
        return status.model_copy(update={"mode": "Paused"})
    return _idle(scene, superseded(scene, status))


def superseded(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """End a rollout in favour of the wanted revision."""
    kind, old = status.kind, current(status)
    if not closed(status):
        new = named(kind, scene.wanted(status)).capitalize()
        message = f"{new} was asked for before {named(kind, old.target)} was through."
        status = record(scene, status, "Superseded", message)
    revision = RevisionStatus(target=old.target, stable=old.stable)
    return put_by(with_track(status, kind, revision))


# --- failure --------------------------------------------------------------------------------------


def _revert(scene: Scene, status: DeviceFleetStatus, failed: GateStatus) -> DeviceFleetStatus:
    if current(status).stable == 0:
        why = f"{failed.message}. There is no earlier revision to go back to"
        return stop(scene, status, why)
    return take_back(status, failed.message)


def take_back(status: DeviceFleetStatus, why: str) -> DeviceFleetStatus:
    """Give exposed devices the stable revision again."""
    revision = current(status)
    changes = {"failed": revision.target, "why": why, "kept": False}
    status = with_track(status, status.kind, revision.model_copy(update=changes))
    return status.model_copy(update={"mode": "Reverting"})


def _pause(scene: Scene, status: DeviceFleetStatus, _failed: GateStatus) -> DeviceFleetStatus:
    if scene.wanted(status) not in (0, current(status).target):
        return _change_course(scene, status)
    return status.model_copy(update={"mode": "Paused"})


def _keep(scene: Scene, status: DeviceFleetStatus, failed: GateStatus) -> DeviceFleetStatus:
    return stop(scene, status, failed.message)


def stop(scene: Scene, status: DeviceFleetStatus, why: str) -> DeviceFleetStatus:
    """End a rollout where it is: who has the revision keeps it, nobody else gets it."""
    revision = current(status)
    message = (
        f"Stopped {named(status.kind, revision.target)}: {why}{_gave_up(scene.fresh)}. "
        f"{status.exposed} exposed devices keep it, no other device gets it."
    )
    status = record(scene, status, "Kept", message)
    changes = {"failed": revision.target, "why": why, "kept": True}
    status = with_track(status, status.kind, revision.model_copy(update=changes))
    return status.model_copy(update={"mode": "Paused"})


def _reverting(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    summary = scene.fresh
    # Those that still run it and are heard of; silent ones are counted apart.
    if summary is None or summary.counts.updated + summary.counts.trial > 0:
        return status
    left = remaining(scene, status, summary)
    back = max(status.exposed - left, 0)
    revision = current(status)
    put = "all put back" if left == 0 else f"{back} put back, {left} silent"
    exposed = f"{status.exposed} device{'s' if status.exposed != 1 else ''} exposed"
    message = (
        f"Reverted {named(status.kind, revision.target)}: {revision.why}{_gave_up(summary)}. "
        f"{exposed}, {put}."
    )
    status = record(scene, status, "Reverted", message, reverted=back)
    return ended(status)


def _gave_up(summary: Summary | None) -> str:
    """``" (devices gave it up: 3 crashed, 1 hung)"``: after that the rollout is over."""
    found = by_reason(summary.reasons) if summary is not None else ""
    return f" (devices gave it up: {found})" if found else ""


def by_reason(devices: Mapping[str, int]) -> str:
    """``"2 golden-mismatch, 1 timeout"``, the most frequent first."""
    ordered = sorted(devices.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number} {reason}" for reason, number in ordered)


def remaining(scene: Scene, status: DeviceFleetStatus, summary: Summary) -> int:
    """Devices that still run the revision being taken back."""
    return _running(scene, status, current(status).target, summary)


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
        kind=status.kind,
        revision=current(status).target,
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
