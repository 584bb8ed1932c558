"""Places tensors in one arena, so that those alive at the same time overlap only where they may.

Greedy: one after the other, each at the lowest offset that its neighbours in time allow (Pisarchyk
and Lee, 2020, arXiv:2001.03288), in several orders, and then in random changes of the best one.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from petiole_pipelines.planner.format import ALIGNMENT, aligned
from petiole_pipelines.planner.regions import Overlap

TRIES = 60  # changes of the best order


@dataclass(frozen=True)
class Buffer:
    """`size` bytes, alive from step `first` to step `last`, both included."""

    key: Hashable
    size: int
    first: int
    last: int

    def meets(self, other: "Buffer") -> bool:
        return self.first <= other.last and other.first <= self.last

    def steps(self) -> range:
        return range(self.first, self.last + 1)


Offsets = Mapping[Hashable, int]
Overlaps = Mapping[tuple[Hashable, Hashable], Overlap]  # by input and output


@dataclass(frozen=True)
class _Neighbour:
    """Another buffer alive at the same time; `rule` bounds its offset minus that of the buffer."""

    buffer: Buffer
    rule: Overlap | None


_Neighbours = Mapping[Hashable, Sequence[_Neighbour]]


def place(
    buffers: Sequence[Buffer], overlaps: Overlaps = MappingProxyType({}), enough: int = 0
) -> tuple[Offsets, int]:
    """Return the offset of every buffer by key, and the size of the arena, in bytes.

    Stops searching once the arena is down to `enough`.
    """
    neighbours = _neighbours(buffers, overlaps)
    enough = max(enough, _least(buffers, overlaps))
    size, order, offsets = min(
        (_tried(order, neighbours) for order in _orders(buffers)), key=lambda found: found[0]
    )
    generator = np.random.default_rng(0)
    for _ in range(TRIES):
        if size <= enough:
            break
        changed = _tried(_changed(order, generator), neighbours)
        if changed[0] < size:
            size, order, offsets = changed
    return offsets, size


def _neighbours(buffers: Sequence[Buffer], overlaps: Overlaps) -> _Neighbours:
    found: dict[Hashable, list[_Neighbour]] = {b.key: [] for b in buffers}
    for a, b in itertools.combinations(buffers, 2):
        if a.meets(b):
            for one, other in ((a, b), (b, a)):
                found[one.key].append(_Neighbour(other, _rule(one, other, overlaps)))
    return found


def _rule(one: Buffer, other: Buffer, overlaps: Overlaps) -> Overlap | None:
    as_output = overlaps.get((other.key, one.key))
    as_input = overlaps.get((one.key, other.key))
    return as_output or (as_input and Overlap(-as_input.high, -as_input.low))


def _least(buffers: Sequence[Buffer], overlaps: Overlaps) -> int:
    """Return a size below which no arena can get, though none may get there."""
    sizes = {b.key: b.size for b in buffers}
    busy = _busy(buffers)
    for first, second in overlaps:
        for step in {b.first for b in buffers if b.key == second}:
            busy[step] -= min(sizes[first], sizes[second])
    return max((*busy.values(), *sizes.values()), default=0)


def _busy(buffers: Sequence[Buffer]) -> dict[int, int]:
    """Return the bytes alive at each step."""
    busy: dict[int, int] = defaultdict(int)
    for buffer in buffers:
        for step in buffer.steps():
            busy[step] += buffer.size
    return busy


def _orders(buffers: Sequence[Buffer]) -> Iterator[Sequence[Buffer]]:
    busy = _busy(buffers)
    yield sorted(buffers, key=lambda b: (-b.size, b.first, b.last))
    yield sorted(buffers, key=lambda b: (-b.size * len(b.steps()), b.first))
    yield sorted(buffers, key=lambda b: (-max(busy[s] for s in b.steps()), -b.size, b.first))
    yield sorted(buffers, key=lambda b: (b.first, -b.size))
    yield sorted(buffers, key=lambda b: (-b.last, -b.size))


def _changed(order: Sequence[Buffer], generator: np.random.Generator) -> Sequence[Buffer]:
    """Move one buffer to another place in the order."""
    changed = list(order)
    moved = changed.pop(generator.integers(len(order)))
    changed.insert(generator.integers(len(order)), moved)
    return changed


def _tried(
    order: Sequence[Buffer], neighbours: _Neighbours
) -> tuple[int, Sequence[Buffer], Offsets]:
    offsets = _greedy(order, neighbours)
    return max((offsets[b.key] + b.size for b in order), default=0), order, offsets


def _greedy(order: Sequence[Buffer], neighbours: _Neighbours) -> Offsets:
    offsets: dict[Hashable, int] = {}
    for buffer in order:
        placed = [n for n in neighbours[buffer.key] if n.buffer.key in offsets]
        offsets[buffer.key] = min(
            at
            for at in _candidates(buffer, placed, offsets)
            if all(_allowed(buffer, at, n, offsets[n.buffer.key]) for n in placed)
        )
    return offsets


def _candidates(buffer: Buffer, placed: Sequence[_Neighbour], offsets: Offsets) -> Iterator[int]:
    """Yield the lowest offset, and those where a neighbour or a rule begins or ends to matter."""
    yield 0
    for neighbour in placed:
        at = offsets[neighbour.buffer.key]
        yield aligned(at + neighbour.buffer.size)
        bounds: list[float] = [at - buffer.size]
        if neighbour.rule is not None:
            bounds += [at - neighbour.rule.low, at - neighbour.rule.high]
        for bound in bounds:
            if math.isfinite(bound):
                yield from (b for b in (aligned(int(bound)), _floor(int(bound))) if b >= 0)


def _floor(offset: int) -> int:
    return offset // ALIGNMENT * ALIGNMENT


def _allowed(buffer: Buffer, at: int, neighbour: _Neighbour, other_at: int) -> bool:
    apart = at + buffer.size <= other_at or other_at + neighbour.buffer.size <= at
    return apart or (neighbour.rule is not None and neighbour.rule.holds(other_at - at))
