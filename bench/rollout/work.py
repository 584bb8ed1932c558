"""What every peer is asked to do, and what comes back from a run."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Kind = Literal["speed", "staged", "failing", "stop"]
Tell = Callable[[str], None]

PERCENT = 100.0


class Skip(Exception):  # noqa: N818 - it is no error: the others still run
    """A peer cannot run here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Work:
    """The same for all peers. Sizes in bytes, times in seconds, shares from 0 to 1."""

    folder: Path
    devices: tuple[int, ...] = (1_000, 10_000)
    failing: tuple[float, ...] = (0.01, 0.10, 0.30)
    failing_devices: int = 1_000
    repeats: int = 10
    artefact_size: int = 32 * 1024
    budget: float = 600.0
    warm_up: int = 2_000
    seed: int = 1


@dataclass(slots=True)
class Trace:
    """What devices did, by their own clock (monotonic seconds).

    ``put_back`` are devices that ended and run something else since.
    """

    started: float
    begun: dict[str, float] = field(default_factory=dict)
    ended: dict[str, tuple[float, bool]] = field(default_factory=dict)
    put_back: set[str] = field(default_factory=set)

    def end(self, device: str, at: float, *, ok: bool) -> None:
        """Note how a device ended; saying it again changes nothing."""
        if device not in self.ended or self.ended[device][1] != ok:
            self.ended[device] = (at, ok)

    @property
    def succeeded(self) -> int:
        """Devices that run it now."""
        return sum(ok and device not in self.put_back for device, (_, ok) in self.ended.items())

    @property
    def failed(self) -> int:
        return sum(not ok for _, ok in self.ended.values())

    @property
    def seconds(self) -> float:
        """From the start to the end of the last device; 0 when none ended."""
        return max((at for at, _ in self.ended.values()), default=self.started) - self.started

    @property
    def last_begin(self) -> float:
        """When the last device began; the start when none did."""
        return max(self.begun.values(), default=self.started)

    def failures(self) -> list[tuple[float, str]]:
        """When devices failed, in order."""
        return sorted((at, device) for device, (at, ok) in self.ended.items() if not ok)


@dataclass(frozen=True, slots=True)
class Usage:
    """Of the servers: CPU seconds by process, memory in MiB. Of the client: CPU seconds.

    ``beside`` are processes that serve others too and are not counted as servers.
    """

    cpu: dict[str, float]
    rss: float
    peak: float
    client_cpu: float
    beside: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counted:
    """What the server says about a run that is over."""

    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class Run:
    """One rollout. ``deciding`` is when the failure came that ends it; None: nothing decided."""

    kind: Kind
    devices: int
    failing: float
    trace: Trace
    counted: Counted
    usage: Usage
    deciding: float | None = None
    api_writes_per_stage: float | None = None

    @property
    def lost(self) -> int:
        """Devices that the server counts wrongly, in either direction."""
        return abs(self.trace.succeeded - self.counted.succeeded) + abs(
            self.trace.failed - self.counted.failed
        )

    @property
    def stop_seconds(self) -> float | None:
        """From the deciding failure to the last device that began; 0 when none began after it."""
        if self.deciding is None:
            return None
        return max(self.trace.last_begin - self.deciding, 0.0)


class Peer(Protocol):
    """Something that brings an artefact to devices."""

    name: str
    setting: str  # what was run and how, and what is unfair about it

    def run(self, work: Work, tell: Tell, done: Callable[[Run], None]) -> None:
        """Do the work, warmed up, and hand each run to ``done``. Raises ``Skip``."""


def choose_failing(devices: Sequence[str], share: float, seed: int) -> frozenset[str]:
    """Return the devices that fail: a fixed number, drawn without regard to their names."""
    return frozenset(random.Random(seed).sample(list(devices), round(share * len(devices))))
