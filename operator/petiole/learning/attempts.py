"""Names and parameters of pipeline runs, and which failed runs are tried again.

A name is made from what status holds, so a crash at any moment finds the run that it started. A
retry needs a new name; the attempt is part of it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from petiole.api.base import fraction, seconds
from petiole.api.learning import Learning
from petiole.api.task import Task
from petiole.api.tinymodel import RoundStatus, TinyModelSpec

from .observed import ModelObserved, StartRun
from .runs import Run

Phase = Literal["query", "train"]
_AIM = 0.9  # of the accepted false alarms is what the choice of a detector is asked for
_ATTEMPT = re.compile(r"-a([0-9]+)$")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a run may be made in all, and how long to wait in between, in seconds."""

    attempts: int
    backoff: float


# What a person can mend without touching the spec is tried again by itself, slowly.
_OUTSIDE = Retry(attempts=1000, backoff=30.0)
_RETRIES = {
    "Died": Retry(attempts=2, backoff=5.0),
    "DataMissing": _OUTSIDE,
    "DataUnavailable": _OUTSIDE,
    "StoreUnavailable": _OUTSIDE,
}
_NEVER = Retry(attempts=1, backoff=0.0)


def first_name(observed: ModelObserved, number: int, labels: int, phase: Phase) -> str:
    """``digits-0a1b2c3d-r2-b40-query``: round 2, asked when there were 40 labels."""
    return f"{round_name(observed, number)}-b{labels}-{phase}"


def round_name(observed: ModelObserved, number: int) -> str:
    """Return what the names of all runs of a round begin with."""
    return f"{observed.name}-{observed.uid[:8]}-r{number}"


def attempt(name: str) -> int:
    found = _ATTEMPT.search(name)
    return int(found[1]) if found else 1


def next_name(name: str) -> str:
    return f"{_ATTEMPT.sub('', name)}-a{attempt(name) + 1}"


def retry(run: Run) -> Retry | None:
    """Say when a failed run is tried again by itself; None when a person has to act."""
    rule = _RETRIES.get(run.reason, _NEVER)
    return rule if attempt(run.name) < rule.attempts else None


def start(observed: ModelObserved, round_: RoundStatus, labels: int) -> StartRun:
    """Return the start of the run that ``round_`` names; the controller adds its places."""
    learning = observed.spec.learning
    batch = max(1, min(learning.batch_size, round_.target_labels - labels))
    field = observed.field_version
    return StartRun(
        name=round_.run,
        parameters={
            "phase": _phase(observed.spec, round_),
            "model_uid": observed.uid,
            "round": round_.number,
            **described(
                observed.spec, batch, round_.asked, "" if field is None else field.reference_uri
            ),
        },
        deadline_seconds=seconds(learning.deadline),
    )


def _phase(spec: TinyModelSpec, round_: RoundStatus) -> str:
    if not spec.task.has_classes:
        return "Detect"
    return "Train" if round_.step == "Training" else "Query"


def described(
    spec: TinyModelSpec, batch: int, asked: str = "", field: str = ""
) -> dict[str, str | int | float]:
    """Return the parameters that a run has from the spec.

    It asks for ``batch`` labels, compares its teacher with that of the query run ``asked`` and its
    students with those of the version in the field, whose document ``field`` is.
    """
    return {
        "pool_uri": spec.data.pool.uri,
        "evaluation_uri": spec.data.evaluation.uri,
        "task": _task(spec.task),
        "targets": json.dumps(
            [t.model_dump(by_alias=True, exclude_none=True) for t in spec.targets]
        ),
        "learning": json.dumps(
            _learning(spec.learning, batch, asked, field)
            if spec.task.has_classes
            else _detecting(spec)
        ),
        "seed": spec.learning.seed,
    }


def _task(task: Task) -> str:
    """Return the task as the steps read it, with what commissioning is by default."""
    if not task.has_classes:
        task = task.model_copy(update={"commissioning": task.commissioned})
    return task.model_dump_json(by_alias=True, exclude_none=True)


def _learning(learning: Learning, batch: int, asked: str, field: str) -> dict[str, Any]:
    """Return what the steps need of ``spec.learning``; shares as numbers."""
    return {
        "features": learning.features,
        "strategy": learning.strategy,
        "batchSize": batch,
        "randomShare": fraction(learning.random_share),
        "quota": {
            name: fraction(share)
            for name, share in learning.quota.model_dump(by_alias=True, exclude_none=True).items()
        },
        "nearDuplicates": learning.near_duplicates,
        "previous": asked,
        "student": learning.student.model_dump(by_alias=True),
        "field": field,
    }


def _detecting(spec: TinyModelSpec) -> dict[str, Any]:
    """Return what the choice of a detector needs: the false alarms that it aims at, 0..1."""
    return {"falseAlarms": _AIM * fraction(spec.acceptance.false_alarms or "0%")}
