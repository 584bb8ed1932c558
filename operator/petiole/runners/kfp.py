"""Runs each pipeline run at Kubeflow Pipelines (API v2beta1).

KFP has no key that makes a creation idempotent: names are looked up first, and should two have
come to be, the oldest is the run and the others are ended. It enforces no deadline and, once a run
was ended, calls it failed: deadline and cause are kept by the runner, in the run's folder.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from petiole import tracing
from petiole.learning.runs import Run

from .base import Credentials, Parameters, RunKey
from .kfp_api import KfpApi, KfpRun
from .kfp_spec import KfpTemplate, arguments, run_spec
from .record import Documents, Record, overran

_OVER = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")  # whatever else KFP may say, it runs


class KfpRunner:
    """Runner on a KFP server; ``store`` is the one that the runs write to."""

    def __init__(self, api: KfpApi, store: Documents, template: KfpTemplate) -> None:
        self._api = api
        self._store = store
        self._template = template

    def find(self, key: RunKey) -> Run | None:
        record = Record(self._store, key)
        if ended := record.ended():
            return ended
        made = self._one(key)
        return record.gone("KFP") if made is None else self._judge(record, made)

    def start(
        self,
        key: RunKey,
        pipeline: str,
        parameters: Parameters,
        deadline_seconds: float,
        credentials: Credentials | None = None,
    ) -> Run:
        if found := self.find(key):
            return found
        self._api.create(
            key.name,
            experiment=f"{key.namespace}.{key.model}",
            description=_description(key, deadline_seconds),
            spec=run_spec(
                self._template, key, parameters, deadline_seconds, credentials, tracing.variables()
            ),
            arguments=arguments(self._template, parameters),
        )
        Record(self._store, key).begin(pipeline, parameters, deadline_seconds)
        return Run(key.name, "Running")

    def cancel(self, key: RunKey) -> None:
        record = Record(self._store, key)
        made = None if record.ended() else self._one(key)
        if made is not None and made.state not in _OVER:
            self._api.terminate(made)
            record.end("Canceled", "The run was cancelled.")

    def _one(self, key: RunKey) -> KfpRun | None:
        """Return the run of that name; end those that a race made beside it."""
        made = self._api.named(key.name)
        for other in made[1:]:
            if other.state not in _OVER:
                self._api.terminate(other)
        return made[0] if made else None

    def _judge(self, record: Record, made: KfpRun) -> Run:
        if made.state == "SUCCEEDED":
            return record.succeeded(str(made.parameters.get("phase", "")))
        deadline = _deadline(made)
        late = _age(made) > deadline
        if made.state not in _OVER:
            if not late:
                return Run(record.key.name, "Running")
            self._api.terminate(made)
            return record.end("DeadlineExceeded", overran(deadline))
        if made.state == "CANCELED" or "CANCELING" in made.history:
            # Ended by us, who died before they could say why, or by somebody in KFP.
            if late:
                return record.end("DeadlineExceeded", overran(deadline))
            return record.end("Canceled", f"Run {made.id} was terminated in KFP.")
        return _failed(record, made)


def _failed(record: Record, made: KfpRun) -> Run:
    said = f": {made.error}" if made.error else ""
    return record.failed(
        "Died",
        made.failed_task,
        f"KFP calls run {made.id} {made.state}{said}. No step left a cause in the store: see the "
        "log of its Pods, and whether they reach the store.",
    )


def _description(key: RunKey, deadline_seconds: float) -> str:
    """Say in KFP whose run it is, and when the operator ends it; ``_deadline`` reads it again."""
    return json.dumps(
        {
            "tinyModel": f"{key.namespace}/{key.model}",
            "uid": key.uid,
            "deadlineSeconds": deadline_seconds,
        }
    )


def _deadline(made: KfpRun) -> float:
    """Return the deadline in seconds; none for a run whose description was taken away."""
    try:
        return float(json.loads(made.description)["deadlineSeconds"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def _age(made: KfpRun) -> float:
    """Return for how many seconds a run has been there, or at most was when it ended.

    KFP's times are cut to seconds: a run that was ended for being late must not look early.
    """
    until = datetime.now(UTC)
    if made.finished_at is not None:
        until = made.finished_at + timedelta(seconds=1)
    return (until - made.created_at).total_seconds()
