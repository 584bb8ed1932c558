"""What really happened: the devices' own events, and what the operator allowed and when.

Both are read beside Petiole, so that they can contradict it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kubernetes import client, config, watch

from hack.testbed.crowd import FLEET, NAMESPACE
from petiole.api.base import GROUP, VERSION

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
    """Follows the fleet's status: how many devices each revision was allowed, since when."""

    def __init__(self, kubeconfig: Path) -> None:
        self._api = client.CustomObjectsApi(config.new_client_from_config(str(kubeconfig)))
        self.seen: list[tuple[float, int, int]] = []  # at, revision, limit
        self.odd: list[str] = []  # counts that do not sum to their total
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=15)

    def allowed_at(self, revision: int) -> list[tuple[float, int]]:
        """Rising limits of ``revision`` with the time at which each was first seen."""
        rising: list[tuple[float, int]] = []
        for at, number, limit in self.seen:
            if number == revision and limit > (rising[-1][1] if rising else 0):
                rising.append((at, limit))
        return rising

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                stream = watch.Watch().stream(
                    self._api.list_namespaced_custom_object,
                    GROUP, VERSION, NAMESPACE, "devicefleets", timeout_seconds=5,
                )  # fmt: skip
                for item in stream:
                    self._saw(item["object"])
            except Exception as error:  # noqa: BLE001 - the watch is taken up again
                if not self._stop.is_set():
                    self.odd.append(f"watch: {type(error).__name__}")
                    time.sleep(0.2)

    def _saw(self, found: dict[str, object]) -> None:
        status = found.get("status")
        if not isinstance(status, dict):
            return
        stage, revision = status.get("stage", {}), status.get("revision", {})
        if status.get("mode") in ("Rolling", "Paused"):
            self.seen.append((time.monotonic(), revision.get("target", 0), stage.get("limit", 0)))
        counts = dict(status.get("counts", {}))
        total = counts.pop("total", 0)
        if sum(counts.values()) != total:
            self.odd.append(f"{FLEET}: counts {counts} do not sum to {total}")


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
