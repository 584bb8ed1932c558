"""One pass over a DeviceFleet: from what is observed to the status to write and what to do.

Nothing is remembered between passes but status. The same observation gives the same outcome, and a
pass over its own outcome changes nothing. Status has to be written before the plan is sent: after a
crash in between the plan is late, while one that status does not know of could be narrowed again.
"""

from __future__ import annotations

from datetime import datetime

from petiole.api.devicefleet import DeviceFleetStatus, Waiting

from .conditions import conditions, message
from .drifting import watch
from .lifecycle import absorb, step
from .observed import Event, FleetAction, FleetObserved, FleetOutcome, PutPlan
from .plan import Plan
from .planning import numbered
from .quiet import worth_writing
from .requests import handle, pending
from .scene import Scene, look
from .tracks import current, named
from .waiting import waiting_for

_SOONEST = 0.05  # seconds; a deadline that is reached now is looked at again at once


def reconcile(observed: FleetObserved, now: datetime) -> FleetOutcome:
    """Decide what a fleet does next. ``now`` is aware, as all times in a status are."""
    scene = look(observed, now)
    status = absorb(scene, observed.status)
    events: tuple[Event, ...] = ()
    if pending(scene, status):
        # A pass that answers a request makes no step of its own: what follows sees it written.
        status, event = handle(scene, status)
        events = (event,) if event is not None else ()
    if not events:
        status = step(scene, status)
    status, plan = _plan(scene, status)
    status = _described(scene, status)
    events += _events(observed.status, status)
    waiting = status.waiting_for  # also when it is not worth a write: an old one may be long over
    status, later = worth_writing(observed, status, now)
    actions: tuple[FleetAction, ...] = events
    if plan is not None and _untold(observed, plan):
        actions = (PutPlan(plan), *actions)
    return FleetOutcome(status=status, actions=actions, again=_again(waiting, later, now))


def _described(scene: Scene, status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Add what people read: drift, the wait, the message and the conditions."""
    observed = scene.observed
    drift = watch(observed, status.revision.stable, status.drift)
    status = status.model_copy(update={"observed_generation": observed.generation, "drift": drift})
    status = status.model_copy(update={"waiting_for": waiting_for(scene, status)})
    status = status.model_copy(update={"message": message(scene, status)})
    return status.model_copy(update={"conditions": conditions(scene, status)})


def _plan(scene: Scene, status: DeviceFleetStatus) -> tuple[DeviceFleetStatus, Plan | None]:
    if not scene.observed.model_uid:
        return status, None
    try:
        return numbered(scene.observed, status)
    except LookupError:
        return status, None


def _untold(observed: FleetObserved, plan: Plan) -> bool:
    """Tell whether the gateway can be reached and answers another plan, or none."""
    if observed.gateway_problem:
        return False
    return observed.summary is None or observed.summary.serial != plan.serial


def _again(waiting: Waiting | None, later: datetime | None, now: datetime) -> float | None:
    times = [t for t in (later, waiting.until if waiting is not None else None) if t is not None]
    return max((min(times) - now).total_seconds(), _SOONEST) if times else None


def _events(before: DeviceFleetStatus, after: DeviceFleetStatus) -> tuple[Event, ...]:
    """Tell what a person following the object wants to hear: turns, not every device."""
    events = []
    if after.history and after.history[-1:] != before.history[-1:]:
        entry = after.history[-1]
        kind = "Normal" if entry.result in ("Promoted", "Superseded") else "Warning"
        events.append(Event(kind, entry.result, entry.message))
    moved = (after.kind, current(after).target, after.stage.name) != (
        before.kind,
        current(before).target,
        before.stage.name,
    )
    if after.mode == "Rolling" and moved:
        stage = after.stage
        what = named(after.kind, current(after).target).capitalize()
        text = f"{what}: stage {stage.name}, {stage.limit} devices"
        events.append(Event("Normal", "StageStarted", text))
    if after.mode == "Reverting" and before.mode != "Reverting":
        events.append(Event("Warning", "Reverting", after.message))
    if after.drift.state == "Drifted" and before.drift.state != "Drifted":
        events.append(Event("Warning", "Drifted", after.drift.message))
    return tuple(events)
