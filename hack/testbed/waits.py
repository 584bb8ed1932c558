"""Waiting with a deadline, and free ports."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable


class DeadlineError(Exception):
    """Something did not happen in time; the message says what, and where to look."""


def wait_until(
    happened: Callable[[], object], seconds: float, what: str, *, every: float = 0.1
) -> None:
    """Poll ``happened`` until it is truthy; ``DeadlineError`` after ``seconds``.

    ``happened`` ends the wait early by raising.
    """
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise DeadlineError(f"{what}: not within {seconds:g} s")
        time.sleep(every)


def free_port() -> int:
    """A loopback TCP port that nobody listens on.

    Taken from below the kernel's ephemeral range, so that no outgoing connection grabs it between
    this call and the server's bind.
    """
    for _ in range(100):
        port = random.randrange(20_000, 32_000)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DeadlineError("no free loopback port between 20000 and 32000 in 100 attempts")
