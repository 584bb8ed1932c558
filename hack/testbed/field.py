"""The field: real inputs shown to devices over their sensor links, and how well they answer.

What is counted here comes from the devices' answers and the inputs' own labels alone, so that it
can contradict Petiole's telemetry.
"""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from petiole.wire.messages import input_hash

from .link import NO_MODEL, Answer, SensorLink

TICK = 0.05
"""Seconds between two bursts of inputs."""
ANSWER_DEADLINE = 5.0
"""Seconds after which an input counts as lost and its device is shown the next one."""


class Source(Protocol):
    """What sensors show to devices, and who hears what they say to it."""

    def next(
        self, device: str, random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], int | None]:
        """Return a device's next input and its label; None where no answer can be right yet."""

    def answered(self, device: str, answer: Answer) -> None:
        """Hear the answer to the last input of a device."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Inputs with their labels, by chance: ``x`` uint8 [n, ...], ``y`` class numbers [n]."""

    x: NDArray[np.uint8]
    y: NDArray[np.int64]

    def next(self, _device: str, random: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
        pick = int(random.integers(len(self.y)))
        return self.x[pick], int(self.y[pick])

    def answered(self, _device: str, _answer: Answer) -> None:
        """An answer changes nothing in what comes next."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device sits: its link and its index on it."""

    device: str
    link: SensorLink
    index: int


@dataclass(slots=True)
class Cell:
    """Answers counted together. ``confidence`` and its squares sum bytes 0..255 as fractions."""

    answers: int = 0
    correct: int = 0
    confidence: float = 0.0
    squares: float = 0.0

    def add(self, right: bool, confidence: float) -> None:
        self.answers += 1
        self.correct += right
        self.confidence += confidence
        self.squares += confidence * confidence

    def merge(self, other: Cell) -> None:
        self.answers += other.answers
        self.correct += other.correct
        self.confidence += other.confidence
        self.squares += other.squares

    @property
    def accuracy(self) -> float | None:
        return self.correct / self.answers if self.answers else None


@dataclass(slots=True)
class Tally:
    """Answers by (phase, digest, device), and by (second, digest) for the charts."""

    by_device: dict[tuple[str, str, str], Cell] = field(default_factory=lambda: defaultdict(Cell))
    by_second: dict[tuple[int, str], Cell] = field(default_factory=lambda: defaultdict(Cell))
    without_model: int = 0
    learning: int = 0  # inputs from which devices learned their machine
    lost: int = 0

    def add(self, phase: str, device: str, answer: Answer, truth: int | None, second: int) -> None:
        if answer.label == NO_MODEL:
            self.without_model += 1
            return
        if truth is None:
            self.learning += 1
            return
        right = answer.label == truth
        confidence = answer.confidence / 255.0
        self.by_device[phase, answer.digest, device].add(right, confidence)
        self.by_second[second, answer.digest].add(right, confidence)

    def over(self, phase: str | None, digests: Sequence[str] | None = None) -> Cell:
        """All answers of a phase or of all, of some artefacts or of all."""
        total = Cell()
        for (of_phase, digest, _), cell in self.by_device.items():
            if phase in (None, of_phase) and (digests is None or digest in digests):
                total.merge(cell)
        return total

    def devices(self, digests: Sequence[str]) -> set[str]:
        """Those that answered with one of the artefacts."""
        return {device for (_, digest, device) in self.by_device if digest in digests}


@dataclass(slots=True)
class _Pending:
    phase: str
    truth: int | None
    sent: float


class Field:
    """Shows inputs to all devices in turn, one at a time each, and keeps the tally."""

    def __init__(
        self,
        streams: Mapping[str, Source],
        *,
        phase: str,
        per_second: float,
        seed: int,
    ) -> None:
        """``per_second`` is inputs a second for each device."""
        self.tally = Tally()
        self.phase = phase
        self._streams = streams
        self._per_second = per_second
        self._random = np.random.default_rng(seed)
        self._pending: dict[str, _Pending] = {}
        self._places: list[Place] = []
        self._links: list[SensorLink] = []
        self._at: dict[tuple[int, int], str] = {}
        self._started = time.monotonic()

    def reach(self, places: Sequence[Place]) -> None:
        """Where devices sit; their links must be connected."""
        self._places = list(places)
        self._at = {(id(p.link), p.index): p.device for p in places}
        self._links = list({id(p.link): p.link for p in places}.values())
        for link in self._links:
            link.on_answer = self._answered
        self._started = time.monotonic()

    def second(self) -> int:
        """Whole seconds since the field began."""
        return int(time.monotonic() - self._started)

    def switch(self, phase: str) -> None:
        """From now on inputs come from another stream."""
        if phase not in self._streams:
            raise ValueError(f"there is no stream {phase!r}; known: {sorted(self._streams)}")
        self.phase = phase

    async def run(self) -> None:
        """Feed until cancelled, at the given rate however late a tick comes."""
        turn = self._in_turn()
        owed = 0.0
        last = time.monotonic()
        while True:
            now = time.monotonic()
            rate = self._per_second * len(self._places)
            owed = min(owed + rate * (now - last), len(self._places))
            last = now
            for _ in range(int(owed)):
                self._show(next(turn), now)
            owed -= int(owed)
            for link in self._links:
                await link.flush()
            await asyncio.sleep(TICK)

    def _in_turn(self) -> Iterator[Place]:
        while True:
            yield from self._places

    def _show(self, place: Place, now: float) -> None:
        pending = self._pending.get(place.device)
        if pending is not None:
            if now - pending.sent < ANSWER_DEADLINE:
                return
            self.tally.lost += 1
        shown, truth = self._streams[self.phase].next(place.device, self._random)
        self._pending[place.device] = _Pending(self.phase, truth, now)
        place.link.show(place.index, shown.tobytes())

    def _answered(self, link: SensorLink, index: int, answer: Answer) -> None:
        device = self._at.get((id(link), index))
        pending = self._pending.pop(device, None) if device is not None else None
        if device is not None and pending is not None:
            self.tally.add(pending.phase, device, answer, pending.truth, self.second())
            self._streams[pending.phase].answered(device, answer)


def publish_answers(oracle: Path, stream: Stream, names: Sequence[str]) -> int:
    """Add what an annotator sees in the field to the oracle's ``id,label`` file.

    Returns how many lines were added.
    """
    seen = {
        input_hash(shown.tobytes()).hex(): names[int(label)]
        for shown, label in zip(stream.x, stream.y, strict=True)
    }
    return add_answers(oracle, seen)


def add_answers(oracle: Path, answers: Mapping[str, str]) -> int:
    """Add labels by id to the oracle's file; those that it has stay. Returns how many are new.

    Replaces the file in one step, because the operator may read it at any moment.
    """
    with oracle.open(newline="") as file:
        rows = dict(row[:2] for row in csv.reader(file) if row)
    before = len(rows)
    for id_, label in answers.items():
        rows.setdefault(id_, label)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows.items())
    fresh = oracle.with_suffix(".new")
    fresh.write_text(text.getvalue())
    fresh.replace(oracle)
    return len(rows) - before
