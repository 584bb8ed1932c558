"""The messages of ``messages.cddl``, as frozen dataclasses and a few plain functions."""

from __future__ import annotations

import cbor2

from .codec import WireError, items, load, octets, raw
from .grant import Artefact, Firmware, Grant, Patch
from .reports import (
    BINS,
    HASH_BYTES,
    Caps,
    Crash,
    FirmwareState,
    Sample,
    ShadowRun,
    State,
    Stats,
    input_hash,
)
from .words import Cause, Phase, Reason, Why

MAX_HALTS = 8
MAX_ACKS = 16

__all__ = [
    "BINS", "Artefact", "Caps", "Cause", "Crash", "Firmware", "FirmwareState", "Grant", "Patch",
    "Phase", "Reason", "Sample", "ShadowRun", "State", "Stats", "Why", "WireError", "decode_ack",
    "decode_halt", "decode_online", "encode_ack", "encode_halt", "encode_online", "input_hash",
]  # fmt: skip


def encode_halt(digests: tuple[str, ...]) -> bytes:
    """Digests that no device may begin or continue; at most eight."""
    if len(digests) > MAX_HALTS:
        raise WireError(f"halt: {len(digests)} digests, at most {MAX_HALTS} fit")
    return cbor2.dumps([raw(d) for d in digests])


def decode_halt(payload: bytes) -> tuple[str, ...]:
    found = items("halt", load("halt", payload), 0, MAX_HALTS)
    return tuple(octets("halt", d, 32, 32).hex() for d in found)


def encode_ack(hashes: tuple[bytes, ...]) -> bytes:
    """Hashes of samples that are safe; one to sixteen."""
    if not 1 <= len(hashes) <= MAX_ACKS:
        raise WireError(f"ack: {len(hashes)} hashes, one to {MAX_ACKS} fit")
    return cbor2.dumps(list(hashes))


def decode_ack(payload: bytes) -> tuple[bytes, ...]:
    found = items("ack", load("ack", payload), 1, MAX_ACKS)
    return tuple(octets("ack", h, HASH_BYTES, HASH_BYTES) for h in found)


def encode_online(online: bool) -> bytes:
    return cbor2.dumps(online)


def decode_online(payload: bytes) -> bool:
    item = load("online", payload)
    if not isinstance(item, bool):
        raise WireError(f"online: {item!r} is neither true nor false")
    return item
