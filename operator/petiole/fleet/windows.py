"""Cumulative statistics of devices, turned into what happened in each monitoring interval.

A device sends totals since its artefact became active. The gateway keeps the last total of each
device and artefact and adds the difference to the fleet's window in which the report came. A total
that begins anew (another boot, or the artefact became active again) counts from zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from petiole.rollout.plan import Window
from petiole.wire.messages import BINS, Stats

KEPT = 1000  # windows kept a fleet and artefact; an even half of them is joined beyond


@dataclass(frozen=True, slots=True)
class Delta:
    """What one device did since its last report."""

    count: int
    confidence: tuple[int, ...]
    classes: tuple[int, ...]
    confidence_sum: int
    confidence_squares: int
    input_sum: int
    latency_sum: int = 0
    inputs: tuple[int, ...] = ()
    latency: tuple[int, ...] = ()


@dataclass(slots=True)
class Tally:
    """One device's counts with one artefact.

    ``count`` and the sums run over all boots; latency in microseconds. The mark remembers where
    they stood when the stage named by ``mark`` was first heard in, for comparisons over the same
    time. ``window`` is the start of the last window that counts this device, in whole milliseconds.
    """

    stats: Stats
    count: int = 0
    confidence_sum: int = 0
    mark: str = ""
    mark_count: int = 0
    mark_sum: int = 0
    latency_sum: int = 0
    mark_latency: int = 0
    window: int = -1

    @classmethod
    def from_row(cls, row: Any) -> Tally:  # noqa: ANN401 - a row of any columns
        return cls(
            stats=Stats.decode(row["stats"]),
            count=row["count"],
            confidence_sum=row["confidence_sum"],
            mark=row["mark"],
            mark_count=row["mark_count"],
            mark_sum=row["mark_sum"],
            latency_sum=row["latency_sum"],
            mark_latency=row["mark_latency"],
            window=row["window"],
        )

    def row(self, device: str) -> dict[str, Any]:
        return {
            "device": device,
            "digest": self.stats.digest,
            "stats": self.stats.encode(),
            "count": self.count,
            "confidence_sum": self.confidence_sum,
            "mark": self.mark,
            "mark_count": self.mark_count,
            "mark_sum": self.mark_sum,
            "latency_sum": self.latency_sum,
            "mark_latency": self.mark_latency,
            "window": self.window,
        }

    def set_mark(self, mark: str) -> None:
        """Begin a new stretch of time here, unless ``mark`` is the one already set."""
        if self.mark != mark:
            self.mark, self.mark_count, self.mark_sum = mark, self.count, self.confidence_sum
            self.mark_latency = self.latency_sum


def take(tallies: dict[str, Tally], stats: Stats) -> Delta | None:
    """Put ``stats`` into a device's ``tallies`` and say what is new; None when nothing is."""
    tally = tallies.get(stats.digest)
    if tally is None:
        tally = tallies[stats.digest] = Tally(stats)
        delta = difference(stats, None)
    elif stats.order <= tally.stats.order:
        return None
    else:
        ran_another = any(t.stats.order > tally.stats.order for t in tallies.values())
        anew = ran_another or stats.boot != tally.stats.boot or stats.count < tally.stats.count
        delta = difference(stats, None if anew else tally.stats)
        tally.stats = stats
    tally.count += delta.count
    tally.confidence_sum += delta.confidence_sum
    tally.latency_sum += delta.latency_sum
    return delta


def difference(now: Stats, before: Stats | None) -> Delta:
    """Return counts of ``now`` less those of ``before`` (nothing, when None); never below zero."""
    if before is None:
        return Delta(
            now.count,
            now.confidence,
            now.classes,
            now.confidence_sum,
            now.confidence_squares,
            now.input_sum,
            now.latency_sum,
            now.inputs or (),
            now.latency or (),
        )
    return Delta(
        max(0, now.count - before.count),
        _less(now.confidence, before.confidence),
        _less(now.classes, before.classes),
        max(0, now.confidence_sum - before.confidence_sum),
        max(0, now.confidence_squares - before.confidence_squares),
        max(0, now.input_sum - before.input_sum),
        max(0, now.latency_sum - before.latency_sum),
        _less(now.inputs or (), before.inputs or ()),
        _less(now.latency or (), before.latency or ()),
    )


