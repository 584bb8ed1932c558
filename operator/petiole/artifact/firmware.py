"""A firmware image: MCUboot's format, bootable where it lies, with the policy of docs/firmware.md.

Bytes in, bytes out. An image is linked for the slot that it runs in; what the linker made becomes
flat code with ``flatten``, and an image that the boot loader takes with ``sign``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from . import container
from .container import NON_BOOTABLE, ROM_FIXED, Container, Form
from .policy import ArtifactError, Kind, Tag

HEADER_SIZE = 512  # keeps the vector table aligned for up to 112 interrupts
MAX_CODE = 16 * 1024 * 1024
MAX_NAME = 24

_ELF_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SEGMENT = struct.Struct("<8I")
_LOAD = 1
_FILL = 0xFF  # between two segments, as erased flash


@dataclass(frozen=True, slots=True)
class Firmware:
    """What an image says about itself. ``address`` is that of its header: the slot's start."""

    target: str  # the board
    address: int
    name: str  # the version for people
    revision: int
    security_counter: int
    digest: str  # SHA-256 of the whole file, hex
    size: int
    key_hash: str
    container: Container


def sign(
    code: bytes,
    *,
    target: str,
    address: int,
    name: str,
    revision: int,
    security_counter: int,
    key: Ed25519PrivateKey,
) -> bytes:
    """Return the signed image of ``code``, which is linked to run at ``address + HEADER_SIZE``.

    Raises ArtifactError for what no device could take.
    """
    if not code:
        raise ArtifactError("the firmware is empty")
    for what, text, longest in (("target", target, MAX_NAME), ("version", name, MAX_NAME)):
        if not text.isascii() or not 1 <= len(text) <= longest:
            raise ArtifactError(f"{what} {text!r}: want 1 to {longest} ASCII characters")
    if not 0 < address < 2**32:
        raise ArtifactError(f"address {address:#x}: want one above 0, in 32 bits")
    tlvs: dict[int, bytes] = {
        Tag.KIND: struct.pack("<I", Kind.FIRMWARE),
        Tag.TARGET: target.encode(),
        Tag.REVISION: struct.pack("<I", revision),
        Tag.NAME: name.encode(),
    }
    form = Form(HEADER_SIZE, f"0.0.0+{revision}", rom_fixed=address)
    return container.sign(code, form, security_counter, tlvs, key)


def inspect(data: bytes) -> Firmware:
    """Take an image apart. Raises ArtifactError when its form or its hash is wrong."""
    image = container.unpack(data)
    if image.kind is not Kind.FIRMWARE:
        raise ArtifactError(f"it is a {image.kind.name.lower()}, not firmware")
    fixed = image.flags & (ROM_FIXED | NON_BOOTABLE) == ROM_FIXED
    if image.header_size != HEADER_SIZE or not fixed:
        raise ArtifactError(
            f"its header is not that of firmware that runs where it lies: want {HEADER_SIZE} bytes "
            "and a fixed address"
        )
    return Firmware(
        target=image.text(Tag.TARGET),
        address=image.load_address,
        name=image.text(Tag.NAME),
        revision=image.numbers(Tag.REVISION)[0],
        security_counter=image.numbers(Tag.SEC_CNT)[0],
        digest=image.digest,
        size=image.size,
        key_hash=image.key_hash,
        container=image,
    )


def is_elf(data: bytes) -> bool:
    return data.startswith(b"\x7fELF")


def flatten(elf: bytes) -> tuple[int, bytes]:
    """Return the load address and the bytes of an ELF file, as ``objcopy -O binary`` writes them.

    Segments lie at their physical addresses. Raises ArtifactError for anything but a 32-bit
    little-endian program that fits ``MAX_CODE`` bytes.
    """
    segments = sorted(s for s in _segments(elf) if s[1])
    if not segments:
        raise ArtifactError("the ELF file has nothing to load")
    start = segments[0][0]
    end = max(at + len(content) for at, content in segments)
    if end - start > MAX_CODE:
        raise ArtifactError(f"the ELF file spans {end - start} bytes, more than {MAX_CODE}")
    flat = bytearray([_FILL]) * (end - start)
    for at, content in segments:
        flat[at - start : at - start + len(content)] = content
    return start, bytes(flat)


def _segments(elf: bytes) -> list[tuple[int, bytes]]:
    """Physical address and content of each segment that is to be loaded."""
    if not is_elf(elf) or len(elf) < _ELF_HEADER.size or elf[4:6] != b"\x01\x01":
        raise ArtifactError("it is no 32-bit little-endian ELF file")
    fields = _ELF_HEADER.unpack_from(elf)
    table, entry, count = fields[5], fields[9], fields[10]
    if entry < _SEGMENT.size or table + entry * count > len(elf):
        raise ArtifactError("the ELF file is cut: its program headers are missing")
    found = []
    for number in range(count):
        kind, offset, _, physical, size, *_ = _SEGMENT.unpack_from(elf, table + entry * number)
        if kind != _LOAD:
            continue
        if offset + size > len(elf):
            raise ArtifactError("the ELF file is cut: a segment is missing")
        found.append((physical, elf[offset : offset + size]))
    return found
