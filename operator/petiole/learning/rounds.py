"""The steps of a learning round: what each of them does with a fresh look.

``Idle -> Querying -> Labelling -> (Querying ...) -> Training -> Packing -> Idle``. A step starts
its work by name, looks for it, and moves on when the result is there: repeating a step starts
nothing twice, and it does not matter whether an action or the write of status came first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from petiole.api.base import Condition
from petiole.api.tinymodel import CurvePoint, RoundStatus, Stopped, TinyModelStatus

from . import attempts, detection, stopping, students, triggers
from .judge import Judgement, judge, percent
from .observed import (
    AskLabels,
    CancelRun,
    Event,
    ModelAction,
    ModelObserved,
    Pack,
    SaveLabels,
)
from .runs import Run

CURVE, VERSIONS = 100, 20
_POLL = 1.0  # seconds between looks at a run
_ASK = 5.0  # seconds between looks for answers
_PEOPLE = 15.0  # of people, on a server that has other things to do
_NOW = 0.05  # seconds; the result of an action of this pass is there by the next


@dataclass(frozen=True, slots=True)
class Stall:
    """Why a person may have to act."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What a step decided. ``judgement`` is set in the pass that judged a candidate."""

    status: TinyModelStatus
    actions: tuple[ModelAction, ...] = ()
    again: float | None = None
    stall: Stall | None = None
    labels_problem: str = ""
    judgement: Judgement | None = None
    message: str = ""


def take(observed: ModelObserved, now: datetime) -> Turn:
    """Take one step."""
    round_ = observed.status.round
    moved = round_.data_hash != triggers.data_hash(observed.spec)
    if round_.step in ("Querying", "Labelling", "Training") and moved:
        return _restart(observed, now)
    return _STEPS[round_.step](observed, now)


def condition(status: TinyModelStatus, type_: str) -> Condition | None:
    return next((c for c in status.conditions if c.type == type_), None)


# --- Idle -----------------------------------------------------------------------------------------


def _idle(observed: ModelObserved, now: datetime) -> Turn:
    status = observed.status
    if observed.run_problem:
        return Turn(status, again=_ASK, stall=Stall("StoreUnavailable", observed.run_problem))
    due = triggers.due(observed, now)
    if isinstance(due, triggers.Start):
        return _begin(observed, due, now)
    if isinstance(due, triggers.Hold):
        return _hold(observed, due, now)
    return Turn(status)


def _hold(observed: ModelObserved, hold: triggers.Hold, now: datetime) -> Turn:
    round_ = observed.status.round
    if round_.awaiting != hold.awaiting:
        update = {"awaiting": hold.awaiting, "samples_before": observed.samples}
        round_ = round_.model_copy(update=update)
    again = min(_ASK, max((hold.until - now).total_seconds(), _NOW))
    status = observed.status.model_copy(update={"round": round_})
    return Turn(status, again=again, message=f"The field has drifted; {hold.message}")


def _begin(observed: ModelObserved, start: triggers.Start, now: datetime) -> Turn:
    round_ = _next(observed, triggers.begun(observed, start, now), now)
    status = _with_round(observed, round_)
    text = f"Round {round_.number} for {start.trigger}, up to {start.target_labels} labels"
    event = Event("Normal", "RoundStarted", text)
    return Turn(status, (attempts.start(observed, round_, observed.labels), event), again=_POLL)


def _restart(observed: ModelObserved, now: datetime) -> Turn:
    """Leave a round whose data were changed under it."""
    if observed.run_problem:
        return Turn(
            observed.status, again=_ASK, stall=Stall("StoreUnavailable", observed.run_problem)
        )
    run = observed.run
    if run is not None and run.state == "Running":
        # Status names it until it is over: otherwise a crash here would leave it running.
        return Turn(observed.status, (CancelRun(run.name),), again=_NOW)
    budget = max(observed.spec.learning.label_budget, observed.labels)
    seen = observed.status.round.drift_seen
    return _begin(observed, triggers.Start("DataChanged", budget, seen), now)


def _next(observed: ModelObserved, round_: RoundStatus, now: datetime) -> RoundStatus:
    """Ask for more labels, or train when there are enough."""
    asks = observed.labels < round_.target_labels
    if not asks and observed.spec.task.has_classes:
        stopped = stopping.budget(observed.labels, round_.target_labels)
        round_ = round_.model_copy(update={"stopped": stopped})
    return _enter(observed, round_, now, asks=asks)