@dataclass(slots=True)
class Bin:
    """A window in the making. ``start`` and ``seconds`` in seconds (since 1970)."""

    start: float
    seconds: float
    devices: int = 0
    count: int = 0
    confidence: list[int] = field(default_factory=lambda: [0] * BINS)
    classes: list[int] = field(default_factory=list)
    confidence_sum: int = 0
    confidence_squares: int = 0
    input_sum: int = 0
    inputs: list[int] = field(default_factory=list)
    latency: list[int] = field(default_factory=list)

    @classmethod
    def from_row(cls, row: Any) -> Bin:  # noqa: ANN401 - a row of any columns
        return cls(**{k: v for k, v in row.items() if k not in ("fleet", "digest")})

    def row(self, fleet: str, digest: str) -> dict[str, Any]:
        return {
            "fleet": fleet,
            "digest": digest,
            "start": self.start,
            "seconds": self.seconds,
            "devices": self.devices,
            "count": self.count,
            "confidence": list(self.confidence),
            "classes": list(self.classes),
            "confidence_sum": self.confidence_sum,
            "confidence_squares": self.confidence_squares,
            "input_sum": self.input_sum,
            "inputs": list(self.inputs),
            "latency": list(self.latency),
        }

    def add(self, delta: Delta) -> None:
        self.count += delta.count
        self.confidence = _plus(self.confidence, delta.confidence)
        self.classes = _plus(self.classes, delta.classes)
        self.confidence_sum += delta.confidence_sum
        self.confidence_squares += delta.confidence_squares
        self.input_sum += delta.input_sum
        self.inputs = _plus(self.inputs, delta.inputs)
        self.latency = _plus(self.latency, delta.latency)

    def join(self, later: Bin) -> None:
        """Take in the window after this one. Devices are those of the larger, not of both."""
        self.seconds = later.start + later.seconds - self.start
        self.devices = max(self.devices, later.devices)
        self.add(
            Delta(
                later.count,
                tuple(later.confidence),
                tuple(later.classes),
                later.confidence_sum,
                later.confidence_squares,
                later.input_sum,
                inputs=tuple(later.inputs),
                latency=tuple(later.latency),
            )
        )

    def window(self, digest: str) -> Window:
        return Window(
            index=int(self.start // self.seconds),
            start=datetime.fromtimestamp(self.start, UTC),
            end=datetime.fromtimestamp(self.start + self.seconds, UTC),
            digest=digest,
            devices=self.devices,
            count=self.count,
            confidence=tuple(self.confidence),
            classes=tuple(self.classes),
            confidence_sum=self.confidence_sum,
            confidence_squares=self.confidence_squares,
            input_sum=self.input_sum,
            inputs=tuple(self.inputs),
            latency=tuple(self.latency),
        )


class WindowBook:
    """The windows of all fleets, by fleet and artefact digest."""

    def __init__(self) -> None:
        self._bins: dict[tuple[str, str], dict[float, Bin]] = {}

    def load(self, fleet: str, digest: str, bin_: Bin) -> None:
        self._bins.setdefault((fleet, digest), {})[bin_.start] = bin_

    def add(self, fleet: str, tally: Tally, delta: Delta, now: float, seconds: float) -> Bin:
        """Add ``delta`` to the window of ``now``; the device counts once a window."""
        bins = self._bins.setdefault((fleet, tally.stats.digest), {})
        start = now // seconds * seconds
        bin_ = bins.setdefault(start, Bin(start, seconds))
        stamp = int(start * 1000)
        if tally.window != stamp:
            tally.window = stamp
            bin_.devices += 1
        bin_.add(delta)
        return bin_

    def closed(self, fleet: str, digest: str, now: float) -> list[Window]:
        """Windows that ended before ``now``, oldest first."""
        bins = self._bins.get((fleet, digest), {})
        return [b.window(digest) for _, b in sorted(bins.items()) if b.start + b.seconds <= now]

    def thin(self, fleet: str, digest: str) -> tuple[list[Bin], list[float]]:
        """Join the oldest half in pairs when there are more than are kept.

        So a series keeps how it began, which drift is measured from, in the same space for ever.
        Returns the windows that grew and the starts of those that went into them.
        """
        bins = self._bins.get((fleet, digest), {})
        if len(bins) <= KEPT:
            return [], []
        old = sorted(bins)[: KEPT // 2]
        grown = []
        for start, later in zip(old[::2], old[1::2], strict=True):
            bins[start].join(bins.pop(later))
            grown.append(bins[start])
        return grown, old[1::2]

    def drop(self, fleet: str) -> list[tuple[str, float]]:
        """Forget a fleet; returns (digest, start) of what it had."""
        keys = [key for key in self._bins if key[0] == fleet]
        return [(key[1], start) for key in keys for start in self._bins.pop(key)]


def _less(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(max(0, x - y) for x, y in zip_longest(a, b, fillvalue=0))


def _plus(a: list[int], b: tuple[int, ...]) -> list[int]:
    return [x + y for x, y in zip_longest(a, b, fillvalue=0)]
