"""A patch makes one artefact out of another: runs to copy from the base, and bytes between them.

docs/firmware.md, "Patches", is the format; ``firmware/core/patch.c`` applies it on devices. Making
one takes time linear in both sizes, and the same bytes always give the same patch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

NEAR = 5  # bytes from which on a run where it is expected is worth a copy
GRAM = 16  # bytes that find a run anywhere else: one of at least twice as many is always found
MAX_VARINT = 5  # bytes of a number, which fits 32 bits


class PatchError(ValueError):
    """The bytes are no patch, or not one of this base."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """``length`` bytes that ``new`` has at ``at`` and ``base`` at ``source``."""

    at: int
    source: int
    length: int


def make(base: bytes, new: bytes) -> bytes:
    """Return a patch that makes ``new`` out of ``base``; it may be larger than ``new``."""
    copies = [_Copy(0, 0, 0), *_copies(base, new)]
    ends = [*(copy.at for copy in copies[1:]), len(new)]
    patch, expected = bytearray(_varint(len(new))), 0
    for copy, end in zip(copies, ends, strict=True):
        literal = new[copy.at + copy.length : end]
        if not copy.length and not literal:
            continue
        patch += _varint(copy.length) + _varint(_zigzag(copy.source - expected))
        patch += _varint(len(literal)) + literal
        expected = copy.source + copy.length
    return bytes(patch)


def apply(base: bytes, patch: bytes) -> bytes:
    """Return what the patch makes of ``base``. Raises PatchError, as a device would refuse it."""
    reader = _Reader(patch)
    size, made, source = reader.number(), bytearray(), 0
    while len(made) < size:
        length, distance = reader.number(), reader.number()
        source += _unzigzag(distance)
        if source < 0 or source + length > len(base):
            raise PatchError(f"it copies from outside of the base's {len(base)} bytes")
        made += base[source : source + length]
        source += length
        made += reader.take(reader.number())
        if len(made) > size:
            raise PatchError(f"it makes more than the {size} bytes that it promises")
    reader.end()
    return bytes(made)


def _copies(base: bytes, new: bytes) -> Iterator[_Copy]:
    """Find what to copy, from left to right. Most of a retrained model stays where it was."""
    index: dict[bytes, int] = {}
    for start in range(0, len(base) - GRAM + 1, GRAM):
        index.setdefault(base[start : start + GRAM], start)
    at = covered = shift = 0
    while at < len(new):
        head = new[at : at + NEAR]
        if (
            head != base[at + shift : at + shift + NEAR]
            and head != base[at : at + NEAR]
            and new[at : at + GRAM] not in index
        ):  # nearly everywhere in artefacts that have little in common: worth the haste
            at += 1
            continue
        copy = _near(base, new, at, shift) or _far(base, new, at, covered, index)
        if copy is None:
            at += 1
            continue
        yield copy
        at = covered = copy.at + copy.length
        shift = copy.source - copy.at


def _near(base: bytes, new: bytes, at: int, shift: int) -> _Copy | None:
    """Go on as far from the place in the base as the last copy, or at the same place."""
    for source in (at + shift, at):
        length = _common(base, source, new, at)
        if length >= NEAR:
            return _Copy(at, source, length)
    return None


def _far(base: bytes, new: bytes, at: int, covered: int, index: dict[bytes, int]) -> _Copy | None:
    """Look anywhere in the base; what lies before and is the same too belongs to the run."""
    source = index.get(new[at : at + GRAM])
    if source is None:
        return None
    length = _common(base, source, new, at)
    while at > covered and source > 0 and base[source - 1] == new[at - 1]:
        at, source, length = at - 1, source - 1, length + 1
    return _Copy(at, source, length)


def _common(a: bytes, i: int, b: bytes, j: int) -> int:
    """Count the bytes that ``a`` from ``i`` and ``b`` from ``j`` begin with alike."""
    limit = min(len(a) - i, len(b) - j)
    same, step = 0, 1
    while same < limit:
        step = min(step, limit - same)
        if a[i + same : i + same + step] == b[j + same : j + same + step]:
            same, step = same + step, 2 * step
        elif step == 1:
            break
        else:
            step //= 2
    return same


def _zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def _unzigzag(value: int) -> int:
    return -(value + 1) // 2 if value & 1 else value // 2


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


class _Reader:
    """Takes a patch from its start to its end."""

    def __init__(self, patch: bytes) -> None:
        self._patch = patch
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._patch[self._at : self._at + count]
        if len(taken) < count:
            raise PatchError("it ends in the middle of a run")
        self._at += count
        return taken

    def number(self) -> int:
        value = 0
        for place in range(MAX_VARINT):
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80 and value < 1 << 32:
                return value
        raise PatchError("one of its numbers has more than 32 bits")

    def end(self) -> None:
        if self._at < len(self._patch):
            raise PatchError("something stands behind its last run")
