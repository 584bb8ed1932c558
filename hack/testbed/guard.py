"""Ends every process of a testbed when the testbed is gone, however it went.

Started as a process of its own with a pipe as standard input. When the pipe closes (the testbed
stopped, or its process was killed), whatever carries the testbed's token in its environment is
killed: servers, devices, and runs that left their process group. The token is random, so nothing
else on the machine can carry it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

TOKEN = "PETIOLE_TESTBED"


def members(token: str) -> list[int]:
    """Process ids, this one's not among them, that inherited the token."""
    mark = f"{TOKEN}={token}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # it ended, or belongs to someone else
            continue
    return found


def sweep(token: str, seconds: float = 5.0) -> None:
    """Kill the members until none is left; a process may still be forking."""
    deadline = time.monotonic() + seconds
    while (left := members(token)) and time.monotonic() < deadline:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


if __name__ == "__main__":
    os.setsid()  # Ctrl-C at the terminal must not reach the guard
    sys.stdin.buffer.read()
    sweep(sys.argv[1])
