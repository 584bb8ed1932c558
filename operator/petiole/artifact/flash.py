"""The flash of a device as provisioning leaves it: an identity sector, everything else erased.

``firmware/core/identity.c`` reads the same layout; ``firmware/core/layout.h`` has the map of the
whole flash. All numbers are little endian, strings are padded with zero bytes.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from petiole.wire.topics import DEVICE_ID

FLASH_SIZE = 256 * 1024
SECTOR_SIZE = 4096
SLOTS_OFFSET = 4 * SECTOR_SIZE
MAX_SLOT_SIZE = (FLASH_SIZE - SLOTS_OFFSET) // 2 // SECTOR_SIZE * SECTOR_SIZE
FIRMWARE_SLOTS = 4 * SECTOR_SIZE  # from firmware_offset: journal, download map, one to spare

# QEMU's mps2 machines keep their PSRAM in a file of exactly this size; the flash is its start.
MPS2_MEMORY_SIZE = 16 * 1024 * 1024

_MAGIC = 0x44495450  # "PTID"
_VERSION = 2
_LAYOUT = struct.Struct("<IHH64s64s64s32s32s32sIIIII")
_KEY_SIZE = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device is and what it may run. ``keys``: one or two raw Ed25519 public keys.

    ``slot_size`` and ``arena_size`` are bytes; ``seed`` starts its generator for jitter and random
    samples, which no decision about trust uses. ``firmware_size`` is the bytes of a firmware slot,
    ``firmware_offset`` where its journal begins; both 0: the device takes no firmware.
    ``archive_size`` is the bytes behind the model slots for what outlives a reset: a sector for
    what a model learned there, two or more for samples that wait.
    """

    device: str
    user: str
    password: str
    target: str
    keys: tuple[bytes, ...]
    slot_size: int
    arena_size: int
    seed: int = 0
    firmware_offset: int = 0
    firmware_size: int = 0
    archive_size: int = 0

    def __post_init__(self) -> None:
        if not DEVICE_ID.match(self.device):
            raise ValueError(f"device id {self.device!r}: want 1 to 63 of A-Z a-z 0-9 _ . -")
        if len(self.keys) not in (1, 2) or any(len(key) != _KEY_SIZE for key in self.keys):
            raise ValueError(f"{self.device}: want one or two public keys of 32 bytes")
        if self.slot_size % SECTOR_SIZE or not 0 < self.slot_size <= MAX_SLOT_SIZE:
            raise ValueError(
                f"{self.device}: slot size {self.slot_size} is not a multiple of {SECTOR_SIZE} "
                f"between {SECTOR_SIZE} and {MAX_SLOT_SIZE}"
            )
        if self.archive_size % SECTOR_SIZE or not 0 <= self.archive_size <= MAX_SLOT_SIZE:
            raise ValueError(
                f"{self.device}: archive size {self.archive_size} is not a multiple of "
                f"{SECTOR_SIZE} up to {MAX_SLOT_SIZE}"
            )
        self._check_firmware()

    @property
    def size(self) -> int:
        """Bytes of flash that the device needs."""
        return max(self.archive_end, self.firmware_slot(2) if self.firmware_size else 0)

    @property
    def slots_end(self) -> int:
        """Where the model slots end and the archive begins."""
        return SLOTS_OFFSET + 2 * self.slot_size

    @property
    def archive_end(self) -> int:
        """Return the first place for firmware."""
        return self.slots_end + self.archive_size

    def firmware_slot(self, slot: int) -> int:
        """Where firmware slot 0 or 1 begins."""
        return self.firmware_offset + FIRMWARE_SLOTS + slot * self.firmware_size

    def to_bytes(self) -> bytes:
        """Return the identity sector up to and with its CRC-32."""
        keys = [*self.keys, bytes(_KEY_SIZE)]
        body = _LAYOUT.pack(
            _MAGIC,
            _VERSION,
            self.archive_size // SECTOR_SIZE,
            _text("device", self.device, 63),
            _text("user", self.user, 63),
            _text("password", self.password, 63),
            _text("target", self.target, 24),
            keys[0],
            keys[1],
            self.slot_size,
            self.arena_size,
            self.seed & 0xFFFFFFFF,
            self.firmware_offset,
            self.firmware_size,
        )
        return body + struct.pack("<I", zlib.crc32(body))

    def _check_firmware(self) -> None:
        if not self.firmware_size:
            return
        if self.firmware_size % SECTOR_SIZE or self.firmware_offset % SECTOR_SIZE:
            raise ValueError(f"{self.device}: firmware is not at multiples of {SECTOR_SIZE}")
        if self.firmware_offset < self.archive_end:
            raise ValueError(
                f"{self.device}: firmware at {self.firmware_offset:#x} overlaps model slots and "
                f"archive, which end at {self.archive_end:#x}"
            )


def flash_image(identity: Identity, size: int = FLASH_SIZE, firmware: bytes = b"") -> bytes:
    """Return a freshly provisioned flash; give ``MPS2_MEMORY_SIZE`` for a QEMU board.

    ``firmware`` is a signed image linked for slot A, which the device starts from.
    """
    if size < identity.size:
        raise ValueError(f"{identity.device}: a flash of {size} bytes has no room for its slots")
    if len(firmware) > identity.firmware_size:
        raise ValueError(
            f"{identity.device}: an image of {len(firmware)} bytes does not fit a firmware slot of "
            f"{identity.firmware_size}"
        )
    flash = bytearray(identity.to_bytes().ljust(size, b"\xff"))
    at = identity.firmware_slot(0)
    flash[at : at + len(firmware)] = firmware
    return bytes(flash)


def _text(field: str, value: str, longest: int) -> bytes:
    data = value.encode()
    if not 1 <= len(data) <= longest:
        raise ValueError(f"{field} {value!r}: want 1 to {longest} bytes of UTF-8")
    return data
