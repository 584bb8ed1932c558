"""What devices say: the state, statistics and samples of ``messages.cddl``.

``encode()`` gives the CBOR bytes, ``decode(payload)`` reads them strictly and raises
:class:`WireError` with the field's name. A digest is lower-case hex here, raw bytes on the wire.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from .codec import Reader, dump_map, load, present, raw
from .words import Cause, Phase, Reason, Why

BINS = 16
MAX_CLASSES = 32
MAX_INPUT = 4096
HASH_BYTES = 16
DEFAULT_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Caps:
    """What a device can hold and run, in bytes; ``firmware``: of one firmware slot, 0 for none."""

    target: str
    slot: int
    arena: int
    abi: int
    ops: int
    agent: str
    firmware: int = 0
    block: int = 1024

    def fields(self) -> dict[int, object]:
        return present(
            [
                (1, self.target),
                (2, self.slot),
                (3, self.arena),
                (4, self.abi),
                (5, self.ops),
                (6, self.agent),
                (7, self.firmware or None),
                (8, None if self.block == DEFAULT_BLOCK else self.block),
            ]
        )

    @classmethod
    def read(cls, item: object) -> Self:
        with Reader("state.caps", item) as r:
            return cls(
                target=r.text(1, "target", 24),
                slot=r.uint(2, "slot"),
                arena=r.uint(3, "arena"),
                abi=r.uint(4, "abi"),
                ops=r.uint(5, "ops"),
                agent=r.text(6, "agent", 24),
                firmware=r.uint(7, "firmware") if r.has(7) else 0,
                block=r.uint(8, "block", 16) if r.has(8) else DEFAULT_BLOCK,
            )


@dataclass(frozen=True, slots=True)
class FirmwareState:
    """Which image a device runs, and which one it could go back to."""

    active: str
    standby: str | None = None
    floor: int = 0

    def fields(self) -> dict[int, object]:
        return present([(1, raw(self.active)), (2, raw(self.standby)), (3, self.floor)])

    @classmethod
    def read(cls, item: object) -> Self:
        with Reader("state.firmware", item) as r:
            return cls(
                active=r.digest(1, "active"),
                standby=r.digest_or_none(2, "standby"),
                floor=r.uint(3, "floor"),
            )


@dataclass(frozen=True, slots=True)
class Crash:
    """How a start of a device's firmware ended. Addresses are 0 when unknown.

    ``firmware``: the first 16 hex digits of the digest of the image that crashed.
    """

    boot: int
    cause: Cause
    pc: int
    lr: int
    fault: int
    firmware: str

    def fields(self) -> dict[int, object]:
        return {
            1: self.boot,
            2: int(self.cause),
            3: self.pc,
            4: self.lr,
            5: self.fault,
            6: bytes.fromhex(self.firmware),
        }

    @classmethod
    def read(cls, item: object) -> Self:
        with Reader("state.crash", item) as r:
            return cls(
                boot=r.uint(1, "boot"),
                cause=r.word(2, "cause", Cause),
                pc=r.uint(3, "pc"),
                lr=r.uint(4, "lr"),
                fault=r.uint(5, "fault"),
                firmware=r.octets(6, "firmware", 8, 8).hex(),
            )


@dataclass(frozen=True, slots=True)
class State:
    """A device's whole state. Newer means a larger ``(boot, seq)``.

    Phase, reason, target and attempt are of the artefact at work, a model or firmware; ``active``
    and ``standby`` are models. ``score``: answers that a shadow run has compared so far.
    """

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
    firmware: FirmwareState | None = None
    crash: Crash | None = None
    score: int = 0

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
                (5, raw(self.active)),
                (6, raw(self.target)),
                (7, raw(self.standby)),
                (8, self.got),
                (9, self.total),
                (10, self.floor),
                (11, self.caps.fields()),
                (12, self.attempt or None),
                (13, self.firmware and self.firmware.fields()),
                (14, self.crash and self.crash.fields()),
                (15, self.score or None),
            ]
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        with Reader("state", load("state", payload)) as r:
            return cls(
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
                firmware=FirmwareState.read(r.any(13, "firmware")) if r.has(13) else None,
                crash=Crash.read(r.any(14, "crash")) if r.has(14) else None,
                score=r.uint(15, "score") if r.has(15) else 0,
            )


@dataclass(frozen=True, slots=True)
class ShadowRun:
    """A candidate beside the model that answers. Cumulative in a boot."""

    digest: str
    count: int
    disagreed: int
    confidence_sum: int

    def fields(self) -> dict[int, object]:
        return {1: raw(self.digest), 2: self.count, 3: self.disagreed, 4: self.confidence_sum}

    @classmethod
    def read(cls, item: object) -> Self:
        with Reader("stats.shadow", item) as r:
            return cls(
                digest=r.digest(1, "digest"),
                count=r.uint(2, "count"),
                disagreed=r.uint(3, "disagreed"),
                confidence_sum=r.uint(4, "confidence-sum", 64),
            )


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
    inputs: tuple[int, ...] | None = None
    latency: tuple[int, ...] | None = None
    drift: int | None = None
    shadow: ShadowRun | None = None

    @property
    def order(self) -> tuple[int, int]:
        return (self.boot, self.seq)

    def encode(self) -> bytes:
        return dump_map(
            [
                (1, self.boot),
                (2, self.seq),
                (3, raw(self.digest)),
                (4, self.count),
                (5, list(self.confidence)),
                (6, list(self.margin)),
                (7, list(self.classes)),
                (8, self.confidence_sum),
                (9, self.confidence_squares),
                (10, self.input_sum),
                (11, self.latency_sum or None),
                (12, self.inputs and list(self.inputs)),
                (13, self.latency and list(self.latency)),
                (14, self.drift),
                (15, self.shadow and self.shadow.fields()),
            ]
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        with Reader("stats", load("stats", payload)) as r:
            return cls(
                boot=r.uint(1, "boot"),
                seq=r.uint(2, "seq"),
                digest=r.digest(3, "digest"),
                count=r.uint(4, "count"),
                confidence=r.tallies(5, "confidence", BINS, BINS),
                margin=r.tallies(6, "margin", BINS, BINS),
                classes=r.tallies(7, "classes", 1, MAX_CLASSES),
                confidence_sum=r.uint(8, "confidence-sum", 64),
                confidence_squares=r.uint(9, "confidence-squares", 64),
                input_sum=r.uint(10, "input-sum", 64),
                latency_sum=r.uint(11, "latency-sum", 64) if r.has(11) else 0,
                inputs=r.tallies(12, "inputs", BINS, BINS) if r.has(12) else None,
                latency=r.tallies(13, "latency", BINS, BINS) if r.has(13) else None,
                drift=r.uint(14, "drift") if r.has(14) else None,
                shadow=ShadowRun.read(r.any(15, "shadow")) if r.has(15) else None,
            )


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
                (1, raw(self.digest)),
                (2, self.input),
                (3, self.label),
                (4, self.confidence),
                (5, self.margin),
                (6, int(self.why)),
            ]
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        with Reader("sample", load("sample", payload)) as r:
            return cls(
                digest=r.digest(1, "digest"),
                input=r.octets(2, "input", 1, MAX_INPUT),
                label=r.uint(3, "class", 8),
                confidence=r.uint(4, "confidence", 8),
                margin=r.uint(5, "margin", 8),
                why=r.word(6, "why", Why),
            )


def input_hash(sample: bytes) -> bytes:
    """Return an input's name on the wire: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(sample).digest()[:HASH_BYTES]
