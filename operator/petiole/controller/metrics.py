"""What the operator counts."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

PASSES = Histogram("petiole_operator_pass_seconds", "Passes over an object.", ["kind"])
FAILURES = Counter("petiole_operator_problems_total", "Actions that failed.", ["action"])
ACTIONS = Counter("petiole_operator_actions_total", "Actions done.", ["action"])
WRITES = Counter("petiole_operator_status_writes_total", "Writes of status.", ["kind"])
WAITING = Gauge("petiole_operator_queue_length", "Objects that wait for a pass.")
LEADING = Gauge("petiole_operator_leading", "1: this operator acts; 0: it stands by.")
EVENTS = Counter(
    "petiole_operator_events_total", "CloudEvents by what became of them.", ["type", "result"]
)
