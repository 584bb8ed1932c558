"""Models of a single operator, made without the planner, and what numpy says that they answer.

They reach what no converter writes: multipliers below one half, shifts to the left, clamps inside
the range, inputs at odd addresses, outputs that lie over their input behind a ring of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petiole_pipelines.planner.format import ABI, HEADER, MAGIC, OP, SCALE_BYTES, Kind

CONV, DEPTHWISE, DENSE = Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D, Kind.FULLY_CONNECTED
MAX_POOL, AVERAGE_POOL, MEAN = Kind.MAX_POOL_2D, Kind.AVERAGE_POOL_2D, Kind.MEAN

Int8 = npt.NDArray[np.int8]
Wide = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Single:
    """One operator. `same`: padded as TensorFlow does. `ring`: the output lies over the input."""

    kind: Kind
    shape: tuple[int, int, int]
    channels: int
    filter: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    same: bool = True
    ring: bool = False
    zero_points: tuple[int, int] = (-3, 5)
    clamp: tuple[int, int] = (-128, 127)
    shift: tuple[int, int] = (-9, -6)
    bits: int = 8  # of a weight; with fewer, the rows are packed
    odd: int = 0  # bytes by which the input is off a multiple of 4
    seed: int = 0

    @property
    def pad(self) -> tuple[int, int]:
        if not self.same:
            return 0, 0
        sides = zip(self.shape, self.out_shape, self.filter, self.stride, strict=False)
        top, left = (max((o - 1) * s + f - i, 0) // 2 for i, o, f, s in sides)
        return top, left

    @property
    def out_shape(self) -> tuple[int, int, int]:
        if self.kind is MEAN:
            return 1, 1, self.shape[2]
        sides = zip(self.shape, self.filter, self.stride, strict=False)
        height, width = (-(-(i if self.same else i - f + 1) // s) for i, f, s in sides)
        return height, width, self.channels

    @property
    def products(self) -> int:
        """Multiplications, padding included; values read, for pools."""
        taps = int(np.prod(self.filter))
        if self.kind is MEAN:
            return int(np.prod(self.shape))
        each = taps * self.shape[2] if self.kind in (CONV, DENSE) else taps
        return each * int(np.prod(self.out_shape))

    @property
    def input_bytes(self) -> int:
        return int(np.prod(self.shape))

    def constants(self) -> tuple[Int8, Wide, Wide, Wide]:
        """Weights as the format has them, bias, multiplier, shift."""
        random = np.random.default_rng(self.seed)
        depth, n = self.shape[2], self.channels
        end = 1 << (self.bits - 1)
        weights = np.zeros(0, np.int64)
        if self.kind in (CONV, DENSE):
            weights = random.integers(-end, end, (n, *self.filter, depth))
        elif self.kind is DEPTHWISE:
            weights = random.integers(-end, end, (*self.filter, n))
        count = {MEAN: 1, MAX_POOL: 0, AVERAGE_POOL: 0}.get(self.kind, n)
        bias = random.integers(-(1 << 13), 1 << 13, count)
        multiplier = random.integers(1 << 30, 1 << 31, count)
        multiplier[::5] >>= 3  # no converter writes these
        shift = random.integers(self.shift[0], self.shift[1] + 1, count)
        return weights.astype(np.int8), bias, multiplier, shift

    def blob(self) -> bytes:
        weights, bias, multiplier, shift = self.constants()
        columns = (
            bias.astype("<i4").tobytes() + multiplier.astype("<i4").tobytes(),
            shift.astype("i1").tobytes(),
        )
        assert sum(map(len, columns)) == SCALE_BYTES * len(bias)
        packed = self.bits < 8
        stored = self._packed(weights) if packed else weights.tobytes()
        parts = [_padded(stored), _padded(b"".join(columns))]
        scales_at = HEADER.size + len(parts[0])
        table = scales_at + len(parts[1])
        height, width, depth = self.out_shape
        out_bytes = height * width * depth
        places = self._places(out_bytes)
        op = OP.pack(
            self.kind, int(packed), self._ring_rows, places[0], places[2], places[1],
            *self.shape, *self.out_shape, *self.filter, *self.stride, *self.pad,
            HEADER.size, scales_at, *self.zero_points, *self.clamp,
        )  # fmt: skip
        header = HEADER.pack(
            MAGIC, ABI, table + OP.size, places[3], 1 << self.kind, 1, table,
            places[0], self.input_bytes, places[1], out_bytes,
        )  # fmt: skip
        return header + b"".join(parts) + op

    def _packed(self, weights: Int8) -> bytes:
        rows = weights.reshape(self.channels, -1, 1).view(np.uint8)
        bits = np.unpackbits(rows, axis=2, bitorder="little")[:, :, : self.bits]
        packed = (np.packbits(row.reshape(-1), bitorder="little").tobytes() for row in bits)
        return _padded(bytes([self.bits] * self.channels)) + b"".join(map(_padded, packed))

    @property
    def _ring_rows(self) -> int:
        return min(self.filter[0], self.shape[0]) if self.ring else 0

    def _places(self, out_bytes: int) -> tuple[int, int, int, int]:
        """Offsets of input, output and aux, and the size of the arena."""
        in_at, out_at = self.odd, _aligned(self.odd + self.input_bytes)
        end = out_at + out_bytes
        if self.ring or (self.kind is CONV and self.filter == self.stride == (1, 1)):
            out_at, in_at = 0, self._behind(out_bytes)
            end = max(out_bytes, in_at + self.input_bytes)
        taps = self.filter[0] * self.filter[1] * self.shape[2]
        count = (1 if self.out_shape[:2] == (1, 1) else 2) if self.kind in (CONV, DENSE) else 0
        aux = _aligned(end)
        size = count * 2 * _aligned(taps) + self._ring_rows * self.shape[1] * self.shape[2]
        size += _aligned(taps) if self.bits < 8 else 0
        return in_at, out_at, aux if size else 0, aux + size

    def _behind(self, out_bytes: int) -> int:
        """The lowest place of an input whose output begins at 0 and never catches up."""
        (height, width, depth), rows, pixels = (
            self.shape,
            self.out_shape[0],
            np.prod(self.shape[:2]),
        )
        if not self.ring:
            return int(max(0, *(k * (self.channels - depth) for k in (1, pixels - 1))))
        in_row, out_row = width * depth, out_bytes // rows
        tops = (y * self.stride[0] - self.pad[0] + self.filter[0] for y in range(rows))
        return max(
            [0] + [(y + 1) * out_row - top * in_row for y, top in enumerate(tops) if top < height]
        )

    def answer(self, values: Int8) -> Int8:
        """What one input of any shape gives, flat."""
        x = values.reshape(self.shape).astype(np.int64)
        return self._computed(x).astype(np.int8).reshape(-1)

    def _computed(self, x: Wide) -> Wide:
        weights, bias, multiplier, shift = self.constants()
        if self.kind is MEAN:
            return self._scaled(x.sum(axis=(0, 1)) + bias, multiplier, shift)
        windows, inside = self._windows(x)
        if self.kind is MAX_POOL:
            largest: Wide = np.where(inside, windows, -128).max(axis=(2, 3))
            return largest.clip(*self.clamp)
        if self.kind is AVERAGE_POOL:
            count = inside.sum(axis=(2, 3))
            sums = np.where(inside, windows, 0).sum(axis=(2, 3))
            rounded: Wide = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
            return rounded.clip(*self.clamp)
        w = weights.astype(np.int64)
        if self.kind is DEPTHWISE:
            each = self.channels // self.shape[2]
            centred = np.where(inside, windows - self.zero_points[0], 0).repeat(each, axis=4)
            return self._scaled((centred * w).sum(axis=(2, 3)) + bias, multiplier, shift)
        padded = np.where(inside, windows, self.zero_points[0])
        return self._scaled(np.einsum("yxijc,nijc->yxn", padded, w) + bias, multiplier, shift)

    def _windows(self, x: Wide) -> tuple[Wide, npt.NDArray[np.bool_]]:
        """[out height, out width, filter height, filter width, channels], and what is inside."""
        (height, width, _), (rows, columns, _) = self.shape, self.out_shape
        at = [
            np.arange(n)[:, None] * s - p + np.arange(f)
            for n, s, p, f in zip((rows, columns), self.stride, self.pad, self.filter, strict=True)
        ]
        ok = [(a >= 0) & (a < n) for a, n in zip(at, (height, width), strict=True)]
        y, z = (np.clip(a, 0, n - 1) for a, n in zip(at, (height, width), strict=True))
        inside = ok[0][:, None, :, None] & ok[1][None, :, None, :]
        return x[y[:, None, :, None], z[None, :, None, :]], inside[..., None]

    def _scaled(self, acc: Wide, multiplier: Wide, shift: Wide) -> Wide:
        left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
        high = ((acc << left).astype(np.int32).astype(np.int64) * multiplier + (1 << 30)) >> 31
        half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
        value: Wide = np.sign(high) * ((np.abs(high) + half) >> right) + self.zero_points[1]
        return value.clip(*self.clamp)


def _aligned(size: int) -> int:
    return -(-size // 4) * 4


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
