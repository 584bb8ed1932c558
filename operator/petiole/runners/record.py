"""What a run on a cluster leaves in its folder of the object store, and what that means.

A Job ends with its time to live, a KFP run when somebody deletes it; the folder stays. It says how
a run ended also when nothing else knows the run any more (docs/architecture.md, "Pipeline runs").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from petiole.learning.runs import Run

from .base import Parameters, RunKey

RUN, RESULT, ERROR = "run.json", "result.json", "error.json"
# By phase; a run's last write.
OUTPUT = {"Query": "query.json", "Train": "candidate.json", "Detect": "candidate.json"}


class Documents(Protocol):
    """The object store as the runners need it: JSON objects by path. It raises its own errors."""

    def get_json(self, path: str) -> dict[str, Any] | None:
        """Return the object, or None when there is none."""

    def create_json(self, path: str, document: Mapping[str, Any]) -> bool:
        """Write the object unless there is one; say whether it was written."""


@dataclass(frozen=True, slots=True)
class Record:
    """One run's folder."""

    store: Documents
    key: RunKey

    def begin(self, pipeline: str, parameters: Parameters, deadline_seconds: float) -> None:
        """Note that the run was made, and of what."""
        document = describe(self.key, pipeline, parameters, deadline_seconds)
        self.store.create_json(self._path(RUN), document)

    def end(self, reason: str, message: str) -> Run:
        """Say how the run ended unless that is said; return how it did."""
        document = {
            "state": "Failed",
            "reason": reason,
            "step": "",
            "message": message,
            "outputs": {},
            "finishedAt": datetime.now(UTC).isoformat(),
        }
        self.store.create_json(self._path(RESULT), document)
        return self.ended() or Run(self.key.name, "Failed", reason=reason, message=message)

    def ended(self) -> Run | None:
        """Return how the run ended, where somebody said so: its pod, or who ended it."""
        found = self.store.get_json(self._path(RESULT))
        if found is None:
            return None
        return Run(
            name=self.key.name,
            state="Succeeded" if found.get("state") == "Succeeded" else "Failed",
            outputs={str(k): str(v) for k, v in (found.get("outputs") or {}).items()},
            reason=str(found.get("reason") or ""),
            step=str(found.get("step") or ""),
            message=str(found.get("message") or ""),
        )

    def failed(self, reason: str, step: str, message: str) -> Run:
        """Return a failed run: with the cause that its step left, else with the one given."""
        cause = self.store.get_json(self._path(ERROR)) or {}
        return Run(
            name=self.key.name,
            state="Failed",
            reason=str(cause.get("reason") or reason),
            step=str(cause.get("step") or step),
            message=str(cause.get("message") or message),
        )

    def succeeded(self, phase: str) -> Run:
        """Return a run that succeeded: each phase writes one document."""
        name = OUTPUT.get(phase)
        outputs = {name: self._path(name)} if name else {}
        return Run(self.key.name, "Succeeded", outputs=outputs)

    def gone(self, where: str) -> Run | None:
        """Judge a run that is no longer where it was made; None when it was never made."""
        made = self.store.get_json(self._path(RUN))
        if made is None:
            return None
        run = self.succeeded(str(made.get("parameters", {}).get("phase", "")))
        if any(self.store.get_json(path) is not None for path in run.outputs.values()):
            return run
        return self.failed("Died", "", f"The run has vanished from {where} without a result.")

    def _path(self, name: str) -> str:
        return f"{self.key.folder}/{name}"


def describe(
    key: RunKey, pipeline: str, parameters: Parameters, deadline_seconds: float
) -> dict[str, Any]:
    """Return ``run.json``: what a run is made of."""
    return {
        "name": key.name,
        "pipeline": pipeline,
        "parameters": dict(parameters),
        "deadlineSeconds": deadline_seconds,
        "createdAt": datetime.now(UTC).isoformat(),
    }


def claims(parameters: Parameters) -> tuple[str, ...]:
    """Return the volume claims that the run's data sets lie in, ``pvc://CLAIM/PATH``."""
    uris = (urlsplit(str(parameters[name])) for name in ("pool_uri", "evaluation_uri"))
    return tuple(sorted({uri.netloc for uri in uris if uri.scheme == "pvc" and uri.netloc}))


def overran(deadline_seconds: float) -> str:
    """Say that a run had to be ended."""
    return (
        f"The run took longer than {deadline_seconds:g} s and was ended. "
        "Raise spec.learning.deadline if it needs more."
    )
