"""Why nothing moves right now: a reason, a sentence with the way out, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from petiole.api.devicefleet import Counts, DeviceFleetStatus, GateStatus, Kind, Waiting

from . import stages, windows
from .lifecycle import (
    closed,
    deadline,
    held_up,
    may_proceed,
    needs_approval,
    remaining,
    soak_end,
)
from .observed import Obstacle
from .scene import Scene
from .tracks import current, named, track


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
    obstacle = scene.obstacles[scene.kind(status)]
    if obstacle is not None and (scene.invalid or status.mode == "Idle"):
        return _obstacle(scene, obstacle)
    if status.mode != "Idle" and _unanswered(scene, status):
        return _plan_not_taken(status)
    return _WAITS[status.mode](scene, status)


def _obstacle(scene: Scene, obstacle: Obstacle) -> Wait:
    way_out = "" if obstacle.message.endswith("`") else f": {_edit(scene)}"
    return Wait(obstacle.reason, obstacle.message + way_out)


def _unanswered(scene: Scene, status: DeviceFleetStatus) -> bool:
    """Tell whether the gateway was given a plan before this pass and does not answer it."""
    return scene.fresh is None and scene.observed.status.serial == status.serial


def _plan_not_taken(status: DeviceFleetStatus) -> Wait:
    return Wait(
        "PlanNotTaken",
        f"the gateway has not answered plan {status.serial} yet; it may have refused it: "
        "`kubectl logs -l app.kubernetes.io/component=gateway`",
    )


def gateway_help(problem: str) -> str:
    return (
        f"{problem}; devices keep what they run, and nothing is rolled out until the gateway "
        "answers: check that it runs and that the operator's gateway address and token are right: "
        "`petiole operator --help`"
    )


def _edit(scene: Scene) -> str:
    observed = scene.observed
    return f"`kubectl edit devicefleet {observed.name} -n {observed.namespace}`"


def _idle(scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    kind, wanted = scene.kind(status), scene.wanted(status)
    revision = track(status, kind)
    if wanted == revision.failed:
        return _failed(scene, kind)
    if wanted == revision.stable:
        return _held(scene, status) if status.held else _firmware(scene, status)
    if scene.fresh is None:
        return _plan_not_taken(status)
    if scene.fresh.devices == 0:
        labels = ",".join(f"{k}={v}" for k, v in scene.spec.selector.match_labels.items())
        return Wait(
            "NoDevices",
            f"no registered device has the labels {labels}; register some: "
            "`petiole devices register -f devices.csv`",
        )
    if status.held:
        return _held(scene, status)
    if held_up(scene, status):
        return _approval(scene, f"{named(kind, wanted)} begins")
    return None


def _firmware(scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    """Name what the firmware waits for while the model is at rest."""
    obstacle = scene.obstacles["Firmware"]
    if obstacle is not None:
        return _obstacle(scene, obstacle)
    taken_back = scene.wants["Firmware"] == status.firmware.failed != 0
    return _failed(scene, "Firmware") if taken_back else None


def _failed(scene: Scene, kind: Kind) -> Wait:
    newer = (
        f"a newer version of TinyModel {scene.spec.model.name!r}, another spec.model.version"
        if kind == "Model"
        else "spec.firmware.uri names another bundle"
    )
    return Wait(
        "RevisionFailed",
        f"{named(kind, scene.wants[kind])} was taken back and is not tried again until {newer}, or "
        f"{scene.command('retry')}",
    )


def _held(scene: Scene, status: DeviceFleetStatus) -> Wait:
    stage = f" in stage {status.stage.name!r}" if status.stage.name else ""
    return Wait(
        "Held", f"paused by request{stage}, nobody new begins until {scene.command('resume')}"
    )


def _approval(scene: Scene, what: str) -> Wait:
    return Wait("ApprovalNeeded", f"{what} after a person's word: {scene.command('resume')}")


def _rolling(scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    stage = f"stage {status.stage.name!r}"
    soaked = soak_end(scene, status)
    until = deadline(scene, status)
    if soaked is None:
        return _under_way(scene, status, until)
    if may_proceed(scene, status) and needs_approval(scene, status):
        return _approval(scene, f"{stage} is through, the next one begins")
    if scene.now < soaked:
        text = f"{stage} is complete and watched until it has soaked"
        return Wait("Soaking", f"{text}; to go on before: {scene.command('skip')}", soaked)
    if status.counts.updated == 0:
        text = f"{stage}: no device took the revision; to try once more"
        return Wait("NothingUpdated", f"{text}: {scene.command('retry')}", until)
    open_gate = stages.undecided(status.gates)
    if open_gate is None:
        return None
    text = f"gate {open_gate.name!r}: {open_gate.message}; to go on without its verdict"
    return Wait("GateUndecided", f"{text}: {scene.command('skip')}", until)


def _under_way(scene: Scene, status: DeviceFleetStatus, until: datetime | None) -> Wait:
    """Say what devices wait for, once none of them is on its way any more."""
    text = f"stage {status.stage.name!r}: {progress(status)}"
    abort = f"to take it back: {scene.command('abort')}"
    summary = scene.fresh
    if summary is None or not summary.held_back or stages.in_flight(status.counts):
        return Wait("DevicesUpdating", f"{text}; {abort}", until)
    reason = max(summary.held_back, key=lambda name: (summary.held_back[name], name))
    opens = _opens(scene, reason)
    waits = f"{summary.held_back[reason]} wait for {_HELD_BACK.get(reason, reason)}"
    way_out = f"to change the windows: {_edit(scene)}" if opens is not None else abort
    return Wait(reason, f"{text}; {waits}; {way_out}", opens or until)


_HELD_BACK = {
    "Pace": "the pace (spec.rollout.pace)",
    "DisruptionBudget": "others of their group to be done (spec.rollout.disruption)",
    "DownloadWindow": "their download window",
    "ApplyWindow": "their apply window",
    "Freeze": "the end of the freeze",
    "Backoff": "their next try (spec.rollout.retries)",
}
_KINDS: dict[str, windows.Kind] = {
    "DownloadWindow": "download",
    "ApplyWindow": "apply",
    "Freeze": "apply",
}


def _opens(scene: Scene, reason: str) -> datetime | None:
    kind = _KINDS.get(reason)
    if kind is None:
        return None
    found = windows.look(scene.spec.rollout.windows, kind, scene.now)
    return None if found.open else found.until


def _paused(scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    failed = stages.failure(status.gates)
    if failed is not None or closed(status):
        return _stopped(scene, status, failed)
    if status.held:
        return _held(scene, status)
    if scene.wanted(status) not in (0, current(status).target):
        new = named(status.kind, scene.wanted(status))
        return _approval(scene, f"{new} begins in place of this one")
    open_gate = stages.undecided(status.gates)
    why = f"gate {open_gate.name!r}: {open_gate.message}" if open_gate else progress(status)
    return Wait(
        "Inconclusive",
        f"stage {status.stage.name!r} is past its deadline: {why}; make the stage larger, raise "
        f"spec.rollout.progressDeadline, go on without proof by {scene.command('skip')}, or give "
        f"it as much time again by {scene.command('resume')}",
    )


def _stopped(scene: Scene, status: DeviceFleetStatus, failed: GateStatus | None) -> Wait:
    if failed is None:
        what, revision = named(status.kind, current(status).target), current(status)
        reason, why = "Stopped", f"{what} goes no further: {revision.why}"
    else:
        reason, why = "GateFailed", f"gate {failed.name!r}: {failed.message}"
    back = f", take it back by {scene.command('abort')}" if current(status).stable else ""
    newer = (
        "publish a newer version, pin another one"
        if status.kind == "Model"
        else "let spec.firmware.uri name another bundle"
    )
    return Wait(reason, f"{why}; {newer}{back}, or try it again by {scene.command('retry')}")


def _reverting(scene: Scene, status: DeviceFleetStatus) -> Wait | None:
    what = named(status.kind, current(status).target)
    left = remaining(scene, status, scene.fresh) if scene.fresh is not None else status.exposed
    return Wait(
        "DevicesReverting",
        f"{left} of {status.exposed} exposed devices still run {what}; "
        f"to watch them: `petiole get fleet {scene.observed.name} -n {scene.observed.namespace}`",
    )


def progress(status: DeviceFleetStatus) -> str:
    """``"20 of 30 devices updated (2 failed, 1 silent)"``."""
    counts = status.counts
    due = min(status.stage.limit, counts.total)
    return f"{counts.updated} of {due} devices updated{_rest(counts)}"


def _rest(counts: Counts) -> str:
    named = (
        "offered",
        "downloading",
        "trial",
        "ready",
        "failed",
        "reverted",
        "silent",
        "ineligible",
    )
    parts = [f"{getattr(counts, name)} {name}" for name in named if getattr(counts, name)]
    return f" ({', '.join(parts)})" if parts else ""


_WAITS = {"Idle": _idle, "Rolling": _rolling, "Paused": _paused, "Reverting": _reverting}
