"""``python -m hack.kfp``: have node, backend and pipelines image ready in the user's cache."""

from __future__ import annotations

import sys

from hack.image.pipelines import pipelines
from hack.node import programs as node
from hack.node.prepare import prepare

from . import programs


def main() -> int:
    left = programs.missing()
    return prepare(
        "kfp",
        "a backend on this machine: eight runs in Pods, 2 GB of memory and 600 MB for each step",
        f"15 minutes on two cores, 9 GB of disk: {', '.join(left)}" if left else "",
        [node.ensure, programs.ensure, pipelines],
    )


if __name__ == "__main__":
    sys.exit(main())
