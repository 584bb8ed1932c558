"""CPU and memory of process trees, from ``/proc``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from .work import Usage

_HZ = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_KIB = 1024.0


def parse_stat(text: str) -> tuple[int, float]:
    """Parent and CPU seconds of one ``/proc/<pid>/stat``; children that ended are included.

    The name in the second field may hold blanks and brackets, so that fields count from the last
    bracket (proc(5)).
    """
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), sum(int(ticks) for ticks in fields[11:15]) / _HZ


def tree(root: int, parents: Mapping[int, int]) -> set[int]:
    """Return the process and all that descend from it."""
    found, edge = {root}, {root}
    while edge:
        edge = {pid for pid, parent in parents.items() if parent in edge} - found
        found |= edge
    return found


def _all_stats() -> dict[int, tuple[int, float]]:
    found = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = parse_stat((entry / "stat").read_text())
            except OSError:  # it has ended
                continue
    return found


def cpu_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far of each named process with all that it started."""
    stats = _all_stats()
    parents = {pid: parent for pid, (parent, _) in stats.items()}
    return {
        name: sum(stats[pid][1] for pid in tree(root, parents) if pid in stats)
        for name, root in roots.items()
    }


def memory(roots: Iterable[int]) -> tuple[float, float]:
    """Resident memory now and at its peak, in MiB; peaks of several processes are added up."""
    parents = {pid: parent for pid, (parent, _) in _all_stats().items()}
    rss = peak = 0.0
    for root in roots:
        for pid in tree(root, parents):
            try:
                lines = (_PROC / str(pid) / "status").read_text().splitlines()
            except OSError:
                continue
            values = {line.split(":")[0]: line.split()[1] for line in lines if "kB" in line}
            rss += int(values.get("VmRSS", 0)) / _KIB
            peak += int(values.get("VmHWM", 0)) / _KIB
    return rss, peak


class Meter:
    """Measures named server processes and the client from ``start`` to ``stop``.

    ``beside`` are measured apart from the servers. ``client`` is the process that plays the
    devices; this one when none is given.
    """

    def __init__(
        self,
        servers: Mapping[str, int],
        client: int | None = None,
        beside: Mapping[str, int] | None = None,
    ) -> None:
        self._servers = dict(servers)
        self._beside = dict(beside or {})
        self._client = client
        self._before: dict[str, float] = {}
        self._client_before = 0.0

    def start(self) -> None:
        self._client_before = self._client_cpu()
        self._before = cpu_seconds({**self._servers, **self._beside})

    def stop(self) -> Usage:
        after = cpu_seconds({**self._servers, **self._beside})
        spent = {name: after[name] - self._before[name] for name in after}
        rss, peak = memory(self._servers.values())
        return Usage(
            cpu={name: spent[name] for name in self._servers},
            rss=rss,
            peak=peak,
            client_cpu=self._client_cpu() - self._client_before,
            beside={name: spent[name] for name in self._beside},
        )

    def _client_cpu(self) -> float:
        if self._client is None:
            return time.process_time()
        return cpu_seconds({"client": self._client})["client"]
