"""Firmware of the boards, signed: what ``make -C firmware mps2 faulty lan lan-faulty`` links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from petiole.artifact.firmware import HEADER_SIZE, flatten, sign
from petiole.wire.messages import Artefact, Firmware

from .boards import BOARDS, BoardName
from .models import TARGET, digest

# The agent, and agents that fail in one way each: firmware/tests/faulty_*.c.
Linked = Literal[
    "agent", "hangs", "crashes", "deaf", "agent-lan", "hangs-lan", "crashes-lan", "deaf-lan"
]


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
