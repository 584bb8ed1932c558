"""The cgroup that holds all Pods of a node, in every hierarchy. Tried with v1 and hybrid ones."""

from __future__ import annotations

import os
import time
from pathlib import Path

BASE = Path("/sys/fs/cgroup")
_PREFIX = "petiole-node-"
# Processes beside the node, however many, are weighed one by one, and it as one with all its Pods:
# on a busy machine its weight is that of eight, v1 and v2, or Pods do not start in time.
_WEIGHTS = {"cpu.shares": "8192", "cpu.weight": "800"}
_CPUSET = ("cpuset.cpus", "cpuset.mems")  # v1 leaves them empty, and then nothing can join


def hierarchies(base: Path = BASE) -> list[Path]:
    """Roots of the hierarchies that can be written: one (v2) or one a controller (v1)."""
    roots = [base] if (base / "cgroup.controllers").exists() else [*base.iterdir()]
    found = {root.resolve() for root in roots if (root / "cgroup.procs").exists()}
    return sorted(root for root in found if os.access(root, os.W_OK))


def make(owner: int, base: Path = BASE) -> str:
    """Make the node's cgroup, named by the process that owns the node; return the name."""
    name = f"{_PREFIX}{owner}"
    for root in hierarchies(base):
        (root / name).mkdir(exist_ok=True)
        for file in _CPUSET:
            if (root / name / file).exists() and (root / file).exists():
                (root / name / file).write_text((root / file).read_text())
        for file, weight in _WEIGHTS.items():
            if (root / name / file).exists():
                (root / name / file).write_text(weight)
    return name


def remove(name: str, base: Path = BASE, seconds: float = 10.0) -> None:
    """Remove the cgroup and those in it; what was just killed may take a moment to leave."""
    deadline = time.monotonic() + seconds
    while left := [root / name for root in hierarchies(base) if (root / name).exists()]:
        for top in left:
            _remove(top)
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)


def remove_orphans(base: Path = BASE) -> None:
    """Remove the cgroups of nodes whose owners are gone: killed ones leave them behind."""
    names = {path.name for root in hierarchies(base) for path in root.glob(f"{_PREFIX}*")}
    for name in names:
        if not Path("/proc", name.removeprefix(_PREFIX)).exists():
            remove(name, base, seconds=0.0)


def _remove(top: Path) -> None:
    folders = [path for path in top.rglob("*") if path.is_dir()]
    for folder in [*sorted(folders, reverse=True), top]:
        try:
            folder.rmdir()
        except OSError:  # something lives there still
            continue
