"""Processes of a testbed: started with a log file each, killed or stopped, none left behind."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from .guard import TOKEN, members
from .waits import DeadlineError, wait_until

ROOT = Path(__file__).resolve().parents[2]


class ProcessError(Exception):
    """A process ended that should run; the message ends with the last lines of its log."""


class Process:
    """One process. Its standard output and error go to ``log``."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def tail(self, lines: int = 15) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Raise ``ProcessError`` when the process has ended."""
        if not self.alive:
            raise ProcessError(
                f"{self.name} ended with status {self._popen.returncode};"
                f" {self.log}:\n{self.tail()}"
            )

    def wait_ready(
        self, ready: Callable[[], bool], seconds: float = 30.0, *, detail: Callable[[], str] = str
    ) -> None:
        """Wait until ``ready()``; fail at once when the process ends, else at the deadline.

        ``detail`` says what was seen last, for the message.
        """

        def look() -> bool:
            self.check()
            return ready()

        try:
            wait_until(look, seconds, f"{self.name} ready")
        except DeadlineError as error:
            raise DeadlineError(f"{error}; see {self.log}; {detail()}") from None

    def wait(self, seconds: float = 30.0) -> int:
        """The exit status; ``subprocess.TimeoutExpired`` after ``seconds``."""
        return self._popen.wait(timeout=seconds)

    def kill(self) -> None:
        """``kill -9``, as a crash would."""
        if self.alive:
            self._popen.kill()
        self._popen.wait(timeout=10)

    def stop(self, seconds: float = 10.0) -> None:
        """SIGTERM, then SIGKILL for one that does not listen."""
        if self.alive:
            self._popen.send_signal(signal.SIGTERM)
            try:
                self._popen.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                self.kill()


class Processes:
    """The processes of one testbed; leaving the context ends all of them, newest first.

    They also end when this process is killed: see ``guard``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = secrets.token_hex(16)
        self._running: list[Process] = []
        self._guard: subprocess.Popen[bytes] | None = None

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Start ``command`` in the project's root. ``environment`` is added to this process's."""
        self._watch()
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        log = logs / f"{name}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, **(environment or {}), TOKEN: self.token},
                start_new_session=True,  # Ctrl-C is for the testbed; it stops its own in order
            )
        process = Process(name, popen, log)
        self._running = [other for other in self._running if other.alive]
        self._running.append(process)
        return process

    def stop(self) -> None:
        """End all, with what they started themselves. Harmless when repeated."""
        for process in reversed(self._running):
            process.stop()
        self._running.clear()
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait(timeout=15)
            self._guard = None

    def left(self) -> list[int]:
        """Process ids that still carry the testbed's token."""
        return members(self.token)

    def _watch(self) -> None:
        if self._guard is None:
            guard = [sys.executable, str(Path(__file__).with_name("guard.py")), self.token]
            self._guard = subprocess.Popen(guard, stdin=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
