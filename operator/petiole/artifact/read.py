"""Read a signed artefact back: ``inspect`` trusts nothing but the form, ``verify`` the signature.

Written against MCUboot's image format (MCUboot, docs/design.md, "Image format"), apart from
imgtool, which reads files only; a test holds the two to the same answers.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .keys import public_der
from .policy import REFERENCE_BINS, ArtifactError, Kind, Policy, Span, Tag

_MAGIC = 0x96F3B83D
_NON_BOOTABLE = 0x10
_HEADER = struct.Struct("<IIHHIIBBHII")
_PROTECTED, _PLAIN = 0x6908, 0x6907
_KEYHASH, _SHA256, _ED25519 = 0x01, 0x10, 0x24


@dataclass(frozen=True, slots=True)
class Artifact:
    """The fields of an artefact. Spans are offsets into the payload."""

    digest: str  # SHA-256 of the whole file, hex
    size: int
    kind: Kind
    policy: Policy
    model: Span
    golden_offset: int
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
    header_size, protected_size, payload_size = _header(data)
    hashed = header_size + payload_size + protected_size
    payload = data[header_size : header_size + payload_size]
    policy = _tlvs(data, header_size + payload_size, _PROTECTED, protected_size)
    plain = _tlvs(data, hashed, _PLAIN, len(data) - hashed)
    image_hash = hashlib.sha256(data[:hashed]).digest()
    if plain.get(_SHA256) != image_hash:
        raise ArtifactError("its content does not match its SHA-256: it was changed or cut")
    return _artifact(data, payload, policy, plain, image_hash)


def verify(data: bytes, keys: Iterable[Ed25519PublicKey]) -> Artifact:
    """``inspect``, and raise ArtifactError unless one of ``keys`` signed it."""
    artifact = inspect(data)
    known = {hashlib.sha256(public_der(key)).hexdigest(): key for key in keys}
    key = known.get(artifact.key_hash)
    if key is None:
        raise ArtifactError(f"no known key signed it: its key hash is {artifact.key_hash[:16]}...")
    try:
        key.verify(artifact.signature, artifact.image_hash)
    except InvalidSignature as error:
        raise ArtifactError("its signature is wrong") from error
    return artifact


def _header(data: bytes) -> tuple[int, int, int]:
    if len(data) < _HEADER.size:
        raise ArtifactError(f"{len(data)} bytes are too few for an image header")
    magic, _, header_size, protected_size, payload_size, flags, *_ = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise ArtifactError("it does not begin with MCUboot's image magic")
    if header_size != _HEADER.size or not flags & _NON_BOOTABLE:
        raise ArtifactError("it is a bootable image, not a model of Petiole")
    if header_size + payload_size + protected_size > len(data):
        raise ArtifactError("it is shorter than its header says: it was cut")
    return header_size, protected_size, payload_size


def _tlvs(data: bytes, at: int, magic: int, size: int) -> Mapping[int, bytes]:
    """Return the records of one TLV area, which must fill its ``size`` exactly."""
    if size < 4 or struct.unpack_from("<HH", data, at) != (magic, size):
        raise ArtifactError(f"the TLV area at byte {at} is missing or has the wrong size")
    found: dict[int, bytes] = {}
    end = at + size
    at += 4
    while at < end:
        if end - at < 4:
            raise ArtifactError(f"the TLV area ends in the middle of a record at byte {at}")
        tag, length = struct.unpack_from("<HH", data, at)
        if at + 4 + length > end:
            raise ArtifactError(f"TLV 0x{tag:02x} at byte {at} is longer than its area")
        if tag in found:
            raise ArtifactError(f"TLV 0x{tag:02x} stands there twice")
        found[tag] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def _artifact(
    data: bytes,
    payload: bytes,
    tlvs: Mapping[int, bytes],
    plain: Mapping[int, bytes],
    image_hash: bytes,
) -> Artifact:
    golden_offset, golden_count = _numbers(tlvs, Tag.GOLDEN, 2)
    model = Span(*_numbers(tlvs, Tag.MODEL, 2))
    reference = Span(*_numbers(tlvs, Tag.REFERENCE, 2))
    count, *confidence = _reference(payload, reference)
    return Artifact(
        digest=hashlib.sha256(data).hexdigest(),
        size=len(data),
        kind=_kind(tlvs),
        policy=_policy(tlvs),
        model=model,
        golden_offset=golden_offset,
        golden_count=golden_count,
        reference=reference,
        reference_count=count,
        reference_confidence=tuple(confidence),
        payload=payload,
        key_hash=_record(plain, _KEYHASH, 32).hex(),
        image_hash=image_hash,
        signature=_record(plain, _ED25519, 64),
    )


def _policy(tlvs: Mapping[int, bytes]) -> Policy:
    return Policy(
        target=_record(tlvs, Tag.TARGET, None).decode("ascii", errors="replace"),
        abi=_numbers(tlvs, Tag.ABI, 1)[0],
        arena=_numbers(tlvs, Tag.ARENA, 1)[0],
        ops=_numbers(tlvs, Tag.OPS, 1)[0],
        security_counter=_numbers(tlvs, Tag.SEC_CNT, 1)[0],
        revision=_numbers(tlvs, Tag.REVISION, 1)[0],
    )


def _kind(tlvs: Mapping[int, bytes]) -> Kind:
    (number,) = _numbers(tlvs, Tag.KIND, 1)
    try:
        return Kind(number)
    except ValueError as error:
        raise ArtifactError(f"its kind {number} is neither a model nor firmware") from error


def _reference(payload: bytes, span: Span) -> tuple[int, ...]:
    form = struct.Struct(f"<{REFERENCE_BINS + 1}I")
    if span.length != form.size or span.offset + span.length > len(payload):
        raise ArtifactError("its reference histogram lies outside the payload")
    return form.unpack_from(payload, span.offset)


def _numbers(tlvs: Mapping[int, bytes], tag: int, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}I", _record(tlvs, tag, 4 * count))


def _record(tlvs: Mapping[int, bytes], tag: int, size: int | None) -> bytes:
    record = tlvs.get(tag)
    if record is None:
        raise ArtifactError(f"TLV 0x{tag:02x} is missing" + _unsigned(tag))
    if size is not None and len(record) != size:
        raise ArtifactError(f"TLV 0x{tag:02x} has {len(record)} bytes, not {size}")
    return record


def _unsigned(tag: int) -> str:
    return ": it is not signed" if tag in (_KEYHASH, _ED25519) else ""
