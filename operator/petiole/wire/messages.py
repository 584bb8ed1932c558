"""The messages of ``messages.cddl`` as frozen dataclasses.

``encode()`` gives the CBOR bytes, ``decode(payload)`` reads them strictly and raises
:class:`WireError` with the field's name. A digest is lower-case hex here, raw bytes on the wire.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

import cbor2

from .codec import Reader, WireError, dump_map, items, load, octets
from .words import Phase, Reason, Why

CONFIDENCE_BINS = 16
MAX_CLASSES = 32
MAX_INPUT = 4096
MAX_HALTS = 8
MAX_ACKS = 16
HASH_BYTES = 16

__all__ = [
    "Artefact", "Caps", "Grant", "Phase", "Reason", "Sample", "State", "Stats", "Why", "WireError",
    "decode_ack", "decode_halt", "decode_online", "encode_ack", "encode_halt", "encode_online",
    "input_hash",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caps:
    """What a device can hold and run; ``slot`` and ``arena`` in bytes."""

    target: str
    slot: int
    arena: int
    abi: int
    ops: int
    agent: str

    def fields(self) -> dict[int, object]:
        return {
            1: self.target, 2: self.slot, 3: self.arena, 4: self.abi, 5: self.ops, 6: self.agent,
        }  # fmt: skip

    @classmethod
    def read(cls, item: object) -> Self:
        r = Reader("state.caps", item)
        caps = cls(
            target=r.text(1, "target", 24),
            slot=r.uint(2, "slot"),
            arena=r.uint(3, "arena"),
            abi=r.uint(4, "abi"),
            ops=r.uint(5, "ops"),
            agent=r.text(6, "agent", 24),
        )
        r.end()
        return caps


@dataclass(frozen=True, slots=True)
class State:
    """A device's whole state. Newer means a larger ``(boot, seq)``."""

    boot: int
    seq: int
    phase: Phase
    reason: Reason
    caps: Caps
    active: str | None = None
    target: str | None = None
    standby: str | None = None
    got: int = 0
    total: int = 0
    floor: int = 0
    attempt: int = 0

    @property
    def order(self) -> tuple[int, int]:
        return (self.boot, self.seq)

    def encode(self) -> bytes:
        return dump_map(
            [
                (1, self.boot),
                (2, self.seq),
                (3, int(self.phase)),
                (4, int(self.reason)),
                (5, _raw(self.active)),
                (6, _raw(self.target)),
                (7, _raw(self.standby)),
                (8, self.got),
                (9, self.total),
                (10, self.floor),
                (11, self.caps.fields()),
                (12, self.attempt or None),
            ]
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        r = Reader("state", load("state", payload))
        state = cls(
            boot=r.uint(1, "boot"),
            seq=r.uint(2, "seq"),
            phase=r.word(3, "phase", Phase),
            reason=r.word(4, "reason", Reason),
            active=r.digest_or_none(5, "active"),
            target=r.digest_or_none(6, "target"),
            standby=r.digest_or_none(7, "standby"),
            got=r.uint(8, "got", 16),
            total=r.uint(9, "total", 16),
            floor=r.uint(10, "floor"),
            caps=Caps.read(r.any(11, "caps")),
            attempt=r.uint(12, "attempt", 16) if r.has(12) else 0,
        )
        r.end()
        return state


@dataclass(frozen=True, slots=True)
class Stats:
    """Cumulative counts since ``digest`` became active in this boot; see the CDDL for the units."""

    boot: int
    seq: int
    digest: str
    count: int
    confidence: tuple[int, ...]
    margin: tuple[int, ...]
    classes: tuple[int, ...]
    confidence_sum: int
    confidence_squares: int
    input_sum: int
    latency_sum: int = 0

    @property
    def order(self) -> tuple[int, int]:
        return (self.boot, self.seq)

    def encode(self) -> bytes:
        return dump_map(
            [
                (1, self.boot),
                (2, self.seq),
                (3, _raw(self.digest)),
                (4, self.count),
                (5, list(self.confidence)),
                (6, list(self.margin)),
                (7, list(self.classes)),
                (8, self.confidence_sum),
                (9, self.confidence_squares),
                (10, self.input_sum),
                (11, self.latency_sum or None),
            ]
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        r = Reader("stats", load("stats", payload))
        stats = cls(
            boot=r.uint(1, "boot"),
            seq=r.uint(2, "seq"),
            digest=r.digest(3, "digest"),
            count=r.uint(4, "count"),
            confidence=r.tallies(5, "confidence", CONFIDENCE_BINS, CONFIDENCE_BINS),
            margin=r.tallies(6, "margin", CONFIDENCE_BINS, CONFIDENCE_BINS),
            classes=r.tallies(7, "classes", 1, MAX_CLASSES),
            confidence_sum=r.uint(8, "confidence-sum", 64),
            confidence_squares=r.uint(9, "confidence-squares", 64),
            input_sum=r.uint(10, "input-sum", 64),
            latency_sum=r.uint(11, "latency-sum", 64) if r.has(11) else 0,
        )
        r.end()
        return stats


@dataclass(frozen=True, slots=True)
class Sample:
    """An input that a device kept because the model was unsure, or at random."""

    digest: str
    input: bytes
    label: int
    confidence: int
    margin: int
    why: Why

    @property
    def hash(self) -> bytes:
        return input_hash(self.input)

    def encode(self) -> bytes:
        return dump_map(
            [
                (1, _raw(self.digest)),
                (2, self.input),
                (3, self.label),
                (4, self.confidence),
                (5, self.margin),
                (6, int(self.why)),
            ]
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        r = Reader("sample", load("sample", payload))
        sample = cls(
            digest=r.digest(1, "digest"),
            input=r.octets(2, "input", 1, MAX_INPUT),
            label=r.uint(3, "class", 8),
            confidence=r.uint(4, "confidence", 8),
            margin=r.uint(5, "margin", 8),
            why=r.word(6, "why", Why),
        )
        r.end()
        return sample


@dataclass(frozen=True, slots=True)
class Artefact:
    """What to fetch: ``size`` and ``block`` in bytes."""

    digest: str
    size: int
    block: int


@dataclass(frozen=True, slots=True)
class Grant:
    """The one artefact that a device may take; without one it keeps what it has.

    ``interval`` is the time between two stats in milliseconds, ``samples`` a number a day.
    ``hold``: fetch and prove the artefact, but do not run it yet. What a device gave up it tries
    again once ``attempt`` is higher.
    """

    serial: int
    fleet: str
    interval: int
    samples: int
    artefact: Artefact | None = None
    hold: bool = False
    attempt: int = 0

    def encode(self) -> bytes:
        a = self.artefact
        return dump_map(
            [
                (1, self.serial),
                (2, self.fleet),
                (3, None if a is None else {1: _raw(a.digest), 2: a.size, 3: a.block}),
                (4, self.interval),
                (5, self.samples),
                (6, self.hold or None),
                (7, self.attempt or None),
            ]
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        r = Reader("grant", load("grant", payload))
        grant = cls(
            serial=r.uint(1, "serial"),
            fleet=r.text(2, "fleet", 127),
            artefact=_artefact(r.any(3, "artefact")) if r.has(3) else None,
            interval=r.uint(4, "interval"),
            samples=r.uint(5, "samples"),
            hold=r.flag(6, "hold") if r.has(6) else False,
            attempt=r.uint(7, "attempt", 16) if r.has(7) else 0,
        )
        r.end()
        return grant


def _artefact(item: object) -> Artefact:
    r = Reader("grant.artefact", item)
    artefact = Artefact(r.digest(1, "digest"), r.uint(2, "size"), r.uint(3, "block", 16))
    r.end()
    return artefact


def input_hash(sample: bytes) -> bytes:
    """Return an input's name on the wire: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(sample).digest()[:HASH_BYTES]


def encode_halt(digests: tuple[str, ...]) -> bytes:
    """Digests that no device may begin or continue; at most eight."""
    if len(digests) > MAX_HALTS:
        raise WireError(f"halt: {len(digests)} digests, at most {MAX_HALTS} fit")
    return cbor2.dumps([_raw(d) for d in digests])


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


def _raw(digest: str | None) -> bytes | None:
    return None if digest is None else bytes.fromhex(digest)
