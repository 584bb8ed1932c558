"""The network sector of a device that reaches its broker by itself, and the seed beside it.

``firmware/port/lan/network.h`` says where both are and reads the same layout. All numbers are
little endian; addresses and ports are in network order.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Interface

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from .flash import MPS2_MEMORY_SIZE, SECTOR_SIZE

# The last sector of a QEMU board's memory is no flash: firmware/port/mps2/flash.h.
MPS2_FLASH_SIZE = MPS2_MEMORY_SIZE - SECTOR_SIZE

_MAGIC = 0x574E5450  # "PTNW"
_VERSION = 1
_HEADER = struct.Struct("<IHH")
_ITEM = struct.Struct("<HH")
_KEY_SIZE = 32
_SEED_SIZE = 32
_SECTORS = 4  # two that the device renews its certificates in, the network's, the seed's
_DAY = 86_400
_RAREST = 1_000_000  # seconds between renewals; the device counts milliseconds in 32 bits
_MOST_AUTHORITIES = 4
_LONGEST_CHAIN = 3
_LONGEST_NAME = 63


class _Item(IntEnum):
    MAC = 1
    ADDRESS = 2
    BROKER = 3
    NAME = 4
    AUTHORITY = 5
    KEY = 6
    CERTIFICATE = 7
    ISSUED = 8
    RENEW = 9


@dataclass(frozen=True, slots=True)
class Secure:
    """What TLS needs: whom to believe, under which name, and who the device is.

    ``name`` is the broker's, which its certificate must have as a DNS name; ``chain`` begins with
    the device's own certificate and is empty where the broker asks for none. All keys are on
    P-256. ``issued`` is a time that has passed when the device starts: certificates that ended
    before are refused. ``renew_seconds`` are between two requests for the device's next one.
    """

    name: str
    authorities: tuple[Certificate, ...]
    issued: datetime
    key: EllipticCurvePrivateKey | None = None
    chain: tuple[Certificate, ...] = ()
    renew_seconds: int = _DAY

    def __post_init__(self) -> None:
        if not 1 <= len(self.name.encode()) <= _LONGEST_NAME:
            raise ValueError(f"broker's name {self.name!r}: want 1 to {_LONGEST_NAME} bytes")
        if not 1 <= len(self.authorities) <= _MOST_AUTHORITIES:
            raise ValueError(f"want 1 to {_MOST_AUTHORITIES} authorities")
        if (self.key is None) != (not self.chain) or len(self.chain) > _LONGEST_CHAIN:
            raise ValueError(f"want a key and up to {_LONGEST_CHAIN} certificates, or neither")
        if not 1 <= self.renew_seconds <= _RAREST:
            raise ValueError(f"renewal every {self.renew_seconds} s: want 1 to {_RAREST}")
        for certificate in self.authorities:
            _check_key(certificate.subject.rfc4514_string(), certificate.public_key())
        if self.key is not None:
            _check_key("the device's key", self.key.public_key())


@dataclass(frozen=True, slots=True)
class Network:
    """How a device reaches its broker. ``address`` has the mask; without ``secure``: plain TCP."""

    mac: bytes
    address: IPv4Interface
    router: IPv4Address
    broker: IPv4Address
    port: int
    secure: Secure | None = None

    def __post_init__(self) -> None:
        if len(self.mac) != 6 or self.mac[0] & 1:
            raise ValueError(f"mac {self.mac.hex()}: want 6 bytes, not those of a group")
        if not 1 <= self.port <= 0xFFFF:
            raise ValueError(f"port {self.port}: want 1 to 65535")

    def to_bytes(self) -> bytes:
        """Return the network sector up to and with its CRC-32. ValueError when it is too full."""
        items = b"".join(_ITEM.pack(item, len(value)) + value for item, value in self._items())
        length = _HEADER.size + len(items)
        if length > SECTOR_SIZE - 4:
            raise ValueError(f"{length + 4} bytes do not fit a sector: fewer certificates")
        body = _HEADER.pack(_MAGIC, _VERSION, length) + items
        return body + struct.pack("<I", zlib.crc32(body))

    def _items(self) -> Iterator[tuple[_Item, bytes]]:
        yield _Item.MAC, self.mac
        own = self.address
        yield _Item.ADDRESS, own.packed[:4] + own.netmask.packed + self.router.packed
        yield _Item.BROKER, self.broker.packed + struct.pack(">H", self.port)
        if self.secure is not None:
            yield from _secure_items(self.secure)


def provision(flash: bytearray, network: Network, seed: bytes) -> None:
    """Write network sector and seed at the end of a flash, whose last four sectors are theirs.

    ``seed``: 32 random bytes, for boards of QEMU only. A device that ships has a random number
    generator and no seed that could be read from its flash.
    """
    if len(seed) != _SEED_SIZE or seed == b"\xff" * _SEED_SIZE:
        raise ValueError(f"want a seed of {_SEED_SIZE} random bytes")
    start = len(flash) - _SECTORS * SECTOR_SIZE
    sectors = (b"", b"", network.to_bytes(), seed)
    flash[start:] = b"".join(sector.ljust(SECTOR_SIZE, b"\xff") for sector in sectors)


def _secure_items(secure: Secure) -> Iterator[tuple[_Item, bytes]]:
    yield _Item.NAME, secure.name.encode()
    yield _Item.ISSUED, struct.pack("<I", int(secure.issued.astimezone(UTC).timestamp()))
    yield _Item.RENEW, struct.pack("<I", secure.renew_seconds)
    for certificate in secure.authorities:
        yield _Item.AUTHORITY, certificate.public_bytes(Encoding.DER)
    if secure.key is not None:
        yield _Item.KEY, secure.key.private_numbers().private_value.to_bytes(_KEY_SIZE, "big")
    for certificate in secure.chain:
        yield _Item.CERTIFICATE, certificate.public_bytes(Encoding.DER)


def _check_key(whose: str, key: PublicKeyTypes) -> None:
    p256 = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    if not p256:
        raise ValueError(f"{whose}: a device reads keys on the curve P-256 only")
