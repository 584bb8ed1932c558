"""What starts a round, and how many labels it may end with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from petiole.api.tinymodel import LONGEST_AWAITING, RoundStatus, TinyModelSpec, Trigger

from .observed import DriftAlarm, ModelObserved

REQUEST_VERB = "round@"
_FEWEST_SAMPLES = 20  # of the moved field, before labels are spent on them
_PATIENCE = timedelta(seconds=60)  # a field that sends no samples must not hold up the answer


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a round. ``drift_seen`` names the alarms that it answers."""

    trigger: Trigger
    target_labels: int
    drift_seen: str


@dataclass(frozen=True, slots=True)
class Hold:
    """An alarm is there, but its samples are not. ``awaiting`` names it."""

    awaiting: str
    until: datetime
    message: str


def data_hash(spec: TinyModelSpec) -> str:
    """Identify the data of a spec, so that a change of it starts a round; not who may read it."""
    text = spec.data.model_dump_json(by_alias=True, exclude={"credentials"})
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def due(observed: ModelObserved, now: datetime) -> Start | Hold | None:
    """Say what an idle model has to do, the first reason that applies."""
    spec, round_ = observed.spec, observed.status.round
    budget = max(spec.learning.label_budget, observed.labels)
    if round_.number == 0:
        return Start("Initial", budget, "")
    if round_.data_hash != data_hash(spec):
        return Start("DataChanged", budget, round_.drift_seen)
    if _may_try_again(observed):
        return Start(round_.trigger or "Initial", budget, round_.drift_seen)
    alarms = unanswered(observed)
    if alarms:
        return _drift(observed, alarms, now)
    wanted = spec.learning.triggers.new_samples
    if wanted is not None and observed.samples - round_.samples_before >= wanted:
        return Start("NewSamples", _and(observed, spec.learning.batch_size), round_.drift_seen)
    if asked(observed):
        return Start("Requested", _and(observed, spec.learning.batch_size), round_.drift_seen)
    return None


def _and(observed: ModelObserved, more: int) -> int:
    """Return the labels that a round may end with that may ask for so many more."""
    return observed.labels + (more if observed.spec.task.has_classes else 0)


def asked(observed: ModelObserved) -> bool:
    """Tell whether a round was asked for that none has answered."""
    request = observed.request
    return request.startswith(REQUEST_VERB) and request != observed.status.round.request


def _may_try_again(observed: ModelObserved) -> bool:
    """Tell whether a candidate was rejected and the spec was edited after that."""
    rejected = next((c for c in observed.status.conditions if c.type == "Rejected"), None)
    if rejected is None or rejected.status != "True":
        return False
    return rejected.observed_generation != observed.generation


def unanswered(observed: ModelObserved) -> tuple[DriftAlarm, ...]:
    """Return alarms that no round has answered and no newer version has overtaken."""
    if not observed.spec.learning.triggers.drift:
        return ()
    seen = observed.status.round.drift_seen.split(",")
    versions = observed.status.versions
    newest = versions[-1].created_at if versions else None
    return tuple(
        alarm
        for alarm in observed.drift
        if alarm.identity not in seen and (newest is None or alarm.detected_at > newest)
    )


def _drift(observed: ModelObserved, alarms: tuple[DriftAlarm, ...], now: datetime) -> Start | Hold:
    round_, learning = observed.status.round, observed.spec.learning
    awaiting = _named(alarms)
    # Samples that came before the alarm show the old field: they are counted from its first sight.
    # A model without classes learns from recorded runs, so there is nothing to wait for.
    new = observed.samples - round_.samples_before if round_.awaiting == awaiting else 0
    needed = max(_FEWEST_SAMPLES, learning.batch_size) if observed.spec.task.has_classes else 0
    until = max(alarm.detected_at for alarm in alarms) + _PATIENCE
    if new < needed and now < until:
        return Hold(awaiting, until, f"{new} of {needed} samples of the moved field have come in")
    # Alarms answered before and still standing stay answered.
    standing = {a.identity for a in observed.drift}
    kept = [i for i in round_.drift_seen.split(",") if i in standing]
    seen = ",".join(sorted({*kept, *(a.identity for a in alarms)}))
    return Start("Drift", _and(observed, learning.drift_budget), seen)


def _named(alarms: tuple[DriftAlarm, ...]) -> str:
    """Name alarms as status has room for: those of many fleets by a digest."""
    names = ",".join(alarm.identity for alarm in alarms)
    if len(names) <= LONGEST_AWAITING:
        return names
    return f"{len(alarms)} alarms, {hashlib.sha256(names.encode()).hexdigest()}"


def begun(observed: ModelObserved, start: Start, now: datetime) -> RoundStatus:
    """Return the round that ``start`` begins, before its first step."""
    return RoundStatus(
        number=observed.status.round.number + 1,
        trigger=start.trigger,
        since=now,
        data_hash=data_hash(observed.spec),
        drift_seen=start.drift_seen,
        target_labels=start.target_labels,
        samples_before=observed.samples,
        request=observed.request if start.trigger == "Requested" else observed.status.round.request,
    )
