"""``python -m hack.argocd``: have Argo CD and a control plane ready in the user's cache."""

from __future__ import annotations

import sys

from hack.controlplane.programs import ensure as control_plane
from hack.node.prepare import prepare

from . import programs


def main() -> int:
    return prepare(
        "argocd",
        "one Argo CD on this machine: five minutes, 2 GB of memory",
        "6 minutes on two idle cores, 4 GB of disk" if programs.missing() else "",
        [control_plane, programs.ensure],
    )


if __name__ == "__main__":
    sys.exit(main())
