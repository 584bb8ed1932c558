"""``python -m hack.cluster``: have node, names, images, Helm and devices ready in the user's cache.

The devices are built below ``build/``.
"""

from __future__ import annotations

import os
import subprocess
import sys

from hack.chart.programs import FetchError, helm
from hack.controlplane.gobuild import BuildError, run
from hack.node import names
from hack.node import programs as node
from hack.node.prepare import Say, prepare
from hack.testbed.processes import ROOT

from .images import images

_DEVICES_SECONDS = 600.0


def main() -> int:
    left = [*node.missing(), *(["coredns"] if names.missing() else [])]
    return prepare(
        "cluster",
        "an installation by the chart on this machine: seven minutes, 4 GB of memory",
        f"8 minutes on two idle cores, 8 GB of disk: {', '.join(left)}" if left else "",
        [node.ensure, names.ensure, images, _helm, _devices],
    )


def _helm(_say: Say) -> None:
    try:
        helm()
    except FetchError as error:
        raise BuildError(str(error)) from error


def _devices(_say: Say) -> None:
    command = ["make", "-C", "firmware", "--no-print-directory", "-s", "-j2", "posix", "lan"]
    try:
        run(command, ROOT, _DEVICES_SECONDS, os.environ)
    except subprocess.TimeoutExpired as error:
        raise BuildError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
