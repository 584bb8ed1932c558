"""The first process in a node's namespaces: lays out what they see, then reaps what is orphaned.

``unshare ... python inside.py FOLDER HOST ADDRESS``. The disk outside FOLDER stays as it is: /var
and /etc are overlays, /run is in memory. It listens to no signal; who wants it gone kills it, and
the kernel takes all that lives in its namespaces along.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

LAID = "laid"  # this file in FOLDER says that the namespaces are ready


def lay(folder: Path, host: str, address: str) -> None:
    _run("mount", "--make-rprivate", "/")
    for name in ("var", "etc"):
        upper, work = folder / "overlay" / name / "upper", folder / "overlay" / name / "work"
        upper.mkdir(parents=True)
        work.mkdir()
        layers = f"lowerdir=/{name},upperdir={upper},workdir={work}"
        _run("mount", "-t", "overlay", "overlay", "-o", layers, f"/{name}")
    _run("mount", "-t", "tmpfs", "tmpfs", "/run")
    _run("mount", "--make-rshared", "/")  # the kubelet's mounts must reach the containers
    _run("hostname", host)
    Path("/etc/hosts").write_text(f"127.0.0.1 localhost\n{address} {host}\n")
    # Nobody answers here: a name server in it would only be waited for.
    Path("/etc/resolv.conf").unlink(missing_ok=True)
    Path("/etc/resolv.conf").touch()
    (folder / LAID).touch()


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def reap() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(0.2)


if __name__ == "__main__":
    lay(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    reap()
