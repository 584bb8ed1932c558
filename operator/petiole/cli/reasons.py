"""What an object waits for or why it stopped, and what to do: an object in, a paragraph out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from petiole.api.base import Condition
from petiole.api.devicefleet import DeviceFleetStatus, DriftStatus, GateStatus
from petiole.view.fleet import counts
from petiole.view.model import labels
from petiole.view.objects import Fleet, Model
from petiole.view.words import Paragraph, clock, interval, share, span

from .readable import UnreadableError, read

# Conditions that say that something is wrong, and the status that does.
_WRONG = {
    "BaselineDrifted": "True",
    "Degraded": "True",
    "Regressed": "True",
    "Rejected": "True",
    "Stalled": "True",
    "DataReadable": "False",
    "GatewayReachable": "False",
    "LabelsAvailable": "False",
    "ReferenceReadable": "False",
}
_SEE_OPERATOR = "`kubectl get pods -A -l app.kubernetes.io/component=operator`"


def of_body(body: Mapping[str, Any], now: datetime) -> str:
    """Return the paragraph of a fleet or a model; of one that cannot be read, why not."""
    try:
        if body["kind"] == "DeviceFleet":
            return of_fleet(read(Fleet, body), now)
        return of_model(read(Model, body), now)
    except UnreadableError as error:
        return str(error)


def of_fleet(fleet: Fleet, now: datetime) -> str:
    """Return a paragraph: where the fleet stands, its wait, its gates, and what else is wrong."""
    status, told = fleet.status, Paragraph()
    _behind(told, fleet)
    told.add("", status.message)
    if status.mode == "Reverting":
        told.add(f"Of its devices {counts(status.counts)}")
    _wait(told, status, now)
    for gate in status.gates:
        if status.mode != "Idle" or gate.verdict == "Fail":
            told.add(_gate(gate), gate.message)
    _wrong(told, status.conditions)
    _drift(told, status.drift)
    if status.waiting_for is None and status.mode == "Idle":
        told.add("Nothing waits")
    return str(told)


def of_model(model: Model, now: datetime) -> str:
    """Return a paragraph: where the model stands, its round, and what is wrong."""
    status, round_, told = model.status, model.status.round, Paragraph()
    _behind(told, model)
    told.add("", status.message)
    if round_.step != "Idle":
        since = f" for {span(round_.since, now)}" if round_.since is not None else ""
        run = f", run {round_.run}" if round_.run else ""
        told.add(f"Round {round_.number} ({round_.trigger}) is at {round_.step}{since}{run}")
    if status.labels.pool:
        told.add(f"It has {labels(status)}")
    if round_.stopped is not None:
        told.add(f"Asking ended by {round_.stopped.rule}", round_.stopped.message)
    if round_.awaiting:
        told.add("It waits for samples of the field that drifted", round_.awaiting)
    _wrong(told, status.conditions)
    if round_.step == "Idle" and not model.behind:
        command = f"petiole learn {model.name} -n {model.namespace}"
        told.add(f"No round is under way; `{command}` asks for one")
    return str(told)


def _behind(told: Paragraph, seen: Fleet | Model) -> None:
    if seen.behind:
        told.add(
            f"The operator has not looked at generation {seen.generation} yet, the last it saw is "
            f"{max(seen.status.observed_generation, 0)}",
            f"to see whether it runs: {_SEE_OPERATOR}",
        )


def _wait(told: Paragraph, status: DeviceFleetStatus, now: datetime) -> None:
    found = status.waiting_for
    if found is None:
        return
    stuck = any(c.type == "Stalled" and c.status == "True" for c in status.conditions)
    for_ = span(found.since, now)
    lead = f"It stopped {for_} ago" if stuck else f"It has waited for {for_}"
    lead += f" ({found.reason})"
    if found.until is not None:
        lead += f", until {clock(found.until)} ({span(now, found.until)} left)"
    told.add(lead, found.message)


def _gate(gate: GateStatus) -> str:
    said = {"Fail": "failed", "Continue": "is undecided", "Pass": "passes"}
    numbers = f" at {share(gate.estimate)} ({interval(gate.interval)})" if gate.interval else ""
    return f"Gate {gate.name!r} {said.get(gate.verdict, 'does not apply')}{numbers}"


def _wrong(told: Paragraph, found: Sequence[Condition]) -> None:
    for each in found:
        impaired = each.type == "GatewayReachable" and each.reason == "Impaired"
        wrong = _WRONG.get(each.type) == each.status or impaired
        if wrong and each.message and not told.says(each.message):
            told.add(f"{each.type} ({each.reason})", each.message)


def _drift(told: Paragraph, drift: DriftStatus) -> None:
    if drift.state == "Drifted":
        since = f" since {clock(drift.since)}" if drift.since is not None else ""
        moved = f" ({'; '.join(drift.moved)})" if drift.moved else ""
        told.add(f"The field has drifted{since}", drift.message + moved)
