"""Which changes of a status are worth a write.

Ten thousand devices change the counts ten thousand times, and every write costs the API server and
each of its watchers. What a reader acts on is written at once: mode, stage, a gate's verdict, a
wait for a person or a window, the first failed device, a condition's status. What only counts on
is written a quarter of the stage at a time, and otherwise the more seldom the longer it goes on.
Nothing is lost: the next pass reads the same numbers from the gateway.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from petiole.api.base import seconds
from petiole.api.devicefleet import Counts, DeviceFleetStatus

from . import stages
from .observed import FleetObserved

_CALM = timedelta(seconds=60)
_SLOWER = 4  # how much longer each time between two writes that only count on
# Waits in which devices come and go; which of them it is right now changes by the second.
_UNDER_WAY = frozenset(
    {
        *("DevicesUpdating", "Pace", "DisruptionBudget", "Backoff", "PlanNotTaken"),
        *("DownloadWindow", "ApplyWindow", "Freeze"),
    }
)


def worth_writing(
    observed: FleetObserved, status: DeviceFleetStatus, now: datetime
) -> tuple[DeviceFleetStatus, datetime | None]:
    """Return the status to keep, and when to look again if a change was held back.

    The status is ``observed.status`` itself when nothing in ``status`` is worth a write yet.
    """
    before = observed.status
    if status == before:
        return before, None
    due = _due(before, status, seconds(observed.spec.monitoring.interval))
    told = _gist(status) == _gist(before) and _quarter(status) <= _quarter(before)
    if told and due is not None and now < due:
        return before, due
    return status.model_copy(update={"reported_at": now}), None


def _due(before: DeviceFleetStatus, after: DeviceFleetStatus, interval: float) -> datetime | None:
    """When counts may be written again; None for now."""
    last = before.reported_at
    if last is None:
        return None
    since = _began(after)
    if since is None:
        return last + min(_CALM, timedelta(seconds=interval))
    return since + _SLOWER * max(last - since, timedelta(0)) + _CALM


def _began(status: DeviceFleetStatus) -> datetime | None:
    """When what is counted now began: the way back, or the stage. None when idle."""
    if status.mode == "Idle":
        return None
    if status.mode == "Reverting" and status.waiting_for is not None:
        return status.waiting_for.since
    return status.stage.started_at


def _quarter(status: DeviceFleetStatus) -> int:
    counts = status.counts
    if status.mode == "Reverting":
        return 4 * counts.reverted // max(status.exposed, 1)
    due = min(status.stage.limit, counts.total)
    return 4 * min(stages.settled(counts), due) // max(due, 1)


def _gist(status: DeviceFleetStatus) -> dict[str, Any]:
    """Return what must be written at once when it changes."""
    whole = status.model_copy(
        update={"counts": Counts(), "exposed": 0, "samples": 0, "message": "", "reported_at": None}
    )
    waiting = status.waiting_for
    under_way = waiting is not None and waiting.reason in _UNDER_WAY
    return dict(whole) | {
        "failed": status.counts.failed > 0,
        "gave_up": status.gave_up > 0,
        "gates": [(g.name, g.verdict) for g in status.gates if g.verdict != "Continue"],
        "waiting_for": "under way" if under_way else waiting and (waiting.reason, waiting.until),
        "drift": (status.drift.state, status.drift.version),
        "conditions": [_condition(c.type, c.status, c.reason) for c in status.conditions],
    }


def _condition(type_: str, status: str, reason: str) -> tuple[str, str, str]:
    """Return a condition's gist; the reasons of these three repeat the wait's."""
    return type_, status, "" if type_ in ("Ready", "Reconciling", "Stalled") else reason
