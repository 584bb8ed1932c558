"""Runs pipelines as child processes on this machine, each in a folder and a session of its own.

A child outlives the operator that started it. A restarted operator reads the folder and goes on:
nothing about a run is remembered anywhere else that would be missed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from petiole import tracing
from petiole.learning.runs import Run

from .base import Credentials, Parameters, RunKey, RunnerError
from .folder import LOG, RunFolder

COMMAND = (sys.executable, "-m", "petiole_pipelines.run_local")
_DEADLINE_GRACE = 5.0  # seconds; a child ends itself and can say at which step, so it goes first


class LocalRunner:
    """Runner on a work folder. ``command`` is called with the run's folder as last argument."""

    def __init__(
        self,
        work: Path,
        *,
        command: Sequence[str] = COMMAND,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._work = work
        self._command = tuple(command)
        self._environment = None if environment is None else dict(environment)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._mutex = threading.Lock()

    def find(self, key: RunKey) -> Run | None:
        name = key.name
        with self._in_words(name):
            folder = RunFolder(self._work / name)
            if not folder.exists():
                return None
            return folder.result() or self._unfinished(folder)

    def start(
        self,
        key: RunKey,
        pipeline: str,
        parameters: Parameters,
        deadline_seconds: float,
        credentials: Credentials | None = None,
    ) -> Run:
        name = key.name
        with self._in_words(name), self._mutex:
            folder = RunFolder(self._work / name)
            folder.create(
                {
                    "name": name,
                    "pipeline": pipeline,
                    "parameters": dict(parameters),
                    "deadlineSeconds": deadline_seconds,
                    "createdAt": datetime.now(UTC).isoformat(),
                }
            )
            run = folder.result() or self._unfinished(folder)
            if run is None:
                self._spawn(folder, credentials)
            return run or Run(name, "Running")

    def cancel(self, key: RunKey) -> None:
        with self._in_words(key.name):
            folder = RunFolder(self._work / key.name)
            if folder.exists() and folder.result() is None:
                folder.end("Canceled", "The run was cancelled.")

    def _unfinished(self, folder: RunFolder) -> Run | None:
        """Judge a run without a result. None: no child ever took it, so one may be started."""
        name = folder.path.name
        if not self._alive(name):
            if not folder.started():
                # The lock is not asked: to ask is to hold it for a moment, and a child that starts
                # in that moment would think that another one runs.
                return self._died(folder) if name in self._children else None
            if not folder.locked():
                return self._died(folder)
        return self._overrun(folder) or Run(name, "Running")

    def _died(self, folder: RunFolder) -> Run:
        # The child may have finished between the look for a result and the look at its life.
        words = folder.last_words()
        return folder.result() or Run(
            folder.path.name,
            "Failed",
            reason="Died",
            message="The run's process ended without a result"
            + (f"; its last words: {words}" if words else "")
            + f". See {folder.path / LOG}.",
        )

    def _overrun(self, folder: RunFolder) -> Run | None:
        document = folder.document()
        allowed = float(document["deadlineSeconds"])
        age = datetime.now(UTC) - datetime.fromisoformat(document["createdAt"])
        if age.total_seconds() <= allowed + _DEADLINE_GRACE:
            return None
        folder.end(
            "DeadlineExceeded",
            f"The run took longer than {allowed:g} s and was ended. "
            "Raise spec.learning.deadline if it needs more.",
        )
        return folder.result()

    def _spawn(self, folder: RunFolder, credentials: Credentials | None) -> None:
        # Should two operators come here at once, two children start and the lock lets one run.
        with (folder.path / LOG).open("ab") as log:
            self._children[folder.path.name] = subprocess.Popen(
                [*self._command, str(folder.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._variables(credentials),
                start_new_session=True,
            )

    def _variables(self, credentials: Credentials | None) -> dict[str, str] | None:
        more = tracing.variables() | (credentials.environment() if credentials else {})
        if not more:
            return self._environment
        base = os.environ if self._environment is None else self._environment
        return {**base, **more}

    def _alive(self, name: str) -> bool:
        child = self._children.get(name)
        return child is not None and child.poll() is None

    @contextmanager
    def _in_words(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunnerError(
                f"Run {name} in the work folder {self._work}: {error.strerror or error}. "
                "Make room or give access there, or choose another folder with --work."
            ) from error
        except (ValueError, KeyError) as error:
            raise RunnerError(
                f"Run {name}: a file in {self._work / name} is damaged ({error}). "
                "Remove that folder to let the run start anew."
            ) from error
