"""Whether this machine can hold a node; asked before anything is built or started."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

from . import cgroups

_PROGRAMS = ("apt-get", "dpkg-deb", "ip", "mount", "nsenter", "unshare")
# What inside.py and network.py do, on a small scale.
_TRIAL = """
mount -t tmpfs tmpfs /mnt && mkdir /mnt/lower /mnt/upper /mnt/work /mnt/all &&
mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /mnt/all &&
ip link add trial type bridge
"""


def why_not() -> str:
    """Say what a node lacks here; empty when nothing."""
    if platform.machine() != "x86_64":
        return f"a node was tried on x86_64 only, this is {platform.machine()}"
    if os.geteuid() != 0:
        return "a node needs root: namespaces, mounts, cgroups"
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        return f"a node needs these programs of Debian: {', '.join(missing)}"
    if not cgroups.hierarchies():
        return f"a node needs cgroups that can be written at {cgroups.BASE}"
    trial = ["unshare", "-m", "-n", "-p", "-u", "-i", "-f", "--mount-proc", "sh", "-c", _TRIAL]
    tried = subprocess.run(trial, capture_output=True, text=True, timeout=20, check=False)
    if tried.returncode != 0:
        return f"a node needs namespaces, overlays and bridges: {tried.stderr.strip()}"
    return ""
