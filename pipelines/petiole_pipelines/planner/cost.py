"""Predicts how many instructions one inference of a planned model takes, by core.

What a kernel does is linear in a few numbers of its shape: pixels, filter rows, products and so on.
`cost.json` has what each of them costs, fitted to counts of emulated boards
(`python -m bench.firmware.calibrate`). Instructions are not cycles, but order models well.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal

from petiole_pipelines.planner.format import OP, PACKED, Header, Kind

Core = Literal["cortex-m3", "cortex-m4", "cortex-m55"]
# Cores by their names in a target, and whose kernels they run.
KERNELS: Mapping[str, Core] = MappingProxyType(
    {
        "cortex-m3": "cortex-m3",
        "cortex-m4": "cortex-m4",
        "cortex-m7": "cortex-m4",
        "cortex-m33": "cortex-m4",
        "cortex-m55": "cortex-m55",
    }
)

# firmware/core/nn_kernels.h
BAND_TAPS, BAND_COLUMNS = 64, 16


class _Operator:
    """An entry of the operator table, and which channels of it a core's quick path takes."""

    def __init__(self, blob: bytes, at: int, core: Core) -> None:
        fields: tuple[int, ...] = OP.unpack_from(blob, at)
        kind, self.flags, self.ring = fields[:3]
        self.in_h, self.in_w, self.in_c, self.out_h, self.out_w, self.out_c = fields[6:12]
        self.filter_h, self.filter_w, self.stride_h, self.stride_w = fields[12:16]
        self.pad_top, self.pad_left, _, self._scales, _, _, low, high = fields[16:]
        self.kind = Kind(kind)
        self.full = (low, high) == (-128, 127)
        self._blob = blob
        self._picky = core == "cortex-m4"

    @property
    def pixels(self) -> int:
        return self.out_h * self.out_w

    @property
    def outputs(self) -> int:
        return self.pixels * self.out_c

    @property
    def ring_bytes(self) -> int:
        return self.in_h * self.in_w * self.in_c if self.ring else 0

    def quick(self, first: int, count: int) -> bool:
        """Whether the quick path takes these channels: on an M4, those that shift to the right."""
        shifts = self._scales + 8 * self.out_c + first
        signs = self._blob[shifts : shifts + count]
        return not self._picky or (self.full and all(sign > 127 for sign in signs))

    def inside(self) -> tuple[Sequence[int], Sequence[int]]:
        """Filter rows inside the input by output row, filter columns by output column."""
        return (
            _inside(self.out_h, self.stride_h, self.pad_top, self.filter_h, self.in_h),
            _inside(self.out_w, self.stride_w, self.pad_left, self.filter_w, self.in_w),
        )


def _inside(count: int, stride: int, pad: int, size: int, limit: int) -> list[int]:
    starts = (i * stride - pad for i in range(count))
    return [min(start + size, limit) - max(start, 0) for start in starts]


