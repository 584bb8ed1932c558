"""What really happened: the devices' own events, and what the operator allowed and when.

Both are read beside Petiole, so that they can contradict it.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.testbed.controlplane import ControlPlane
from hack.testbed.crowd import FLEET

STARTED = ("downloading", "verifying", "trial")


@dataclass(frozen=True, slots=True)
class Event:
    """A device entered a phase. ``at`` in seconds of the monotonic clock."""

    at: float
    device: str
    phase: str
    digest: str


class Events:
    """The file that ``petiole-sim --events`` appends to, read on from where it was read last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def new(self) -> list[Event]:
        """Whole lines that came since the last call."""
        with self._path.open("rb") as file:
            file.seek(self._at)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        return [_event(line) for line in whole.decode().splitlines()]


def _event(line: str) -> Event:
    micros, device, phase, digest = line.split()[:4]
    return Event(int(micros) / 1e6, device, phase, digest)


class Limits:
    """What the operator wrote into the fleet's status, and when, by the API server's audit log."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._cluster = cluster
        self.seen: list[tuple[float, int, int]] = []  # at, revision, limit
        self.odd: list[str] = []  # counts that do not sum to their total
        self._read = 0
        self._status: dict[str, Any] = {}

    def read(self) -> None:
        """Read on."""
        monotonic = time.monotonic() - time.time()
        patches = list(self._cluster.statuses())
        for at, patch in patches[self._read :]:
            merge(self._status, patch.get("status", {}))
            self._saw(at.timestamp() + monotonic)
        self._read = len(patches)

    def allowed_at(self, revision: int) -> list[tuple[float, int]]:
        """Rising limits of ``revision`` with the time at which each was written."""
        rising: list[tuple[float, int]] = []
        for at, number, limit in self.seen:
            if number == revision and limit > (rising[-1][1] if rising else 0):
                rising.append((at, limit))
        return rising

    def _saw(self, at: float) -> None:
        status = self._status
        if status.get("mode") in ("Rolling", "Paused"):
            self.seen.append((at, status["revision"]["target"], status["stage"]["limit"]))
        counts = dict(status.get("counts", {}))
        total = counts.pop("total", 0)
        if sum(counts.values()) != total:
            self.odd.append(f"{FLEET}: counts {counts} do not sum to {total}")


def merge(document: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Apply a JSON merge patch (RFC 7386) in place."""
    for key, value in patch.items():
        if value is None:
            document.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(document.get(key), dict):
            merge(document[key], value)
        else:
            document[key] = copy.deepcopy(value)


def early(
    events: Sequence[Event],
    digest: str,
    order: Sequence[str],
    allowed: Sequence[tuple[float, int]],
    *,
    slack: float,
) -> list[str]:
    """Devices that began before their rank was allowed, by more than ``slack`` seconds."""
    rank = {device: n for n, device in enumerate(order)}
    first: dict[str, float] = {}
    for event in events:
        if event.phase in STARTED and digest.startswith(event.digest):
            first.setdefault(event.device, event.at)
    found = []
    for device, at in first.items():
        limit = max((n for since, n in allowed if since <= at + slack), default=0)
        if rank[device] >= limit:
            found.append(f"{device} (rank {rank[device]}) began when {limit} were allowed")
    return found
