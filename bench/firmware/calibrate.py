"""Fits what petiole_pipelines.planner.cost says to counts of emulated boards.

Shapes are drawn at random, other ones than those of ``kernels``, which tests hold against the
result. ``python -m bench.firmware.calibrate`` writes ``cost.json``; five minutes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.optimize import nnls

from hack.testbed.boards import BoardName
from hack.testbed.exactness import Server
from hack.testbed.processes import ROOT
from hack.testbed.singles import (
    AVERAGE_POOL,
    CONV,
    DENSE,
    DEPTHWISE,
    MAX_POOL,
    MEAN,
    Single,
)
from petiole_pipelines.planner import cost
from petiole_pipelines.planner.format import ABI, HEADER, MAGIC, OP, Kind

TABLE = ROOT / "pipelines" / "petiole_pipelines" / "planner" / "cost.json"
BOARDS: Mapping[cost.Core, BoardName] = MappingProxyType(
    {"cortex-m3": "an385", "cortex-m4": "an386", "cortex-m55": "an547"}
)
EACH = 40  # shapes of a kind


@dataclass(frozen=True, slots=True)
class Plain:
    """An operator without a filter, on one tensor or two."""

    kind: Kind
    shape: tuple[int, int, int]

    def blob(self) -> bytes:
        height, width, depth = self.shape
        grown = self.kind in (Kind.PAD, Kind.CONCAT)
        out = (height + 2, width + 2, depth) if grown else self.shape
        size, out_size = height * width * depth, int(np.prod(out))
        second, out_at = -(-size // 4) * 4, 2 * (-(-size // 4) * 4)
        scales = np.array([0] * 3 + [3 << 29] * 3, "<i4").tobytes() + bytes([0xFD] * 3 + [0])
        if self.kind is Kind.SOFTMAX:
            scales = np.array([-255, 3 << 29], "<i4").tobytes() + bytes([22, 0, 0, 0])
        weights = bytes(range(256))
        scales_at = HEADER.size + len(weights)
        table = scales_at + len(scales)
        aux = second if self.kind in (Kind.ADD, Kind.MUL) else 0
        pads = (1, 1) if grown else (0, 0)
        op = OP.pack(
            self.kind, 0, 0, 0, aux, out_at, *self.shape, *out, 1, 1, 1, 1, *pads,
            HEADER.size, scales_at, 0, 0, -128, 127,
        )  # fmt: skip
        header = HEADER.pack(
            MAGIC, ABI, table + OP.size, out_at + out_size, 1 << self.kind, 1, table,
            0, size, out_at, out_size,
        )  # fmt: skip
        return header + weights + scales + op


def shapes(random: np.random.Generator) -> Iterator[Single | Plain]:
    """Draw shapes of every kind."""

    def number(low: int, high: int) -> int:
        return int(np.exp(random.uniform(np.log(low), np.log(high + 1))))

    def sides(largest: int) -> tuple[int, int]:
        if random.random() < 0.4:
            return 3, 3
        return number(1, largest), number(1, largest)

    for index in range(EACH):
        image = number(4, 24), number(4, 24)
        stride = (1, 1) if random.random() < 0.6 else (2, 2)
        depth = number(1, 12) * (4 if random.random() < 0.7 else 1)
        ring = bool(random.random() < 0.3)
        channels = number(1, 48)
        side = sides(5)
        behind = ring and (side != (1, 1) or stride != (1, 1))  # pointwise has no ring
        yield Single(CONV, (*image, depth), channels, side, stride, ring=behind, seed=index)
        yield Single(CONV, (*image, number(1, 96)), number(1, 96), seed=index)
        yield Single(DEPTHWISE, (*image, depth), depth, sides(5), stride, ring=ring, seed=index)
        yield Single(DEPTHWISE, (*image, depth), depth, (3, 3), stride, shift=(-4, 0), seed=index)
        yield Single(DEPTHWISE, (*image, 3), 6, sides(4), stride, seed=index)
        yield Single(DENSE, (1, 1, number(4, 400)), number(1, 64), seed=index)
        bits = int(random.integers(5, 9))
        yield Single(DENSE, (1, 1, number(64, 400)), number(4, 64), bits=bits, seed=index)
        for pool in (MAX_POOL, AVERAGE_POOL):
            window = tuple(min(s, i) for s, i in zip(sides(4), image, strict=True))
            yield Single(pool, (*image, depth), depth, window, stride, ring=ring, seed=index)
        whole = (*image, depth)
        yield Single(AVERAGE_POOL, whole, depth, image, image, same=False)
        yield Single(MEAN, whole, depth)
        for kind in (Kind.ADD, Kind.MUL, Kind.LOOKUP, Kind.PAD, Kind.CONCAT):
            yield Plain(kind, whole)
        yield Plain(Kind.SOFTMAX, (1, 1, number(2, 64)))


def fit(core: cost.Core) -> dict[str, dict[str, float]]:
    """Count all shapes on a core, and return what each number costs, by kind."""
    drawn = list(shapes(np.random.default_rng(3)))
    samples: dict[str, list[tuple[Mapping[str, float], int]]] = defaultdict(list)
    with Server(BOARDS[core], drawn[0].blob()) as server:
        for shape in drawn:
            blob = shape.blob()
            server.load(blob)
            values = np.random.default_rng(1).integers(-128, 128, server.in_len, dtype=np.int8)
            ((kind, numbers),) = cost.terms(blob, core)
            samples[kind].append((numbers, server.run(values).instructions))
    return {kind: _solved(rows) for kind, rows in samples.items()}


def _solved(rows: list[tuple[Mapping[str, float], int]]) -> dict[str, float]:
    """Least squares of relative errors; no number costs less than nothing."""
    names = sorted({name for numbers, _ in rows for name in numbers})
    matrix = np.array([[numbers.get(name, 0.0) / n for name in names] for numbers, n in rows])
    found, _ = nnls(matrix, np.ones(len(rows)))
    worst = float(np.abs(matrix @ found - 1).max())
    print(f"  {len(rows)} shapes, worst {worst:.1%}", flush=True)
    return {name: round(v, 3) for name, v in zip(names, found, strict=True) if v >= 0.001}


def main() -> None:
    table = {}
    for core in BOARDS:
        print(core, flush=True)
        table[core] = fit(core)
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
