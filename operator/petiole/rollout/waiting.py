"""Why nothing moves right now: a reason, a sentence with the way out, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from petiole.api.devicefleet import Counts, DeviceFleetStatus, Waiting

from . import stages
from .lifecycle import deadline, remaining, soak_end
from .scene import Scene


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait before it has a beginning."""

    reason: str
    message: str
    until: datetime | None = None


def waiting_for(scene: Scene, status: DeviceFleetStatus) -> Waiting | None:
    """Name the wait of ``status``; ``since`` moves only when the reason does."""
    wait = _wait(scene, status)
    if wait is None:
        return None
    before = scene.observed.status.waiting_for
    same = before is not None and before.reason == wait.reason and before.until == wait.until
    since = before.since if same and before is not None else scene.now
    return Waiting(reason=wait.reason, message=wait.message, since=since, until=wait.until)


def _wait(scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    if scene.observed.gateway_problem:
        return Wait("GatewayUnreachable", gateway_help(scene.observed.gateway_problem))
    if status.mode != "Idle" and (scene.fresh is None or scene.fresh.serial != status.serial):
        return Wait("PlanNotTaken", f"the gateway has not answered plan {status.serial} yet")
    return _WAITS[status.mode](scene, status)


def gateway_help(problem: str) -> str:
    return (
        f"{problem}; devices keep what they run, and nothing is rolled out until the gateway "
        "answers: check that it runs and that the operator's gateway address and token are right"
    )


def _idle(scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    if scene.obstacle is not None:
        return Wait(scene.obstacle.reason, scene.obstacle.message)
    if scene.wanted == status.revision.failed:
        return Wait(
            "RevisionFailed",
            f"revision {scene.wanted} was taken back and is not tried again; a newer version of "
            f"TinyModel {scene.spec.model.name!r}, or another spec.model.version, goes on",
        )
    if scene.wanted == status.revision.stable:
        return None
    if scene.fresh is None or scene.fresh.serial != status.serial:
        return Wait("PlanNotTaken", f"the gateway has not answered plan {status.serial} yet")
    labels = ",".join(f"{k}={v}" for k, v in scene.spec.selector.match_labels.items())
    return Wait("NoDevices", f"no registered device has the labels {labels}; register some")


def _rolling(scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    stage = f"stage {status.stage.name!r}"
    soaked = soak_end(scene, status)
    until = deadline(scene, status)
    if soaked is None:
        return Wait("DevicesUpdating", f"{stage}: {progress(status)}", until)
    if scene.now < soaked:
        return Wait("Soaking", f"{stage} is complete and watched until it has soaked", soaked)
    if status.counts.updated == 0:
        return Wait("NothingUpdated", f"{stage}: no device took the revision", until)
    open_gate = stages.undecided(status.gates)
    if open_gate is None:
        return None
    return Wait("GateUndecided", f"gate {open_gate.name!r}: {open_gate.message}", until)


def _paused(_scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    failed = stages.failure(status.gates)
    if failed is not None:
        way_out = "publish a newer version, pin another one, or set spec.rollout.onFailure: Revert"
        return Wait("GateFailed", f"gate {failed.name!r}: {failed.message}; {way_out}")
    open_gate = stages.undecided(status.gates)
    why = f"gate {open_gate.name!r}: {open_gate.message}" if open_gate else progress(status)
    way_out = (
        "raise spec.rollout.progressDeadline, make the stage larger, or set "
        "spec.rollout.onInconclusive: Proceed"
    )
    return Wait(
        "Inconclusive", f"stage {status.stage.name!r} is past its deadline: {why}; {way_out}"
    )


def _reverting(scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    left = remaining(scene, status, scene.fresh) if scene.fresh is not None else status.exposed
    return Wait(
        "DevicesReverting",
        f"{left} of {status.exposed} exposed devices still run revision {status.revision.target}",
    )


def progress(status: DeviceFleetStatus) -> str:
    """``"20 of 30 devices updated (2 failed, 1 silent)"``."""
    counts = status.counts
    due = min(status.stage.limit, counts.total)
    return f"{counts.updated} of {due} devices updated{_rest(counts)}"


def _rest(counts: Counts) -> str:
    named = ("offered", "downloading", "trial", "failed", "reverted", "silent", "ineligible")
    parts = [f"{getattr(counts, name)} {name}" for name in named if getattr(counts, name)]
    return f" ({', '.join(parts)})" if parts else ""


_WAITS = {"Idle": _idle, "Rolling": _rolling, "Paused": _paused, "Reverting": _reverting}
