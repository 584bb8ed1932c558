"""The folder of one local run: what stands in it and what that means.

docs/architecture.md, "Pipeline runs", is the contract. The lock, not a pid, tells a live run:
pids are used again, a lock ends with its process.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from petiole.learning.runs import Run

RUN, LOCK, PID, LOG, RESULT = "run.json", "lock", "pid", "log.txt", "result.json"
_LOG_TAIL = 2000  # bytes of a dead run's log that are searched for its last words


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run below the work folder."""

    path: Path

    def exists(self) -> bool:
        return (self.path / RUN).exists()

    def create(self, document: Mapping[str, Any]) -> bool:
        """Put the whole folder in place at once. False when it is there already."""
        draft = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}")
        draft.mkdir(parents=True)
        try:
            (draft / RUN).write_text(json.dumps(document, indent=1))
            draft.rename(self.path)  # fails on a folder that is not empty: the first one wins
        except FileExistsError:
            return False
        except OSError:
            if self.exists():
                return False
            raise
        finally:
            _remove(draft)
        return True

    def document(self) -> dict[str, Any]:
        return _object((self.path / RUN).read_text())

    def started(self) -> bool:
        return (self.path / PID).exists()

    def locked(self) -> bool:
        """Is a child alive? Asked by trying to take its lock."""
        with (self.path / LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def result(self) -> Run | None:
        """Return how the run ended, or None while it has not."""
        try:
            text = (self.path / RESULT).read_text()
        except FileNotFoundError:
            return None
        found = _object(text)
        return Run(
            name=self.path.name,
            state="Succeeded" if found.get("state") == "Succeeded" else "Failed",
            outputs={str(k): str(v) for k, v in (found.get("outputs") or {}).items()},
            reason=str(found.get("reason") or ""),
            step=str(found.get("step") or ""),
            message=str(found.get("message") or ""),
        )

    def end(self, reason: str, message: str) -> None:
        """Kill the child's process group and write the result that it cannot write any more."""
        if self.locked():
            self._kill()
        if self.result() is None:
            now = datetime.now(UTC).isoformat()
            _write_whole(
                self.path / RESULT,
                {
                    "state": "Failed",
                    "reason": reason,
                    "step": "",
                    "message": message,
                    "outputs": {},
                    "finishedAt": now,
                },
            )

    def last_words(self) -> str:
        """Return the last line that the child printed."""
        try:
            with (self.path / LOG).open("rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - _LOG_TAIL))
                lines = log.read().decode(errors="replace").split("\n")
        except FileNotFoundError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _kill(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            os.killpg(int((self.path / PID).read_text()), signal.SIGKILL)


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error for one cause: bad file
    return found


def _write_whole(path: Path, document: Mapping[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    draft.write_text(json.dumps(document, indent=1))
    draft.replace(path)


def _remove(draft: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        (draft / RUN).unlink()
    with contextlib.suppress(FileNotFoundError):
        draft.rmdir()
