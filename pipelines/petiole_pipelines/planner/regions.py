"""What an operator needs of the arena beside its tensors, and how its output may overlap its input.

The rules of `docs/model-format.md` for whom plans; `firmware/core/nn_regions.c` checks them.
"""

import math
from dataclasses import dataclass

from petiole_pipelines.planner.format import PACKED, Kind, Op, aligned

WINDOWED = {Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D, Kind.MAX_POOL_2D, Kind.AVERAGE_POOL_2D}
ELEMENTWISE = {Kind.ADD, Kind.MUL, Kind.SOFTMAX, Kind.LOOKUP}


@dataclass(frozen=True)
class Overlap:
    """An output may overlap its input if `low <= input offset - output offset <= high`."""

    low: float
    high: float

    def holds(self, ahead: int) -> bool:
        return self.low <= ahead <= self.high


SAME = Overlap(0, 0)
ANYWHERE = Overlap(-math.inf, math.inf)


def largest_ring(op: Op) -> int:
    """Return the rows of the only ring that the operator can have, or 0."""
    if op.kind not in WINDOWED or (op.kind is Kind.CONV_2D and op.window.pointwise):
        return 0
    return min(op.window.filter_h, op.in_shape.h)


def scratch(op: Op, ring: int) -> int:
    """Return the bytes of scratch with a ring of so many rows."""
    row = op.in_shape.c if op.flags & PACKED else 0
    return _patches(op) + aligned(row) + ring * op.in_shape.w * op.in_shape.c


def _patches(op: Op) -> int:
    if op.kind not in (Kind.CONV_2D, Kind.FULLY_CONNECTED):
        return 0
    patch = 2 * aligned(op.window.filter_h * op.window.filter_w * op.in_shape.c)
    return patch if op.out_shape.pixels == 1 else 2 * patch


def overlap(op: Op, ring: int) -> Overlap | None:
    """Return how the output may overlap the input, or None if it may not."""
    if ring:
        return _behind_ring(op)
    if op.kind is Kind.FULLY_CONNECTED or (op.kind is Kind.CONV_2D and op.window.pointwise):
        return _behind_pixels(op)
    return SAME if op.kind in ELEMENTWISE else None


def _behind_ring(op: Op) -> Overlap:
    """Linear in the row: the first and the last row that is not read ahead of decide."""
    window, shape = op.window, op.in_shape
    in_row, out_row = shape.w * shape.c, op.out_shape.w * op.out_shape.c
    top = window.filter_h - window.pad_top
    if top >= shape.h:
        return ANYWHERE
    last = min((shape.h - 1 - top) // window.stride_h, op.out_shape.h - 1)
    return Overlap(
        max((y + 1) * out_row - (top + y * window.stride_h) * in_row for y in (0, last)), math.inf
    )


def _behind_pixels(op: Op) -> Overlap:
    growth, pixels = op.out_shape.c - op.in_shape.c, op.out_shape.pixels
    if pixels == 1:
        return ANYWHERE
    return Overlap(max(growth, (pixels - 1) * growth), math.inf)
