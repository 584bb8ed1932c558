"""Python environments of programs that cannot share Petiole's own: made once, from a lock."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

_STAMP = ".lock"  # says which lock an environment was made from, once it is whole


class InstallError(Exception):
    """An environment cannot be made; the message says why."""


def is_made(folder: Path, lock: Path) -> bool:
    """Tell whether ``folder`` was made from this very lock."""
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text() == _digest(lock)


def make(folder: Path, lock: Path, seconds: float) -> None:
    """Make ``folder`` from a lock with hashes, unless that was done before.

    ``seconds`` is the deadline of each step. Raises InstallError.
    """
    if is_made(folder, lock):
        return
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(folder / "bin" / "python")
    for step in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(lock)],
    ):
        made = subprocess.run(step, capture_output=True, text=True, timeout=seconds, check=False)
        if made.returncode != 0:
            raise InstallError(
                f"the environment of {lock.name} cannot be made: {made.stderr.strip()[-300:]}"
            )
    (folder / _STAMP).write_text(_digest(lock))


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
