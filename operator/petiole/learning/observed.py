"""What ``reconcile`` of a TinyModel sees, and what it may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from petiole.api.tinymodel import TinyModelSpec, TinyModelStatus, VersionStatus

from .runs import Run


@dataclass(frozen=True, slots=True)
class DriftAlarm:
    """A fleet that follows the model says that its field has moved away from the reference."""

    fleet: str
    version: int
    detected_at: datetime
    message: str

    @property
    def identity(self) -> str:
        return f"{self.fleet}/{self.version}"


@dataclass(frozen=True, slots=True)
class ModelObserved:
    """Everything that one pass may look at."""

    namespace: str
    name: str
    uid: str
    generation: int
    spec: TinyModelSpec
    status: TinyModelStatus
    run: Run | None = None  # the run named in status.round.run, when there is one
    run_document: Mapping[str, Any] | None = None  # its query.json or candidate.json
    run_problem: str = ""  # why the runner or the store could not be asked, in words
    answers: Mapping[str, str] = field(default_factory=dict)  # answers to the queries of this batch
    answers_problem: str = ""
    labels: int = 0  # labels in models/<uid>/labels.json
    packed: VersionStatus | None = None  # the version made from this run, once it is in the store
    pack_problem: str = ""
    drift: tuple[DriftAlarm, ...] = ()
    samples: int = 0  # samples that came up from the field
    request: str = ""  # what a person or an event asks for: the annotation, as it stands
    fielded: int = 0  # the highest stable version of the fleets that follow; 0 for none

    @property
    def field_version(self) -> VersionStatus | None:
        """The version that the field runs, as far as is known; else the newest."""
        newest = self.status.versions[-1] if self.status.versions else None
        running = (v for v in self.status.versions if v.version == self.fielded)
        return next(running, newest)


@dataclass(frozen=True, slots=True)
class StartRun:
    """Start a run unless one of that name exists."""

    name: str
    parameters: Mapping[str, str | int | float]
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class CancelRun:
    """End a run; one that has ended already is left alone."""

    name: str


@dataclass(frozen=True, slots=True)
class AskLabels:
    """Hand queries to the label source. Asking twice for the same batch makes no second task."""

    run: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SaveLabels:
    """Merge answers into ``models/<uid>/labels.json``."""

    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pack:
    """Sign the candidate's variants and store them as this version."""

    version: int
    run: str


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes Event about the object."""

    type: str  # Normal | Warning
    reason: str
    message: str


ModelAction = StartRun | CancelRun | AskLabels | SaveLabels | Pack | Event


@dataclass(frozen=True, slots=True)
class ModelOutcome:
    """The status to write and what to do. ``again`` asks for another pass after so many seconds."""

    status: TinyModelStatus
    actions: tuple[ModelAction, ...]
    again: float | None
