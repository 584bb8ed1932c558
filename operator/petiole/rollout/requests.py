"""What a person asks for beside the spec: pause, resume, skip, promote, abort, retry.

A request is the annotation ``petiole.dev/request: <verb>@<anything unique>``. It is carried out
once: ``status.request`` holds the last one that was answered. None leads past a gate that failed.
"""

from __future__ import annotations

from collections.abc import Callable

from petiole.api.devicefleet import DeviceFleetStatus, Kind, StageStatus

from . import course, lifecycle, stages
from .observed import Event
from .plan import Summary
from .scene import Scene
from .tracks import KINDS, at_rest, current, ended, named, other, track, with_track

_LONGEST = 128  # characters of a request that status keeps


class RefusedError(Exception):
    """A request that cannot be met; the text says why and what would help."""


class NotYetError(Exception):
    """A request that has to wait: for the gateway's answer, or for what a failed gate leads to."""


Answer = tuple[DeviceFleetStatus, str]


def pending(scene: Scene, status: DeviceFleetStatus) -> bool:
    """Tell whether there is a request that was not answered yet."""
    request = scene.observed.request[:_LONGEST]
    return request not in ("", status.request)


def handle(scene: Scene, status: DeviceFleetStatus) -> tuple[DeviceFleetStatus, Event | None]:
    """Carry out the request. Without an event it is not answered yet."""
    request = scene.observed.request[:_LONGEST]
    verb = request.partition("@")[0]
    try:
        _let_the_policy_act(status)
        status, said = _VERBS.get(verb, _unknown)(scene, status)
        answer, kind = f"accepted, {verb}: {said}", "Normal"
    except RefusedError as refused:
        answer, kind = f"refused, {verb}: {refused}", "Warning"
    except NotYetError:
        return status, None
    reason = "RequestAccepted" if kind == "Normal" else "RequestRefused"
    # With the request's own name no Event is taken for an older one.
    event = Event(kind, reason, f"{answer} ({request})")
    return status.model_copy(update={"request": request, "answer": answer}), event


def _unknown(scene: Scene, _status: DeviceFleetStatus) -> Answer:
    verb = scene.observed.request.partition("@")[0]
    raise RefusedError(f"there is no verb {verb!r}; the verbs are {', '.join(_VERBS)}")


def _pause(scene: Scene, status: DeviceFleetStatus) -> Answer:
    if status.held:
        raise RefusedError(f"it is paused already; {scene.command('resume')} goes on")
    mode = "Paused" if status.mode == "Rolling" else status.mode
    said = f"no further device begins a revision until {scene.command('resume')}"
    return status.model_copy(update={"held": True, "mode": mode}), said


def _resume(scene: Scene, status: DeviceFleetStatus) -> Answer:
    """Go on wherever the rollout waits for a person; with a deadline of its own from now on."""
    if lifecycle.closed(status) and scene.is_due(status, other(status.kind)):
        status = lifecycle.put_by(status)
    if status.held:
        return _again(scene, status, held=False), "devices may begin again"
    if status.mode == "Reverting":
        raise RefusedError("the revision is being taken back, nothing waits for a person")
    if status.mode != "Idle":
        _refuse_failed(scene, status)
    if _waits_to_begin(scene, status):
        summary = _summary(scene)
        if status.mode != "Idle":
            status = lifecycle.superseded(scene, status)
        status = lifecycle.begin(scene, status, summary)
        return status, f"{_target(status)} begins with stage {status.stage.name!r}"
    if status.mode != "Idle" and lifecycle.may_proceed(scene, status):
        status = lifecycle.proceed(scene, status, _summary(scene))
        return status, f"stage {status.stage.name!r} begins"
    if status.mode == "Paused":
        status = _again(scene, status)
        until = scene.spec.rollout.progress_deadline
        return status, f"stage {status.stage.name!r} has another {until} to decide"
    raise RefusedError("nothing waits for a person")


def _skip(scene: Scene, status: DeviceFleetStatus) -> Answer:
    _refuse_unless_rolling(scene, status)
    if status.stage.skipped:
        raise RefusedError(f"stage {status.stage.name!r} is being skipped already")
    stage = status.stage.model_copy(update={"skipped": True})
    said = (
        f"stage {stage.name!r} ends when all its devices have answered, without soak and without "
        "waiting for undecided gates"
    )
    return status.model_copy(update={"stage": stage}), said


def _promote(scene: Scene, status: DeviceFleetStatus) -> Answer:
    _refuse_unless_rolling(scene, status)
    rollout, at = scene.spec.rollout, status.stage
    if course.is_last(rollout, at, scene.devices):
        hint = scene.command("skip")
        raise RefusedError(f"stage {at.name!r} is the last one already; {hint} ends its waiting")
    last = StageStatus(index=course.last(rollout, scene.devices))
    stage = lifecycle.started(scene, last, _summary(scene))
    mode = "Paused" if status.held else "Rolling"
    said = f"all {stage.limit} devices may take {_target(status)}"
    return status.model_copy(update={"stage": stage, "mode": mode}), said


