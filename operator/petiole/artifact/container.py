"""MCUboot's image format, for models and firmware alike: taken apart, proven and signed.

Written against MCUboot's docs/design.md, "Image format", apart from imgtool's reader, which reads
files only; a test holds the two to the same answers. Signing is imgtool's.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from imgtool import image, keys, version

from .keys import public_der
from .policy import ArtifactError, Kind, Tag

NON_BOOTABLE, ROM_FIXED = 0x10, 0x100

_MAGIC = 0x96F3B83D
_HEADER = struct.Struct("<IIHHIIBBHII")
_PROTECTED, _PLAIN = 0x6908, 0x6907
_KEYHASH, _SHA256, _ED25519 = 0x01, 0x10, 0x24


@dataclass(frozen=True, slots=True)
class Container:
    """A whole image. ``load_address`` is 0 unless its place in memory is fixed."""

    digest: str  # SHA-256 of the whole file, hex
    size: int
    load_address: int
    header_size: int
    flags: int
    payload: bytes
    policy: Mapping[int, bytes]  # protected TLVs
    key_hash: str
    image_hash: bytes
    signature: bytes

    @property
    def kind(self) -> Kind:
        (number,) = self.numbers(Tag.KIND)
        try:
            return Kind(number)
        except ValueError as error:
            raise ArtifactError(f"its kind {number} is neither a model nor firmware") from error

    def numbers(self, tag: int, count: int = 1) -> tuple[int, ...]:
        """Return the ``u32`` numbers of a policy record."""
        return struct.unpack(f"<{count}I", _record(self.policy, tag, 4 * count))

    def text(self, tag: int) -> str:
        return _record(self.policy, tag, None).decode("ascii", errors="replace")


def unpack(data: bytes) -> Container:
    """Take an image apart. Raises ArtifactError when its form or its hash is wrong."""
    load_address, header_size, protected_size, payload_size, flags = _header(data)
    hashed = header_size + payload_size + protected_size
    policy = _tlvs(data, header_size + payload_size, _PROTECTED, protected_size)
    plain = _tlvs(data, hashed, _PLAIN, len(data) - hashed)
    image_hash = hashlib.sha256(data[:hashed]).digest()
    if plain.get(_SHA256) != image_hash:
        raise ArtifactError("its content does not match its SHA-256: it was changed or cut")
    return Container(
        digest=hashlib.sha256(data).hexdigest(),
        size=len(data),
        load_address=load_address,
        header_size=header_size,
        flags=flags,
        payload=data[header_size : header_size + payload_size],
        policy=policy,
        key_hash=_record(plain, _KEYHASH, 32).hex(),
        image_hash=image_hash,
        signature=_record(plain, _ED25519, 64),
    )


def prove(container: Container, public: Iterable[Ed25519PublicKey]) -> None:
    """Raise ArtifactError unless one of the ``public`` keys signed the image."""
    known = {hashlib.sha256(public_der(key)).hexdigest(): key for key in public}
    key = known.get(container.key_hash)
    if key is None:
        raise UnknownKeyError(
            f"no known key signed it: its key hash is {container.key_hash[:16]}..."
        )
    try:
        key.verify(container.signature, container.image_hash)
    except InvalidSignature as error:
        raise ArtifactError("its signature is wrong") from error


class UnknownKeyError(ArtifactError):
    """Whole and well formed, but signed by somebody else."""


@dataclass(frozen=True, slots=True)
class Form:
    """How an image is wrapped: ``rom_fixed`` is the address of a header that firmware runs at."""

    header_size: int = image.IMAGE_HEADER_SIZE
    version: str = "0.0.0"
    rom_fixed: int | None = None


def sign(
    payload: bytes,
    form: Form,
    counter: int,
    tlvs: Mapping[int, bytes],
    key: Ed25519PrivateKey,
) -> bytes:
    """Return the signed image. The same input gives the same bytes.

    ``tlvs`` are protected and come behind the security ``counter``.
    """
    # imgtool signs only with private keys of its own and prints while it does; with a signature
    # handed in it is silent, and the key may later live in a signing service.
    unsigned = _image(payload, form, counter, tlvs, key, signature=None)
    signed = _image(payload, form, counter, tlvs, key, key.sign(bytes(unsigned.image_hash)))
    return bytes(signed.payload)


def _image(
    payload: bytes,
    form: Form,
    counter: int,
    tlvs: Mapping[int, bytes],
    key: Ed25519PrivateKey,
    signature: bytes | None,
) -> image.Image:
    made = image.Image(
        version=version.decode_version(form.version),
        header_size=form.header_size,
        pad_header=True,
        security_counter=counter,
        rom_fixed=form.rom_fixed,
        non_bootable=form.rom_fixed is None,
    )
    made.payload = bytes(form.header_size) + payload
    made.create(
        key=None,
        pub_key=keys.Ed25519Public(key.public_key()),
        fixed_sig=None if signature is None else {"value": signature},
        public_key_format="hash",
        enckey=None,
        custom_tlvs=dict(tlvs),
        user_sha="256",
    )
    return made


def _header(data: bytes) -> tuple[int, int, int, int, int]:
    if len(data) < _HEADER.size:
        raise ArtifactError(f"{len(data)} bytes are too few for an image header")
    magic, load_address, header_size, protected_size, payload_size, flags, *_ = _HEADER.unpack_from(
        data
    )
    if magic != _MAGIC:
        raise ArtifactError("it does not begin with MCUboot's image magic")
    if header_size < _HEADER.size or header_size + payload_size + protected_size > len(data):
        raise ArtifactError("it is shorter than its header says: it was cut")
    return load_address, header_size, protected_size, payload_size, flags


def _tlvs(data: bytes, at: int, magic: int, size: int) -> Mapping[int, bytes]:
    """Return the records of one TLV area, which must fill its ``size`` exactly."""
    if size < 4 or struct.unpack_from("<HH", data, at) != (magic, size):
        raise ArtifactError(f"the TLV area at byte {at} is missing or has the wrong size")
    found: dict[int, bytes] = {}
    end = at + size
    at += 4
    while at < end:
        if end - at < 4:
            raise ArtifactError(f"the TLV area ends in the middle of a record at byte {at}")
        tag, length = struct.unpack_from("<HH", data, at)
        if at + 4 + length > end:
            raise ArtifactError(f"TLV 0x{tag:02x} at byte {at} is longer than its area")
        if tag in found:
            raise ArtifactError(f"TLV 0x{tag:02x} stands there twice")
        found[tag] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def _record(tlvs: Mapping[int, bytes], tag: int, size: int | None) -> bytes:
    record = tlvs.get(tag)
    if record is None:
        raise ArtifactError(f"TLV 0x{tag:02x} is missing" + _unsigned(tag))
    if size is not None and len(record) != size:
        raise ArtifactError(f"TLV 0x{tag:02x} has {len(record)} bytes, not {size}")
    return record


def _unsigned(tag: int) -> str:
    return ": it is not signed" if tag in (_KEYHASH, _ED25519) else ""
