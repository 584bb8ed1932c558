"""Signed firmware: what ``make -C firmware mps2 faulty lan lan-faulty`` links for boards, and what
stands for it on POSIX devices, which start from their slots but run the code of their process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from petiole.artifact.firmware import HEADER_SIZE, flatten, sign
from petiole.wire.messages import Artefact, Firmware

from .boards import BOARDS, BoardName
from .devices import Device
from .models import TARGET, digest

# The agent, and agents that fail in one way each: firmware/tests/faulty_*.c.
Linked = Literal[
    "agent", "hangs", "crashes", "overflows", "deaf",
    "agent-lan", "hangs-lan", "crashes-lan", "overflows-lan", "deaf-lan",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a board's firmware: the signed images for slot A and for slot B."""

    a: bytes
    b: bytes

    def granted(self, block: int, *, hold: bool = False, attempt: int = 0) -> Firmware:
        """The part of a grant that names it; ``block`` in bytes."""
        a, b = (Artefact(digest(image), len(image), block) for image in (self.a, self.b))
        return Firmware(a, b, hold, attempt)


def release(
    key: Ed25519PrivateKey,
    *,
    revision: int,
    security_counter: int = 1,
    linked: Linked = "agent",
    board: BoardName = "an386",
    target: str = TARGET,
) -> Release:
    """Sign what is linked as a version; two revisions of the same code are different firmware."""

    def image(slot: str) -> bytes:
        address, code = flatten((BOARDS[board].built / f"petiole-{linked}-{slot}.elf").read_bytes())
        return sign(
            code,
            target=target,
            address=address - HEADER_SIZE,
            name=f"{linked} {revision}",
            revision=revision,
            security_counter=security_counter,
            key=key,
        )

    return Release(image("a"), image("b"))


POSIX_ADDRESS = 0x21000000  # of a flash file: firmware/port/posix/flash_file.c


def stand_in(
    key: Ed25519PrivateKey,
    device: Device,
    *,
    revision: int,
    security_counter: int = 1,
    size: int = 2000,
    target: str | None = None,
) -> Release:
    """Sign ``size`` bytes as firmware of a POSIX device and of all with the same slots."""
    identity = device.identity((bytes(32),), 0)

    def image(slot: int) -> bytes:
        code = hashlib.shake_256(f"{revision} {slot}".encode()).digest(size)
        return sign(
            code,
            target=target or device.target,
            address=POSIX_ADDRESS + identity.firmware_slot(slot),
            name=f"stand-in {revision}",
            revision=revision,
            security_counter=security_counter,
            key=key,
        )

    return Release(image(0), image(1))
