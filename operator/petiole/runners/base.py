"""What every runner offers. Calls block; the operator makes them in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from petiole.learning.runs import Run

Parameters = Mapping[str, str | int | float]


class RunnerError(Exception):
    """The runner cannot be asked; the text says what is wrong, where, and what to do."""


class Runner(Protocol):
    """Runs are known by name: starting a name twice makes one run."""

    def find(self, name: str) -> Run | None:
        """Return the run of that name, or None when there is none."""

    def start(
        self, name: str, pipeline: str, parameters: Parameters, deadline_seconds: float
    ) -> Run:
        """Start the run unless it exists; return it."""

    def cancel(self, name: str) -> None:
        """End the run. One that is over or unknown stays as it is."""
