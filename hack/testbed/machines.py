"""Machines of recordings as their sensors show them: whole runs, in order, a device at each.

A machine is commissioned first, and anew whenever its device has another model, which has to learn
it. Then it runs well: what its recording shows before the fault, forth and back, from another
moment on at each device. When it fails, all behind the commissioning comes once: the time before
the fault, the fault, and what follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from petiole.learning import anomaly

from .field import Source
from .link import Answer

Windows = NDArray[np.uint8]  # [n, 1, readings, sensors]


@dataclass(frozen=True, slots=True)
class Recording:
    """One machine from one start on: its windows by phase, and which end with a faulty reading [n].

    Its device learns from the first ``learns`` of them.
    """

    name: str
    windows: Mapping[str, Windows]
    faulty: NDArray[np.bool_]
    learns: int

    @property
    def well(self) -> slice:
        """Windows behind the commissioning that come before the fault; empty: of no use here."""
        first = int(np.argmax(self.faulty)) if self.faulty.any() else 0
        return slice(self.learns, max(first, self.learns))


@dataclass(slots=True)
class Failure:
    """A machine that failed, and what its device said, reading by reading."""

    device: str
    recording: str
    phase: str
    digest: str  # of the model that answered
    raised: list[bool] = field(default_factory=list)
    faulty: list[bool] = field(default_factory=list)

    @property
    def counts(self) -> anomaly.Counts:
        """Hits, false alarms, misses, quiet and right [4]."""
        return anomaly.counted(np.array(self.raised, bool), np.array(self.faulty, bool))

    @property
    def delay(self) -> int | None:
        """Readings from the first faulty one to the first with an alarm; None: none was raised."""
        fault = np.flatnonzero(self.faulty)
        hits = np.flatnonzero(np.logical_and(self.raised, self.faulty))
        return int(hits[0] - fault[0]) if len(hits) else None


@dataclass(slots=True)
class _Machine:
    """Where a machine stands in its recording."""

    recording: Recording
    digest: str = ""
    at: int = 0  # of the window that is shown next
    step: int = 1
    failure: Failure | None = None
    told: tuple[Failure, bool] | None = None  # what the next answer is about, and whether faulty

    @property
    def learning(self) -> bool:
        return self.at < self.recording.learns

    def go_on(self, random: np.random.Generator) -> None:
        """Go to the window behind the one that was shown."""
        well = self.recording.well
        if self.failure is not None or self.at < well.start - 1:
            self.at += 1
        elif self.learning:
            self.at, self.step = int(random.integers(well.start, well.stop)), 1
        else:
            if not well.start <= self.at + self.step < well.stop:
                self.step = -self.step
            self.at += self.step


class Machines:
    """As many machines as devices, each of one of the recordings, in turn."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        """Take what machines show; each needs two windows at least that are ``well``."""
        for one in recordings:
            if one.well.stop - one.well.start < 2:
                raise ValueError(f"{one.name} shows no time without a fault behind {one.learns}")
        self.failures: list[Failure] = []
        self._recordings = recordings
        self._machines: dict[str, _Machine] = {}

    def seen(self, phase: str) -> Source:
        """Return what sensors show in a phase; a machine goes on where it is in each."""
        return _Seen(self, phase)

    def of(self, device: str) -> _Machine:
        if device not in self._machines:
            recording = self._recordings[len(self._machines) % len(self._recordings)]
            self._machines[device] = _Machine(recording)
        return self._machines[device]

    @property
    def learning(self) -> int:
        """How many are being commissioned."""
        return sum(machine.learning for machine in self._machines.values())

    @property
    def failing(self) -> int:
        """How many have not come to the end of their recording."""
        return sum(machine.failure is not None for machine in self._machines.values())

    def fail(self, devices: Iterable[str], phase: str) -> list[Failure]:
        """Let the machines of some devices fail from now on; return what will be said of it."""
        found = []
        for device in devices:
            machine = self.of(device)
            machine.failure = Failure(device, machine.recording.name, phase, machine.digest)
            machine.at, machine.step = machine.recording.learns, 1
            found.append(machine.failure)
        self.failures += found
        return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """The machines as their sensors show them in one phase."""

    machines: Machines
    phase: str

    def next(
        self, device: str, random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], int | None]:
        machine = self.machines.of(device)
        recording = machine.recording
        if machine.failure is not None and machine.at == len(recording.faulty):
            machine.failure, machine.at = None, recording.well.start
        at, faulty = machine.at, bool(recording.faulty[machine.at])
        truth = None if machine.learning else int(faulty)
        machine.told = None if machine.failure is None else (machine.failure, faulty)
        machine.go_on(random)
        return recording.windows[self.phase][at], truth

    def answered(self, device: str, answer: Answer) -> None:
        machine = self.machines.of(device)
        if answer.digest != machine.digest:  # a model that learns the machine anew
            machine.digest, machine.at, machine.failure = answer.digest, 0, None
        elif machine.told is not None:
            failure, faulty = machine.told
            failure.raised.append(answer.label == 1)
            failure.faulty.append(faulty)