def _convolution(op: _Operator) -> dict[str, float]:
    length = op.filter_h * op.filter_w * op.in_c
    words, vectors, rest = length // 4, -(-length // 16), length % 4
    pairs, last = divmod(op.pixels, 2)
    quick = 2 * sum(length >= 4 and op.quick(c, 2) for c in range(0, op.out_c - 1, 2))
    slow = op.out_c - quick
    copied = "words copied" if op.in_c % 4 == 0 else "bytes copied"
    packed = op.out_c if op.flags & PACKED else 0
    return {
        "pixels": op.pixels,
        "rows copied": op.pixels * op.filter_h,
        copied: op.pixels * length,
        "pairs": pairs * quick,
        "words of pairs": pairs * quick * words,
        "vectors of pairs": pairs * quick * vectors,
        "parts of vectors": pairs * quick * (length % 16 > 0),
        "fours of pairs": pairs * -(-op.out_c // 4),
        "rests of pairs": pairs * quick * rest,
        "slow": pairs * slow,
        "words of slow": pairs * slow * words,
        "single": last * op.out_c,
        "words of single": last * op.out_c * words,
        "vectors of single": last * op.out_c * vectors,
        "packed rows": packed,
        "packed": packed * length,
        "ring": op.ring_bytes,
    }


def _depthwise(op: _Operator) -> dict[str, float]:
    taps = op.filter_h * op.filter_w
    fits = taps + op.filter_w <= BAND_TAPS and op.filter_w <= BAND_COLUMNS
    most = op.out_c // 4 if op.in_c == op.out_c and fits else 0
    groups = sum(op.quick(4 * group, 4) for group in range(most))
    single = op.out_c - 4 * groups
    rows, columns = op.inside()
    runs = 1 + sum(n < op.filter_w for n in columns)
    products = sum(rows) * sum(columns)
    pixel_rows = sum(rows) * op.out_w
    three = "products of three" if op.filter_w == 3 else "products"
    return {
        "rows": op.out_h,
        "groups": op.out_h * groups,
        "columns": op.out_h * groups * op.filter_w,
        "taps": sum(rows) * op.filter_w * groups,
        "runs": op.out_h * groups * runs,
        "pixels": op.pixels * groups,
        "edges": op.out_h * (runs - 1) * groups,
        "pixel rows": pixel_rows * groups,
        three: products * groups,
        "single": op.pixels * single,
        "pixel rows of single": pixel_rows * single,
        "products of single": products * single,
        "ring": op.ring_bytes,
    }


def _pool(op: _Operator) -> dict[str, float]:
    rows, columns = op.inside()
    taps = sum(rows) * sum(columns)
    words, rest = divmod(op.in_c, 4)
    return {
        "pixels": op.pixels,
        "outputs": op.outputs,
        "pixel rows": sum(rows) * op.out_w,
        "groups": sum(rows) * op.out_w * -(-op.in_c // 4),
        "taps": taps,
        "words": taps * words,
        "rests": taps * rest,
        "vectors": taps * -(-op.in_c // 16),
        "clamped": 0 if op.full else op.outputs,
        "ring": op.ring_bytes,
    }


def _mean(op: _Operator) -> dict[str, float]:
    words, rest = divmod(op.in_c, 4)
    pixels = op.in_h * op.in_w
    return {"outputs": op.out_c, "words": pixels * words, "rests": pixels * rest}


def _values(op: _Operator) -> dict[str, float]:
    return {
        "rows": op.in_h,
        "pixels": op.in_h * op.in_w,
        "values": op.in_h * op.in_w * op.in_c,
        "outputs": op.outputs,
    }


_RULES = {
    Kind.CONV_2D: _convolution,
    Kind.FULLY_CONNECTED: _convolution,
    Kind.DEPTHWISE_CONV_2D: _depthwise,
    Kind.MAX_POOL_2D: _pool,
    Kind.AVERAGE_POOL_2D: _pool,
    Kind.MEAN: _mean,
}


def terms(blob: bytes, core: Core) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Yield kind and numbers of each operator of a planned model."""
    header = Header.parse(blob)
    for at in range(header.table, header.table + header.op_count * OP.size, OP.size):
        op = _Operator(blob, at, core)
        kind = Kind.CONV_2D if op.kind is Kind.FULLY_CONNECTED else op.kind
        yield kind.name, {"operators": 1, **_RULES.get(op.kind, _values)(op)}


@cache
def _costs() -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """By core, kind and number."""
    text = resources.files("petiole_pipelines.planner").joinpath("cost.json").read_text()
    costs: Mapping[str, Mapping[str, Mapping[str, float]]] = json.loads(text)
    return costs


def instructions(blob: bytes, core: Core) -> int:
    """Return the instructions that one run of a planned model takes, about."""
    costs = _costs()[core]
    return round(
        sum(
            costs[kind].get(name, 0.0) * number
            for kind, numbers in terms(blob, core)
            for name, number in numbers.items()
        )
    )
