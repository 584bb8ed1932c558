"""Runs each pipeline run as a Kubernetes Job, beside its TinyModel, where there is no KFP.

All steps run in one Pod. The Job lives in the model's namespace and belongs to the model, so it
goes with it. How a run ended is read from its folder in the store; the Job is asked only where the
Pod could not say it: killed, evicted, never scheduled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from petiole import tracing
from petiole.learning.runs import Run

from .base import Credentials, Parameters, RunKey, RunnerError
from .job_body import NAME_ANNOTATION, UID_LABEL, JobTemplate, job_body, job_name
from .record import Documents, Record, describe, overran

Job = Mapping[str, Any]


class Jobs(Protocol):
    """The Jobs of a cluster. Calls block, with a deadline; they raise the caller's own errors."""

    def get(self, namespace: str, name: str) -> Job | None:
        """Return the Job, or None when there is none."""

    def create(self, namespace: str, body: Job) -> None:
        """Make the Job unless one of that name is there."""

    def delete(self, namespace: str, name: str) -> None:
        """Delete the Job, if there is one, and its Pods."""


class JobRunner:
    """Runner on ``jobs``; ``store`` is the one that the runs write to."""

    def __init__(self, jobs: Jobs, store: Documents, template: JobTemplate) -> None:
        self._jobs = jobs
        self._store = store
        self._template = template

    def find(self, key: RunKey) -> Run | None:
        record = Record(self._store, key)
        if ended := record.ended():
            return ended
        job = self._job(key)
        if job is None:
            return record.gone(f"namespace {key.namespace} (Job {job_name(key.name)})")
        return _judge(record, job)

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
        document = describe(key, pipeline, parameters, deadline_seconds)
        body = job_body(key, document, self._template, credentials, tracing.variables())
        self._jobs.create(key.namespace, body)
        Record(self._store, key).begin(pipeline, parameters, deadline_seconds)
        return Run(key.name, "Running")

    def cancel(self, key: RunKey) -> None:
        run = self.find(key)
        if run is not None and run.state == "Running":
            self._jobs.delete(key.namespace, job_name(key.name))
            Record(self._store, key).end("Canceled", "The run was cancelled.")

    def _job(self, key: RunKey) -> Job | None:
        name = job_name(key.name)
        job = self._jobs.get(key.namespace, name)
        if job is None:
            return None
        meta = job["metadata"]
        run = meta.get("annotations", {}).get(NAME_ANNOTATION)
        if run != key.name or meta.get("labels", {}).get(UID_LABEL) != key.uid:
            raise RunnerError(
                f"Job {key.namespace}/{name} is not the one of run {key.name}: somebody else made "
                "it. Delete it to let the run start."
            )
        return job


def _judge(record: Record, job: Job) -> Run:
    """Say what a Job's conditions mean for a run that had no result a moment ago."""
    over = {c["type"]: c for c in job.get("status", {}).get("conditions", ()) if _true(c)}
    if "Complete" in over:
        return record.ended() or record.succeeded("")
    if "Failed" in over:
        # The Pod may have written its result between the look for it and the look at the Job.
        return record.ended() or _failed(record, job, over["Failed"])
    return Run(record.key.name, "Running")


def _failed(record: Record, job: Job, condition: Mapping[str, Any]) -> Run:
    name = f"{record.key.namespace}/{job['metadata']['name']}"
    if condition.get("reason") == "DeadlineExceeded":
        words = overran(float(job["spec"]["activeDeadlineSeconds"]))
        see = f"See whether Job {name} could be scheduled: kubectl describe."
        return record.failed("DeadlineExceeded", "", f"{words} {see}")
    said = condition.get("message") or condition.get("reason") or "it says no more"
    return record.failed("Died", "", f"Job {name} failed without a result: {said}. See its log.")


def _true(condition: Mapping[str, Any]) -> bool:
    return condition.get("status") == "True"
