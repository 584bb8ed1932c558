"""``python -m hack.kfp``: have node, backend and pipelines image ready in the user's cache."""

from __future__ import annotations

import sys
import time

from hack.controlplane.gobuild import BuildError
from hack.image.pipelines import pipelines
from hack.node import programs as node
from hack.node.able import why_not

from . import programs


def say(text: str) -> None:
    print(f"kfp: {text}", file=sys.stderr, flush=True)


def main() -> int:
    if reason := why_not():
        say(f"not on this machine: {reason}")
        return 0
    say("a backend on this machine: eight runs in Pods, 2 GB of memory and 600 MB for each step")
    if left := programs.missing():
        say(f"to be built first, once, 15 minutes on two cores, 9 GB of disk: {', '.join(left)}")
    began = time.monotonic()
    try:
        node.ensure(say)
        programs.ensure(say)
        pipelines(say)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    say(f"ready after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
