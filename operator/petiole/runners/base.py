"""What every runner offers. Calls block; the operator makes them in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from petiole.learning.runs import CREDENTIAL_PREFIX, Run

Parameters = Mapping[str, str | int | float]


class RunnerError(Exception):
    """The runner cannot be asked; the text says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class RunKey:
    """Which run: its name, the TinyModel whose it is, and its folder in the object store."""

    name: str
    namespace: str
    model: str
    uid: str
    folder: str  # its ``output_path``


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a run needs to read its data sets: a Secret in the namespace of the run's model.

    A runner in the cluster refers to ``secret`` by name; one that starts children hands them
    ``values`` (CREDENTIAL_KEYS). As variables behind CREDENTIAL_PREFIX, and written nowhere.
    """

    secret: str
    values: Mapping[str, str] = field(repr=False)

    def environment(self) -> dict[str, str]:
        """Return the variables that a run has them as."""
        return {CREDENTIAL_PREFIX + key: value for key, value in self.values.items()}


class Runner(Protocol):
    """Runs are known by name: starting a name twice makes one run."""

    def find(self, key: RunKey) -> Run | None:
        """Return the run of that name, or None when there is none."""

    def start(
        self,
        key: RunKey,
        pipeline: str,
        parameters: Parameters,
        deadline_seconds: float,
        credentials: Credentials | None = None,
    ) -> Run:
        """Start the run unless it exists; return it."""

    def cancel(self, key: RunKey) -> None:
        """End the run. One that is over or unknown stays as it is."""
