"""What the operator counts; docs/metrics.md lists it.

Series whose labels are known beforehand begin at zero: of one that appears with its first event
Prometheus would see no increase.
"""

from __future__ import annotations

from itertools import product
from typing import get_args

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics

from petiole.api.devicefleet import HistoryEntry, Kind
from petiole.api.tinymodel import Step
from petiole.events.told import TYPES
from petiole.learning.observed import ModelAction
from petiole.rollout.observed import FleetAction

from .keys import Plural
from .standing import Standing

# Times of birth, which nobody asks for, would be one more series of each.
disable_created_metrics()  # type: ignore[no-untyped-call]

KINDS = get_args(Plural)
ENDS = ("Done", "Conflict", "Problem", "Error")
NAMES = tuple(dict.fromkeys(a.__name__ for a in get_args(ModelAction) + get_args(FleetAction)))
DELIVERIES = ("delivered", "failed", "given up")
RESULTS = get_args(HistoryEntry.model_fields["result"].annotation)
STEPS = tuple(step for step in get_args(Step) if step != "Idle")
_LONG = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 86400, 3 * 86400, 7 * 86400, 30 * 86400)  # seconds

PASSES = Histogram("petiole_operator_pass_seconds", "Time of a pass over an object", ["kind"])
ENDED = Counter(
    "petiole_operator_passes", "Passes by how they ended; Error is a fault", ["kind", "result"]
)
ACTIONS = Counter("petiole_operator_actions", "Actions done", ["action"])
FAILURES = Counter("petiole_operator_problems", "Actions that failed", ["action"])
WRITES = Counter("petiole_operator_status_writes", "Writes of status", ["kind"])
REQUESTS = Counter(
    "petiole_operator_requests",
    "Requests to API server and gateway; code none: no answer",
    ["to", "method", "code"],
)
WAITING = Gauge("petiole_operator_queue_length", "Objects whose pass is due")
LEADING = Gauge("petiole_operator_leading", "1: this operator acts; 0: it stands by")
WAITED = Histogram("petiole_operator_queue_wait_seconds", "Time that a due pass waited")
EVENTS = Counter(
    "petiole_operator_events", "CloudEvents by what became of them", ["type", "result"]
)
ROLLOUTS = Histogram(
    "petiole_fleet_rollout_seconds",
    "Time of a rollout, first stage to end",
    ["kind", "result"],
    buckets=_LONG,
)
STAGES = Histogram(
    "petiole_fleet_stage_seconds",
    "Time of a stage until its last device had answered",
    buckets=_LONG,
)
ALARMS = Counter("petiole_fleet_drift_alarms", "Drift alarms that were raised")
ROUNDS = Counter("petiole_model_rounds", "Learning rounds that ended", ["result"])
ROUND_STEPS = Histogram(
    "petiole_model_step_seconds", "Time of a learning round's step", ["step"], buckets=_LONG
)
STANDING = Standing()
REGISTRY.register(STANDING)


def _begin() -> None:
    """Have a zero of each series that is known beforehand."""
    for kind in KINDS:
        PASSES.labels(kind)
        WRITES.labels(kind)
    for kind, end in product(KINDS, ENDS):
        ENDED.labels(kind, end)
    for name in NAMES:
        ACTIONS.labels(name)
        FAILURES.labels(name)
    for type_, result in product(TYPES, DELIVERIES):
        EVENTS.labels(type_, result)
    for kind, result in product(get_args(Kind), RESULTS):
        ROLLOUTS.labels(kind, result)
    for result in ("Accepted", "Rejected"):
        ROUNDS.labels(result)
    for step in STEPS:
        ROUND_STEPS.labels(step)


_begin()
