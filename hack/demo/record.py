"""What the demo keeps of its run, second by second, for the summary and the charts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import numpy as np

from hack.testbed.machines import Failure
from petiole.learning import anomaly

from .watch import Object, Snapshot, status_of

COUNTS = ("pending", "offered", "downloading", "trial", "updated", "failed", "reverted", "silent")


@dataclass(frozen=True, slots=True)
class Frame:
    """The fleet at one moment."""

    second: float
    mode: str
    target: int
    stable: int
    stage: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class ArmSeen:
    """One side of a gate: devices, and mean and variance over their means."""

    devices: int
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class GateSeen:
    """The evidence of a gate at one moment."""

    second: float
    revision: int
    gate: str
    canary: ArmSeen
    control: ArmSeen


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: for lines in charts and the list of acts."""

    second: float
    at: datetime
    words: str


@dataclass(slots=True)
class Failing:
    """Machines that failed together, what their devices said, and the fleet's windows meanwhile."""

    version: int  # that answered
    phase: str
    told: list[Failure]
    answers: int = 0  # by the windows, of the whole fleet
    alarms: int = 0

    @property
    def counts(self) -> anomaly.Counts:
        """Hits, false alarms, misses, quiet and right [4], reading by reading."""
        return np.asarray(np.sum([one.counts for one in self.told], axis=0))

    @property
    def raised(self) -> int:
        """Readings with an alarm."""
        return int(self.counts[0] + self.counts[1])


@dataclass(slots=True)
class Record:
    """Everything measured, while it is being measured."""

    began: datetime
    started: float = field(default_factory=time.monotonic)
    frames: list[Frame] = field(default_factory=list)
    gates: list[GateSeen] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    windows: list[dict[str, Any]] = field(default_factory=list)
    model: Object | None = None
    fleet: Object | None = None
    pool_of_version: dict[int, int] = field(default_factory=dict)
    injected_at: datetime | None = None
    shifted_from: int = 0  # the version that was stable when the field shifted
    detected_at: datetime | None = None
    answered_with: int = 0  # the version that answered the drift
    drift_message: str = ""
    failures: list[Failing] = field(default_factory=list)

    @property
    def second(self) -> float:
        return time.monotonic() - self.started

    def mark(self, at: datetime, words: str) -> None:
        self.marks.append(Mark(self.second, at, words))

    def saw(self, snapshot: Snapshot) -> None:
        """Keep a snapshot when it differs from the last."""
        if snapshot.model is not None:
            self.model = snapshot.model
            status = status_of(snapshot.model)
            pool = status.get("labels", {}).get("pool", 0)
            self.pool_of_version.setdefault(status.get("latestVersion", 0), pool)
        if snapshot.fleet is not None:
            self.fleet = snapshot.fleet
            self._keep(frame_of(self.second, snapshot.fleet))

    def _keep(self, frame: Frame) -> None:
        """Two equal neighbours are enough to draw a level stretch."""
        if len(self.frames) > 1 and all(_same(frame, f) for f in self.frames[-2:]):
            self.frames[-1] = frame
        else:
            self.frames.append(frame)

    def version(self, number: int) -> dict[str, Any]:
        """What the model's status says of a version; empty: nothing."""
        every = status_of(self.model).get("versions", [])
        return next((dict(v) for v in every if v["version"] == number), {})

    def stable_beside(self, revision: int) -> int:
        """The revision that the other devices had while this one was on its way; 0: unknown."""
        return next((f.stable for f in self.frames if f.target == revision), 0)

    def saw_summary(self, summary: dict[str, Any]) -> None:
        """Keep the evidence of the gates."""
        target = (status_of(self.fleet).get("revision") or {}).get("target", 0)
        for evidence in summary.get("evidence", []):
            canary, control = _arm(evidence["canary"]), _arm(evidence["control"])
            self.gates.append(GateSeen(self.second, target, evidence["gate"], canary, control))


def frame_of(second: float, fleet: Object) -> Frame:
    status = status_of(fleet)
    revision = status.get("revision") or {}
    return Frame(
        second=second,
        mode=status.get("mode", "Idle"),
        target=revision.get("target", 0),
        stable=revision.get("stable", 0),
        stage=(status.get("stage") or {}).get("name", ""),
        counts={name: (status.get("counts") or {}).get(name, 0) for name in COUNTS},
    )


def _same(one: Frame, other: Frame) -> bool:
    return (one.mode, one.target, one.stable, one.stage, one.counts) == (
        other.mode,
        other.target,
        other.stable,
        other.stage,
        other.counts,
    )


def _arm(arm: dict[str, Any]) -> ArmSeen:
    return ArmSeen(arm["devices"], arm.get("mean", 0.0), arm.get("variance", 0.0))


class GatewayView:
    """Reads summaries and windows from the gateway as a dashboard would."""

    def __init__(self, url: str, token: str, fleet: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=5.0)
        self._fleet = fleet

    async def follow(self, tell: Callable[[dict[str, Any]], None]) -> None:
        """Tell of every summary, once a second; a gateway that is away is no news."""
        while True:
            summary = await self._get(f"/v1/fleets/{self._fleet}/summary")
            if isinstance(summary, dict):
                tell(summary)
            await asyncio.sleep(1.0)

    async def windows(self, digests: list[str]) -> list[dict[str, Any]]:
        query = "&".join(f"digest={d}" for d in digests)
        found = await self._get(f"/v1/fleets/{self._fleet}/windows?{query}")
        return found if isinstance(found, list) else []

    async def register(self, devices: list[dict[str, Any]]) -> None:
        answer = await self._http.put("/v1/devices", json=devices)
        answer.raise_for_status()

    async def online(self) -> int:
        """Devices that have reported a state."""
        found = await self._get("/v1/devices")
        devices = found if isinstance(found, list) else []
        return sum(1 for device in devices if device.get("state"))

    async def close(self) -> None:
        await self._http.aclose()

    async def _get(self, path: str) -> object:
        try:
            answer = await self._http.get(path)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == httpx.codes.OK else None
