"""The bytes of a planned model, version 2. `docs/model-format.md` says what they mean."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

MAGIC = 0x324E4E50  # "PNN2"
ABI = 2
ALIGNMENT = 4  # of constants and scratch

# The limits of firmware/core/nn_op.h: they keep a device's arithmetic inside 32 bits.
MAX_BYTES = 1 << 24
MAX_STEP = 1024
MAX_DOT = 1 << 15
MAX_DEPTHWISE = 1 << 14
MAX_MEAN = 1 << 16
MAX_SOFTMAX = 511
MAX_BIAS = 5 << 28

HEADER = struct.Struct("<11I")
OP = struct.Struct("<BBHIII6H6HII4b")
SCALE_BYTES = 9
PACKED = 1  # flag


class Kind(IntEnum):
    """Operators of the runtime; a model's mask has bit `1 << kind` for each one that it uses."""

    CONV_2D = 1
    DEPTHWISE_CONV_2D = 2
    FULLY_CONNECTED = 3
    MAX_POOL_2D = 4
    AVERAGE_POOL_2D = 5
    MEAN = 6
    SOFTMAX = 7
    ADD = 8
    MUL = 9
    LOOKUP = 10
    PAD = 11
    CONCAT = 12


@dataclass(frozen=True)
class Scale:
    """`(x + bias) * multiplier * 2**(shift - 31)`, or what a kind makes of the three numbers."""

    bias: int
    multiplier: int
    shift: int


@dataclass(frozen=True)
class Shape:
    """Height, width, channels; a vector is a single pixel."""

    h: int
    w: int
    c: int

    @property
    def size(self) -> int:
        return self.h * self.w * self.c

    @property
    def pixels(self) -> int:
        return self.h * self.w


@dataclass(frozen=True)
class Window:
    """How a filter moves over its input, in pixels; of PAD and CONCAT where the input goes."""

    filter_h: int = 1
    filter_w: int = 1
    stride_h: int = 1
    stride_w: int = 1
    pad_top: int = 0
    pad_left: int = 0

    @property
    def pointwise(self) -> bool:
        return self.filter_h == self.filter_w == self.stride_h == self.stride_w == 1


@dataclass(frozen=True)
class Op:
    """One operator before it is placed: tensors by index, weights and scales as values."""

    kind: Kind
    name: str  # of the output tensor, for messages
    in_tensor: int
    out_tensor: int
    in_shape: Shape
    out_shape: Shape
    second_tensor: int | None = None  # of ADD and MUL
    flags: int = 0
    window: Window = field(default_factory=Window)
    weights: bytes = b""
    scales: tuple[Scale, ...] = ()
    in_zero_point: int = 0
    out_zero_point: int = 0
    act_min: int = -128
    act_max: int = 127


@dataclass(frozen=True)
class Places:
    """Where an operator's regions lie, in bytes from the start of the arena or of the blob.

    `ring` is the number of input rows that the scratch holds.
    """

    in_offset: int
    aux_offset: int
    out_offset: int
    weights_offset: int
    scales_offset: int
    ring: int = 0


@dataclass(frozen=True)
class PlannedModel:
    """A model as a device takes it. Lengths are bytes, which are values of int8."""

    blob: bytes
    arena: int
    ops: int
    in_len: int
    out_len: int
    in_scale: float
    in_zero_point: int
    out_scale: float
    out_zero_point: int
    abi: int = ABI


@dataclass(frozen=True)
class Header:
    """The first 44 bytes of a planned model."""

    size: int
    arena: int
    ops: int
    op_count: int
    table: int
    in_offset: int
    in_len: int
    out_offset: int
    out_len: int

    def pack(self) -> bytes:
        return HEADER.pack(
            MAGIC,
            ABI,
            self.size,
            self.arena,
            self.ops,
            self.op_count,
            self.table,
            self.in_offset,
            self.in_len,
            self.out_offset,
            self.out_len,
        )

    @classmethod
    def parse(cls, blob: bytes) -> Self:
        """Raise ValueError if `blob` does not start with a header of this version."""
        if len(blob) < HEADER.size:
            raise ValueError(f"a planned model has at least {HEADER.size} bytes, not {len(blob)}")
        magic, abi, *rest = HEADER.unpack_from(blob)
        if magic != MAGIC or abi != ABI:
            raise ValueError(f"not a planned model of ABI {ABI}: starts with {blob[:8].hex()}")
        return cls(*rest)


def pack_op(op: Op, places: Places) -> bytes:
    window = op.window
    return OP.pack(
        op.kind,
        op.flags,
        places.ring,
        places.in_offset,
        places.aux_offset,
        places.out_offset,
        op.in_shape.h,
        op.in_shape.w,
        op.in_shape.c,
        op.out_shape.h,
        op.out_shape.w,
        op.out_shape.c,
        window.filter_h,
        window.filter_w,
        window.stride_h,
        window.stride_w,
        window.pad_top,
        window.pad_left,
        places.weights_offset,
        places.scales_offset,
        op.in_zero_point,
        op.out_zero_point,
        op.act_min,
        op.act_max,
    )


def pack_scales(scales: Sequence[Scale]) -> bytes:
    """Return the scales as columns: all biases, all multipliers, all shifts."""
    n = len(scales)
    return struct.pack(
        f"<{2 * n}i{n}b",
        *(s.bias for s in scales),
        *(s.multiplier for s in scales),
        *(s.shift for s in scales),
    )


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def padded(data: bytes) -> bytes:
    return data + bytes(aligned(len(data)) - len(data))
