"""``python -m hack.argocd``: have Argo CD and a control plane ready in the user's cache."""

from __future__ import annotations

import sys
import time

from hack.controlplane.gobuild import BuildError
from hack.controlplane.programs import ensure as control_plane
from hack.node.able import why_not

from . import programs


def say(text: str) -> None:
    print(f"argocd: {text}", file=sys.stderr, flush=True)


def main() -> int:
    if reason := why_not():
        say(f"not on this machine: {reason}")
        return 0
    say("one Argo CD on this machine: five minutes, 2 GB of memory")
    if programs.missing():
        say("to be built first, once, 6 minutes on two idle cores, 4 GB of disk")
    began = time.monotonic()
    try:
        control_plane(say)
        programs.ensure(say)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    say(f"ready after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
