"""What a command says and does that has things ready in the user's cache for tests on a node."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from hack.controlplane.gobuild import BuildError

from .able import why_not

Say = Callable[[str], None]


def prepare(name: str, needs: str, first: str, steps: Sequence[Callable[[Say], object]]) -> int:
    """Take the steps, and return the exit status: 0 also where the machine cannot have a node.

    ``needs`` says what the tests take, ``first`` what the steps do, "" where all is there.
    """

    def say(text: str) -> None:
        print(f"{name}: {text}", file=sys.stderr, flush=True)

    if reason := why_not():
        say(f"not on this machine: {reason}")
        return 0
    say(needs)
    if first:
        say(f"to be built first, once, {first}")
    began = time.monotonic()
    try:
        for step in steps:
            step(say)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    say(f"ready after {time.monotonic() - began:.0f} s")
    return 0
