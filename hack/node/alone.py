"""``python -m hack.node.alone COMMAND``: run COMMAND in a network of its own, as a node needs it.

What the node's servers listen on is reached from in there only; it goes with the last process.
Where no node is possible COMMAND runs as it is: its tests say why they are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .able import why_not

_MARK = "PETIOLE_ALONE"  # which network was made for the processes in it
_ENTERED = "entered"


def is_alone() -> bool:
    """Tell whether this process has a network of its own."""
    return os.environ.get(_MARK) == _network()


def _network() -> str:
    return str(Path("/proc/self/ns/net").readlink())


def main() -> None:
    command = sys.argv[1:]
    if not command:
        sys.exit("usage: python -m hack.node.alone COMMAND...")
    if os.environ.get(_MARK) == _ENTERED:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        os.environ[_MARK] = _network()
    elif not is_alone() and not why_not():
        os.environ[_MARK] = _ENTERED
        command = ["unshare", "-n", sys.executable, "-m", "hack.node.alone", *command]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