def _enter(
    observed: ModelObserved, round_: RoundStatus, now: datetime, *, asks: bool
) -> RoundStatus:
    name = attempts.first_name(
        observed, round_.number, observed.labels, "query" if asks else "train"
    )
    step = "Querying" if asks else "Training"
    return round_.model_copy(update={"step": step, "run": name, "since": now})


def _with_round(observed: ModelObserved, round_: RoundStatus) -> TinyModelStatus:
    labels = observed.status.labels.model_copy(update={"spent": observed.labels, "requested": 0})
    return observed.status.model_copy(update={"round": round_, "labels": labels})


# --- Querying and Training ------------------------------------------------------------------------

Then = Callable[[ModelObserved, "dict[str, Any]", datetime], Turn]


def _run(observed: ModelObserved, now: datetime, then: Then) -> Turn:
    """Have the run of this step made, and go on with its document."""
    status, run = observed.status, observed.run
    stall = Stall("RunUnavailable", observed.run_problem) if observed.run_problem else None
    if run is None:
        start = attempts.start(observed, status.round, status.labels.spent)
        return Turn(status, (start,), again=_ASK if stall else _POLL, stall=stall)
    if run.state == "Failed":
        return _failed(observed, run, now)
    if run.state == "Running" or observed.run_document is None or stall is not None:
        return Turn(status, again=_POLL, stall=stall)
    return then(observed, dict(observed.run_document), now)


def _failed(observed: ModelObserved, run: Run, now: datetime) -> Turn:
    """Try again when the spec was edited, or by itself where that can help; else say what to do."""
    before = condition(observed.status, "Stalled")
    stalled = before is not None and before.status == "True"
    edited = stalled and before is not None and before.observed_generation != observed.generation
    rule = attempts.retry(run)
    since = before.last_transition_time if stalled and before is not None else now
    wait = timedelta(seconds=rule.backoff) if rule is not None else None
    if edited or (stalled and wait is not None and now >= since + wait):
        round_ = observed.status.round.model_copy(
            update={"run": attempts.next_name(run.name), "since": now}
        )
        status = observed.status.model_copy(update={"round": round_})
        return Turn(status, (attempts.start(observed, round_, status.labels.spent),), again=_POLL)
    return Turn(
        observed.status,
        again=None if wait is None else max((since + wait - now).total_seconds(), _NOW),
        stall=Stall(run.reason or "StepFailed", _blame(run, retried=wait is not None)),
    )


def _blame(run: Run, *, retried: bool) -> str:
    where = f"step {run.step} of run {run.name}" if run.step else f"run {run.name}"
    what_next = "it is tried again by itself" if retried else "edit the spec to try again"
    return f"{where} failed: {run.message or run.reason}; {what_next}"


def _queried(observed: ModelObserved, document: dict[str, Any], now: datetime) -> Turn:
    status = _measured(observed.status, document)
    ids = _ids(document)
    stopped = _stopped(observed, status, ids)
    if stopped is not None:
        ended = status.round.model_copy(update={"stopped": stopped})
        round_ = _enter(observed, ended, now, asks=False)
        status = status.model_copy(update={"round": round_})
        start = attempts.start(observed, round_, status.labels.spent)
        text = f"Round {round_.number} asks no more ({stopped.rule}): {stopped.message}"
        return Turn(status, (start, Event("Normal", "AskingEnded", text)), again=_POLL)
    asked = status.round.run
    round_ = status.round.model_copy(update={"step": "Labelling", "since": now, "asked": asked})
    labels = status.labels.model_copy(update={"requested": len(ids)})
    status = status.model_copy(update={"round": round_, "labels": labels})
    return Turn(status, (AskLabels(round_.run, ids),), again=_NOW)


def _stopped(
    observed: ModelObserved, status: TinyModelStatus, ids: tuple[str, ...]
) -> Stopped | None:
    if not ids:
        return stopping.exhausted(status.labels.spent)
    round_ = status.round
    points = [point for point in status.curve if point.round == round_.number]
    return stopping.stop(observed.spec.learning.stopping, round_.trigger, points)


def _ids(document: dict[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(query["id"]) for query in document.get("queries", ())))