def _abort(scene: Scene, status: DeviceFleetStatus) -> Answer:
    revision, what = current(status), _target(status)
    if status.mode == "Idle":
        raise RefusedError("nothing is rolled out; to go back, set spec.model.version")
    if status.mode == "Reverting":
        raise RefusedError(f"{what} is being taken back already")
    if revision.stable == 0 and lifecycle.closed(status):
        raise RefusedError(f"{what} is stopped already")
    failed = stages.failure(status.gates)
    why = failed.message if failed is not None else "it was aborted by request"
    if revision.stable == 0:
        why += ". There is no earlier revision to go back to"
        return lifecycle.stop(scene, status, why), f"{what} goes no further"
    back = named(status.kind, revision.stable)
    return lifecycle.take_back(status, why), f"{what} is taken back, {back} comes again"


def _retry(scene: Scene, status: DeviceFleetStatus) -> Answer:
    attempt = status.attempt + 1
    if status.mode == "Reverting":
        raise RefusedError(f"{_target(status)} is being taken back; ask when it is done")
    kind = _given_up(scene, status)
    if kind is not None:
        tried = named(kind, track(status, kind).target)
        status = _start_over(scene, status, kind).model_copy(update={"attempt": attempt})
        return status, f"{tried} is tried from its first stage"
    if status.mode == "Idle" or status.counts.failed == 0:
        raise RefusedError("nothing was taken back and no device gave up")
    status = _again(scene, status).model_copy(update={"attempt": attempt})
    stage = status.stage.model_copy(update={"complete_at": None})
    said = f"{status.counts.failed} devices that gave up try {_target(status)} again"
    return status.model_copy(update={"stage": stage}), said


def _given_up(scene: Scene, status: DeviceFleetStatus) -> Kind | None:
    """Return of which kind something was stopped or taken back that is still wanted."""
    if _stopped(status):
        return status.kind
    if status.mode != "Idle":
        return None
    return next((k for k in KINDS if track(status, k).failed == scene.wants[k] != 0), None)


def _start_over(scene: Scene, status: DeviceFleetStatus, kind: Kind) -> DeviceFleetStatus:
    """Forget the attempt: the next plan wants what is stable, the one after it begins anew."""
    if status.mode != "Idle" and not lifecycle.closed(status):
        failed = stages.failure(status.gates)
        why = failed.message if failed is not None else ""
        message = f"Paused {_target(status)}: {why}. It is tried again by request."
        status = lifecycle.record(scene, status, "Paused", message)
    status = with_track(status, kind, at_rest(track(status, kind).stable))
    return ended(status).model_copy(update={"gates": ()})


def _target(status: DeviceFleetStatus) -> str:
    return named(status.kind, current(status).target)


# --- what requests have in common -----------------------------------------------------------------


def _stopped(status: DeviceFleetStatus) -> bool:
    """Tell whether a gate or a person has ended the rollout where it is."""
    ended = lifecycle.closed(status) or stages.failure(status.gates) is not None
    return status.mode == "Paused" and ended


def _waits_to_begin(scene: Scene, status: DeviceFleetStatus) -> bool:
    wanted, revision = scene.wanted(status), track(status, scene.kind(status))
    if wanted in (0, revision.stable) or scene.devices == 0:
        return False
    return wanted != (revision.failed if status.mode == "Idle" else revision.target)


def _again(
    scene: Scene, status: DeviceFleetStatus, *, held: bool | None = None
) -> DeviceFleetStatus:
    """Let the stage's deadline run from now on."""
    stage = status.stage
    if status.mode in ("Rolling", "Paused"):
        stage = stage.model_copy(update={"resumed_at": scene.now})
    return status.model_copy(update={"stage": stage, "held": status.held if held is None else held})


def _refuse_unless_rolling(scene: Scene, status: DeviceFleetStatus) -> None:
    if status.mode not in ("Rolling", "Paused"):
        raise RefusedError(f"nothing is rolled out; {scene.command('resume')} begins what waits")
    if _superseded(scene, status):
        new = named(status.kind, scene.wanted(status))
        raise RefusedError(f"{new} is asked for in place of this one")
    _refuse_failed(scene, status)


def _refuse_failed(scene: Scene, status: DeviceFleetStatus) -> None:
    failed, superseded = stages.failure(status.gates), _superseded(scene, status)
    if failed is not None and not superseded:
        raise RefusedError(
            f"gate {failed.name!r} failed: {failed.message}; {scene.command('abort')} takes the "
            f"revision back, {scene.command('retry')} tries it from its first stage"
        )
    if lifecycle.closed(status) and not superseded:
        raise RefusedError(
            f"{_target(status)} was stopped; {scene.command('retry')} tries it from its first stage"
        )


def _superseded(scene: Scene, status: DeviceFleetStatus) -> bool:
    return scene.wanted(status) not in (0, current(status).target)


def _let_the_policy_act(status: DeviceFleetStatus) -> None:
    """Let a gate that failed just now lead to what the policy says, before anybody is heard."""
    if status.mode == "Rolling" and stages.failure(status.gates) is not None:
        raise NotYetError


def _summary(scene: Scene) -> Summary:
    if scene.fresh is None:
        raise NotYetError
    return scene.fresh


_VERBS: dict[str, Callable[[Scene, DeviceFleetStatus], Answer]] = {
    "pause": _pause,
    "resume": _resume,
    "skip": _skip,
    "promote": _promote,
    "abort": _abort,
    "retry": _retry,
}
VERBS = tuple(_VERBS)
