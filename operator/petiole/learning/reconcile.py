"""One pass over a TinyModel: from what is observed to the status to write and what to do.

Nothing is remembered between passes but status, the runs and the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from petiole.api.base import Condition, set_condition, shortened
from petiole.api.tinymodel import TinyModelStatus

from . import detection
from .datasets import left_out
from .observed import Event, ModelObserved, ModelOutcome
from .rounds import Turn, condition, take

_WORK = {
    "Querying": "choosing samples to ask labels for",
    "Labelling": "waiting for labels",
    "Training": "training and compressing",
    "Packing": "signing the new version",
}


def reconcile(observed: ModelObserved, now: datetime) -> ModelOutcome:
    """Decide what a model does next. ``now`` is aware, as all times in a status are."""
    turn = take(observed, now)
    status = turn.status.model_copy(update={"observed_generation": observed.generation})
    findings = _findings(observed, turn, status)
    status = status.model_copy(
        update={
            "message": shortened(_message(turn, status)),
            "conditions": _set(status.conditions, findings, observed.generation, now),
        }
    )
    actions = (*turn.actions, *_stalled(observed, turn))
    return ModelOutcome(status=status, actions=actions, again=turn.again)


def _stalled(observed: ModelObserved, turn: Turn) -> tuple[Event, ...]:
    """Tell of a stall once, when it begins."""
    before = condition(observed.status, "Stalled")
    if turn.stall is None or (before is not None and before.status == "True"):
        return ()
    return (Event("Warning", turn.stall.reason, turn.stall.message),)


@dataclass(frozen=True, slots=True)
class _Finding:
    type: str
    status: bool
    reason: str
    message: str


def _findings(observed: ModelObserved, turn: Turn, status: TinyModelStatus) -> tuple[_Finding, ...]:
    rejected = _rejected(observed, turn, status)
    found = (*_kstatus(turn, status, rejected), rejected)
    if observed.spec.task.has_classes:
        found = (*found, _labels(turn, status), _asking(status))
    return (*found, *_data(observed), *_baseline(observed))


def _kstatus(turn: Turn, status: TinyModelStatus, rejected: _Finding) -> tuple[_Finding, ...]:
    """``Ready``, ``Reconciling`` and ``Stalled`` as kstatus reads them."""
    busy = status.round.step != "Idle" or bool(status.round.awaiting)
    text = _message(turn, status)
    reason: str = status.round.step if busy else "UpToDate"
    stalled, why = False, ""
    if turn.stall is not None:
        stalled, reason, why = True, turn.stall.reason, turn.stall.message
    elif rejected.status and status.latest_version == 0 and not busy:
        stalled, reason, why = True, rejected.reason, rejected.message
    ready = status.latest_version > 0 and not busy and not stalled
    return (
        _Finding("Ready", ready, reason, text),
        _Finding("Reconciling", busy and not stalled, reason, text if busy else ""),
        _Finding("Stalled", stalled, reason, why),
    )


def _rejected(observed: ModelObserved, turn: Turn, status: TinyModelStatus) -> _Finding:
    """Tell how the last candidate was judged; a new round clears it."""
    if turn.judgement is not None:
        judged = turn.judgement
        reason = "Accepted" if judged.accepted else judged.reason
        return _Finding("Rejected", not judged.accepted, reason, judged.message)
    before = condition(observed.status, "Rejected")
    if before is None or status.round.number != observed.status.round.number:
        return _Finding("Rejected", False, "NotJudged", "")
    return _Finding("Rejected", before.status == "True", before.reason, before.message)


def _data(observed: ModelObserved) -> tuple[_Finding, ...]:
    """Tell of photos that the last run left out; it stays said until a run reads all."""
    if observed.run_document is None:
        return ()
    problem = left_out(observed.run_document)
    if not problem and condition(observed.status, "DataReadable") is None:
        return ()
    reason = "PhotosLeftOut" if problem else "AllRead"
    return (_Finding("DataReadable", not problem, reason, problem),)


def _baseline(observed: ModelObserved) -> tuple[_Finding, ...]:
    """Tell, of a model without classes, of machines that are no longer what devices learned."""
    if observed.spec.task.has_classes:
        return ()
    moved = detection.moved(observed.drift)
    if moved:
        return (_Finding("BaselineDrifted", True, "FleetMoved", moved),)
    if observed.run_document is not None:
        text = detection.restless(observed.run_document)
        reason = "WhileLearning" if text else "Steady"
        return (_Finding("BaselineDrifted", bool(text), reason, text),)
    before = condition(observed.status, "BaselineDrifted")
    if before is None or before.reason == "FleetMoved":
        return (_Finding("BaselineDrifted", False, "Steady", ""),)
    return (_Finding("BaselineDrifted", before.status == "True", before.reason, before.message),)


def _labels(turn: Turn, status: TinyModelStatus) -> _Finding:
    if turn.labels_problem:
        text = f"{turn.labels_problem} It is asked again by itself."
        return _Finding("LabelsAvailable", False, "LabelSourceFailed", text)
    waits = status.round.step == "Labelling"
    reason = "Asked" if waits else "NothingAsked"
    return _Finding("LabelsAvailable", True, reason, "")


def _asking(status: TinyModelStatus) -> _Finding:
    """Tell which rule ended the asking of this round, and what is left of its labels."""
    stopped = status.round.stopped
    if stopped is None:
        return _Finding("AskingEnded", False, "Asking" if status.round.number else "NotBegun", "")
    left = max(status.round.target_labels - stopped.labels, 0)
    text = f"{stopped.message}; {left} of the round's {status.round.target_labels} labels are left"
    return _Finding("AskingEnded", True, stopped.rule, text)


def _message(turn: Turn, status: TinyModelStatus) -> str:
    round_, labels = status.round, status.labels
    if turn.stall is not None:
        return turn.stall.message
    if turn.message:
        return turn.message
    if round_.step != "Idle":
        return (
            f"Round {round_.number} ({round_.trigger}): {_WORK[round_.step]}, {labels.spent} labels"
        )
    if not status.versions:
        return "There is no version yet"
    newest = status.versions[-1]
    return f"Version {newest.version}: {newest.reached}"


def _set(
    conditions: tuple[Condition, ...],
    findings: tuple[_Finding, ...],
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    for finding in findings:
        conditions = set_condition(
            conditions,
            finding.type,
            status=finding.status,
            reason=finding.reason,
            message=finding.message,
            generation=generation,
            now=now,
        )
    return conditions