def _measured(status: TinyModelStatus, document: dict[str, Any]) -> TinyModelStatus:
    """Note the size of the pool and the teacher's accuracy with the labels so far."""
    labels = status.labels.model_copy(update={"pool": int(document["pool"])})
    # Before the first label there is no teacher to measure.
    if not document.get("labelled"):
        return status.model_copy(update={"labels": labels})
    kappa = document.get("agreement")
    point = CurvePoint(
        labels=int(document["labelled"]),
        accuracy=percent(float(document["teacherAccuracy"])),
        round=status.round.number,
        agreement="" if kappa is None else percent(float(kappa)),
    )
    # A training has the teacher of the query before it when no label came in between.
    seen = [(p.round, p.labels) for p in status.curve[-1:]] == [(point.round, point.labels)]
    curve = status.curve if seen else (*status.curve, point)[-CURVE:]
    return status.model_copy(update={"labels": labels, "curve": curve})


def _trained(observed: ModelObserved, document: dict[str, Any], now: datetime) -> Turn:
    status = _measured(observed.status, document)
    status = status.model_copy(update={"students": students.described(document)})
    judging = judge if observed.spec.task.has_classes else detection.judge
    verdict = judging(observed.spec, document, observed.field_version)
    if verdict.accepted:
        round_ = status.round.model_copy(update={"step": "Packing", "since": now})
        pack = Pack(status.latest_version + 1, round_.run)
        status = status.model_copy(update={"round": round_})
        return Turn(status, (pack,), again=_NOW, judgement=verdict)
    text = f"Round {status.round.number} made no version: {verdict.message}"
    event = Event("Warning", "Rejected", text)
    return Turn(_rest(status), (event,), judgement=verdict)


def _rest(status: TinyModelStatus) -> TinyModelStatus:
    update = {"step": "Idle", "run": "", "since": None, "awaiting": ""}
    return status.model_copy(update={"round": status.round.model_copy(update=update)})


# --- Labelling ------------------------------------------------------------------------------------


def _labelling(observed: ModelObserved, now: datetime) -> Turn:
    status, problem = observed.status, observed.answers_problem
    if observed.run_document is None:
        return _lost(observed, now)
    ids = _ids(dict(observed.run_document))
    # The count in the store tells that the answers are safe, whoever wrote them and whenever.
    if observed.labels >= status.labels.spent + len(ids):
        round_ = _next(observed, status.round, now)
        start = attempts.start(observed, round_, observed.labels)
        return Turn(_with_round(observed, round_), (start,), again=_POLL)
    answered = {id_: observed.answers[id_] for id_ in ids if id_ in observed.answers}
    text = f"{len(answered)} of {len(ids)} labels are answered"
    if len(answered) == len(ids):
        again = _ASK if problem else _NOW
        # With them goes what people have corrected in earlier batches of the round.
        save = SaveLabels(observed.answers)
        return Turn(status, (save,), again, labels_problem=problem, message=text)
    ask = AskLabels(status.round.run, ids)
    labels = observed.spec.learning.labels
    again = _PEOPLE if labels is not None and labels.source == "LabelStudio" else _ASK
    return Turn(status, (ask,), again=again, labels_problem=problem, message=text)


def _lost(observed: ModelObserved, now: datetime) -> Turn:
    """Without the queries of this batch, wait for the store, or ask anew when the run is gone."""
    if observed.run_problem or observed.run is not None:
        stall = Stall("RunUnavailable", observed.run_problem) if observed.run_problem else None
        return Turn(observed.status, again=_ASK, stall=stall)
    round_ = observed.status.round.model_copy(update={"step": "Querying", "since": now})
    status = observed.status.model_copy(update={"round": round_})
    return Turn(status, (attempts.start(observed, round_, status.labels.spent),), again=_POLL)


# --- Packing --------------------------------------------------------------------------------------


def _packing(observed: ModelObserved, _now: datetime) -> Turn:
    status, packed = observed.status, observed.packed
    number = status.latest_version + 1
    if packed is None or packed.version != number:
        problem = observed.pack_problem or observed.run_problem
        stall = Stall("PackFailed", problem) if problem else None
        pack = Pack(number, status.round.run)
        return Turn(status, (pack,), again=_ASK if stall else _POLL, stall=stall)
    versions = (*status.versions, packed)[-VERSIONS:]
    status = _rest(status).model_copy(update={"latest_version": number, "versions": versions})
    text = f"Version {number}: {packed.reached}"
    return Turn(status, (Event("Normal", "Accepted", text),))


def _querying(observed: ModelObserved, now: datetime) -> Turn:
    return _run(observed, now, _queried)


def _training(observed: ModelObserved, now: datetime) -> Turn:
    return _run(observed, now, _trained)


_STEPS: dict[str, Callable[[ModelObserved, datetime], Turn]] = {
    "Idle": _idle,
    "Querying": _querying,
    "Labelling": _labelling,
    "Training": _training,
    "Packing": _packing,
}
