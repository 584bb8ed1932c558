"""What a signed artefact says about itself, and where that stands in its protected TLVs.

docs/architecture.md, "Signed artefact", is the contract; firmware/core reads the same numbers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

ALIGNMENT = 16
REFERENCE_BINS = 16


class Tag(IntEnum):
    """TLV types of the protected area. ``SEC_CNT`` is MCUboot's own, the rest are vendor types."""

    SEC_CNT = 0x50
    KIND = 0xA0
    TARGET = 0xA1
    ABI = 0xA2
    ARENA = 0xA3
    OPS = 0xA4
    GOLDEN = 0xA5
    REFERENCE = 0xA6
    REVISION = 0xA7
    MODEL = 0xA8
    NAME = 0xA9


class Kind(IntEnum):
    """What the payload is."""

    MODEL = 1
    FIRMWARE = 2


class ArtifactError(ValueError):
    """The bytes are no artefact that a device would take; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits that a device checks before it lets a model run."""

    target: str  # device class
    abi: int  # version of the planned model format
    arena: int  # bytes
    ops: int  # mask of operators used
    security_counter: int
    revision: int  # model version


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of the payload: offset and length."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Golden:
    """Inputs, one after the other, and what the model must answer to each."""

    inputs: bytes
    outputs: bytes
    count: int

    @classmethod
    def split(cls, vectors: bytes, input_size: int, output_size: int) -> Golden:
        """Take apart all inputs with all outputs behind them; sizes are of one, in bytes."""
        count, rest = divmod(len(vectors), input_size + output_size)
        if not count or rest:
            raise ArtifactError(
                f"golden vectors of {len(vectors)} bytes are not inputs of {input_size} bytes and "
                f"as many outputs of {output_size} bytes"
            )
        return cls(vectors[: count * input_size], vectors[count * input_size :], count)


@dataclass(frozen=True, slots=True)
class Layout:
    """The payload: golden inputs, model, golden outputs, reference, each at 16 bytes.

    What training does not change, or not in all of a model, comes first: a patch copies it.
    """

    payload: bytes
    inputs: Span
    model: Span
    outputs: Span
    reference: Span


def encode_reference(count: int, confidence: tuple[int, ...]) -> bytes:
    """``u32`` count and 16 ``u32`` bins of the top confidence, little endian: 68 bytes."""
    if len(confidence) != REFERENCE_BINS:
        raise ArtifactError(
            f"the reference histogram has {len(confidence)} bins, not {REFERENCE_BINS}"
        )
    return struct.pack(f"<{REFERENCE_BINS + 1}I", count, *confidence)


def lay_out(model: bytes, golden: Golden, reference: bytes) -> Layout:
    """Concatenate the parts of the payload at 16-byte offsets."""
    payload, spans = b"", []
    for part in (golden.inputs, model, golden.outputs, reference):
        payload = payload.ljust(_aligned(len(payload)), b"\0")
        spans.append(Span(len(payload), len(part)))
        payload += part
    return Layout(payload, *spans)


def encode_tlvs(policy: Policy, layout: Layout, golden_count: int) -> dict[int, bytes]:
    """Vendor TLVs of the protected area in ascending order; the counter is MCUboot's business."""
    return {
        Tag.KIND: _u32(Kind.MODEL),
        Tag.TARGET: policy.target.encode("ascii"),
        Tag.ABI: _u32(policy.abi),
        Tag.ARENA: _u32(policy.arena),
        Tag.OPS: _u32(policy.ops),
        Tag.GOLDEN: _u32(layout.inputs.offset, layout.outputs.offset, golden_count),
        Tag.REFERENCE: _u32(layout.reference.offset, layout.reference.length),
        Tag.REVISION: _u32(policy.revision),
        Tag.MODEL: _u32(layout.model.offset, layout.model.length),
    }


def _u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
