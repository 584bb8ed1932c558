"""What a device is granted: the ``grant`` of ``messages.cddl``.

``encode()`` gives the CBOR bytes, ``decode(payload)`` reads them strictly and raises
:class:`WireError` with the field's name. A digest is lower-case hex here, raw bytes on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from .codec import Reader, dump_map, load, present, raw


@dataclass(frozen=True, slots=True)
class Patch:
    """What makes an artefact out of ``base``; ``size`` in bytes."""

    base: str
    digest: str
    size: int

    def fields(self) -> dict[int, object]:
        return {1: raw(self.base), 2: raw(self.digest), 3: self.size}

    @classmethod
    def read(cls, item: object) -> Self:
        with Reader("grant.artefact.patch", item) as r:
            return cls(r.digest(1, "base"), r.digest(2, "digest"), r.uint(3, "size"))


@dataclass(frozen=True, slots=True)
class Artefact:
    """What to fetch: ``size`` and ``block`` in bytes."""

    digest: str
    size: int
    block: int
    patch: Patch | None = None

    def fields(self) -> dict[int, object]:
        return present(
            [
                (1, raw(self.digest)),
                (2, self.size),
                (3, self.block),
                (4, self.patch and self.patch.fields()),
            ]
        )

    @classmethod
    def read(cls, what: str, item: object) -> Self:
        with Reader(what, item) as r:
            return cls(
                digest=r.digest(1, "digest"),
                size=r.uint(2, "size"),
                block=r.uint(3, "block", 16),
                patch=Patch.read(r.any(4, "patch")) if r.has(4) else None,
            )


@dataclass(frozen=True, slots=True)
class Firmware:
    """The firmware that a device shall run, linked for slot A and for slot B."""

    a: Artefact
    b: Artefact
    hold: bool = False
    attempt: int = 0

    def fields(self) -> dict[int, object]:
        return present(
            [
                (1, self.a.fields()),
                (2, self.b.fields()),
                (3, self.hold or None),
                (4, self.attempt or None),
            ]
        )

    @classmethod
    def read(cls, item: object) -> Self:
        with Reader("grant.firmware", item) as r:
            return cls(
                a=Artefact.read("grant.firmware.a", r.any(1, "a")),
                b=Artefact.read("grant.firmware.b", r.any(2, "b")),
                hold=r.flag(3, "hold") if r.has(3) else False,
                attempt=r.uint(4, "attempt", 16) if r.has(4) else 0,
            )


@dataclass(frozen=True, slots=True)
class Grant:
    """The one artefact that a device may take; without one it keeps what it has.

    ``interval`` is the time between two stats in milliseconds, ``samples`` a number a day.
    ``hold``: fetch and prove the artefact, but do not run it yet. What a device gave up it tries
    again once ``attempt`` is higher. ``shadow``: answers that a new model compares with the current
    one's before its trial. ``firmware`` comes before ``artefact``, the model.
    """

    serial: int
    fleet: str
    interval: int
    samples: int
    artefact: Artefact | None = None
    hold: bool = False
    attempt: int = 0
    shadow: int = 0
    firmware: Firmware | None = None

    @property
    def artefacts(self) -> tuple[Artefact, ...]:
        """All that the device may fetch."""
        firmware = (self.firmware.a, self.firmware.b) if self.firmware else ()
        return (*firmware, self.artefact) if self.artefact else firmware

    def encode(self) -> bytes:
        return dump_map(
            [
                (1, self.serial),
                (2, self.fleet),
                (3, self.artefact and self.artefact.fields()),
                (4, self.interval),
                (5, self.samples),
                (6, self.hold or None),
                (7, self.attempt or None),
                (8, self.shadow or None),
                (9, self.firmware and self.firmware.fields()),
            ]
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        with Reader("grant", load("grant", payload)) as r:
            return cls(
                serial=r.uint(1, "serial"),
                fleet=r.text(2, "fleet", 127),
                artefact=Artefact.read("grant.artefact", r.any(3, "artefact"))
                if r.has(3)
                else None,
                interval=r.uint(4, "interval"),
                samples=r.uint(5, "samples"),
                hold=r.flag(6, "hold") if r.has(6) else False,
                attempt=r.uint(7, "attempt", 16) if r.has(7) else 0,
                shadow=r.uint(8, "shadow") if r.has(8) else 0,
                firmware=Firmware.read(r.any(9, "firmware")) if r.has(9) else None,
            )
