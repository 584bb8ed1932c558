"""Places tensors in one arena so that those alive at the same time do not overlap.

Greedy by size: the largest first, each at the lowest offset that is free during its whole life.
The same heuristic as tflite-micro's planner (Pisarchyk and Lee, 2020, arXiv:2001.03288).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

ALIGNMENT = 4  # word loads of the kernels


@dataclass(frozen=True)
class Buffer:
    """`size` bytes, alive from step `first` to step `last`, both included."""

    key: Hashable
    size: int
    first: int
    last: int

    def meets(self, other: "Buffer") -> bool:
        return self.first <= other.last and other.first <= self.last


def place(buffers: Sequence[Buffer]) -> tuple[Mapping[Hashable, int], int]:
    """Return the offset of every buffer by key, and the size of the arena, in bytes."""
    placed: list[tuple[int, Buffer]] = []
    for buffer in sorted(buffers, key=lambda b: (-b.size, b.first, b.last)):
        others = sorted((at, b.size) for at, b in placed if b.meets(buffer))
        placed.append((_lowest_gap(others, buffer.size), buffer))
    total = max((at + buffer.size for at, buffer in placed), default=0)
    return {buffer.key: at for at, buffer in placed}, total


def _lowest_gap(taken: Sequence[tuple[int, int]], size: int) -> int:
    at = 0
    for start, length in taken:
        if at + size <= start:
            break
        at = max(at, _aligned(start + length))
    return at


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
