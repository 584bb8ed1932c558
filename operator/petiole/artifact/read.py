"""Read a signed model back: ``inspect`` trusts nothing but the form, ``verify`` the signature."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .container import NON_BOOTABLE, Container, prove, unpack
from .policy import ANOMALY_SIZE, REFERENCE_BINS, Anomaly, ArtifactError, Kind, Policy, Span, Tag

_HEADER_SIZE = 32


@dataclass(frozen=True, slots=True)
class Artifact:
    """The fields of an artefact. Spans and offsets are in the payload."""

    digest: str  # SHA-256 of the whole file, hex
    size: int
    kind: Kind
    policy: Policy
    model: Span
    golden_inputs: int
    golden_outputs: int
    golden_count: int
    reference: Span
    reference_count: int
    reference_confidence: tuple[int, ...]
    payload: bytes
    key_hash: str
    image_hash: bytes
    signature: bytes


def inspect(data: bytes) -> Artifact:
    """Take an artefact apart. Raises ArtifactError when its form or its hash is wrong."""
    return _artifact(unpack(data))


def verify(data: bytes, keys: Iterable[Ed25519PublicKey]) -> Artifact:
    """``inspect``, and raise ArtifactError unless one of ``keys`` signed it."""
    container = unpack(data)
    prove(container, keys)
    return _artifact(container)


def _artifact(image: Container) -> Artifact:
    if image.header_size != _HEADER_SIZE or not image.flags & NON_BOOTABLE:
        raise ArtifactError("it is a bootable image, not a model of Petiole")
    golden_inputs, golden_outputs, golden_count = image.numbers(Tag.GOLDEN, 3)
    model = Span(*image.numbers(Tag.MODEL, 2))
    reference = Span(*image.numbers(Tag.REFERENCE, 2))
    count, *confidence = _reference(image.payload, reference)
    return Artifact(
        digest=image.digest,
        size=image.size,
        kind=image.kind,
        policy=_policy(image),
        model=model,
        golden_inputs=golden_inputs,
        golden_outputs=golden_outputs,
        golden_count=golden_count,
        reference=reference,
        reference_count=count,
        reference_confidence=tuple(confidence),
        payload=image.payload,
        key_hash=image.key_hash,
        image_hash=image.image_hash,
        signature=image.signature,
    )


def _policy(image: Container) -> Policy:
    return Policy(
        target=image.text(Tag.TARGET),
        abi=image.numbers(Tag.ABI)[0],
        arena=image.numbers(Tag.ARENA)[0],
        ops=image.numbers(Tag.OPS)[0],
        security_counter=image.numbers(Tag.SEC_CNT)[0],
        revision=image.numbers(Tag.REVISION)[0],
        anomaly=_anomaly(image),
    )


def _anomaly(image: Container) -> Anomaly | None:
    record = image.policy.get(Tag.TASK)
    if record is not None and len(record) != ANOMALY_SIZE:
        raise ArtifactError(f"its task has {len(record)} bytes, not {ANOMALY_SIZE}")
    return None if record is None else Anomaly.from_bytes(record)


def _reference(payload: bytes, span: Span) -> tuple[int, ...]:
    form = struct.Struct(f"<{REFERENCE_BINS + 1}I")
    if span.length != form.size or span.offset + span.length > len(payload):
        raise ArtifactError("its reference histogram lies outside the payload")
    return form.unpack_from(payload, span.offset)
