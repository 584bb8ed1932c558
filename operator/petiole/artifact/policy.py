"""What a signed artefact says about itself, and where that stands in its protected TLVs.

docs/architecture.md, "Signed artefact", is the contract; firmware/core reads the same numbers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

ALIGNMENT = 16
REFERENCE_BINS = 16
_ANOMALY = struct.Struct("<4IiI")
ANOMALY_SIZE = _ANOMALY.size
_SCORE = 256  # parts of a score, and
_STEP = 65536  # of a step, on the wire


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
    TASK = 0xAA


class Kind(IntEnum):
    """What the payload is."""

    MODEL = 1
    FIRMWARE = 2


class TaskKind(IntEnum):
    """What the outputs of a model without classes are for."""

    RECONSTRUCTION = 1  # the input once more
    DISTANCE = 2  # features, of which the device learns what is usual


class ArtifactError(ValueError):
    """The bytes are no artefact that a device would take; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """How a device scores inputs of a model without classes; ``firmware/core/anomaly.h`` does it.

    A score of ``threshold`` or more raises the alarm, one below ``release`` ends it. Of a
    reconstruction it is the mean square of differences in steps of the input; an output step is
    ``step`` of those, from ``zero`` (the output's zero point) on. Of a distance it is the squared
    Mahalanobis distance from what the device learned from its first ``inputs`` inputs.
    Raises ArtifactError when a device would refuse it.
    """

    kind: TaskKind
    threshold: float
    release: float
    step: float = 0.0
    zero: int = 0
    inputs: int = 0

    def __post_init__(self) -> None:
        if not 1 <= round(self.threshold * _SCORE) < 2**32 or not self.release >= 0:
            raise ArtifactError(f"threshold {self.threshold} is not between 1/256 and 2^24")
        if self.release > self.threshold:
            raise ArtifactError(f"release {self.release} is above the threshold {self.threshold}")
        if self.kind is TaskKind.DISTANCE and not 2 <= self.inputs <= 1_000_000:
            raise ArtifactError(f"a device cannot learn from {self.inputs} inputs")
        if self.kind is TaskKind.RECONSTRUCTION and not (
            1 <= round(self.step * _STEP) <= 16 * _STEP and -128 <= self.zero <= 127
        ):
            raise ArtifactError(f"no output has steps of {self.step} from zero point {self.zero}")

    def to_bytes(self) -> bytes:
        """Return the content of its TLV."""
        return _ANOMALY.pack(
            self.kind,
            round(self.threshold * _SCORE),
            round(self.release * _SCORE),
            round(self.step * _STEP),
            self.zero,
            self.inputs,
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Anomaly:
        kind, threshold, release, step, zero, inputs = _ANOMALY.unpack(data)
        if kind not in list(TaskKind):
            raise ArtifactError(f"its task {kind} is unknown")
        scores = (threshold / _SCORE, release / _SCORE)
        return cls(TaskKind(kind), *scores, step / _STEP, zero, inputs)


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits that a device checks before it lets a model run."""

    target: str  # device class
    abi: int  # version of the planned model format
    arena: int  # bytes
    ops: int  # mask of operators used
    security_counter: int
    revision: int  # model version
    anomaly: Anomaly | None = None  # of a model without classes


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
    task: dict[int, bytes] = {}
    if policy.anomaly is not None:
        task[Tag.TASK] = policy.anomaly.to_bytes()
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
        **task,
    }


def _u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
