"""A firmware bundle: one version for all boards, each image linked for slot A and for slot B.

A zip file with ``bundle.json`` and the images; the same input gives the same bytes. The SHA-256 of
the file is the bundle's name. Bytes in, bytes out.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from petiole.api.base import ApiModel

from . import firmware
from .container import prove
from .firmware import Firmware
from .policy import ArtifactError

MANIFEST, SBOM = "bundle.json", "sbom.json"
MAX_BYTES = 64 * 1024 * 1024  # of all files, unpacked

Slot = Literal["a", "b"]
SLOTS: tuple[Slot, ...] = ("a", "b")

_DATE = (1980, 1, 1, 0, 0, 0)  # the oldest that a zip file knows: no clock gets into the bytes


class BundleImage(ApiModel):
    """One file of a bundle. ``address`` is the start of the slot that it is linked for."""

    target: str
    slot: Slot
    address: int
    file: str
    digest: str
    size: int


class Manifest(ApiModel):
    """What ``bundle.json`` says. Files of an unsigned bundle are bare code."""

    version: str
    revision: int
    signed: bool
    images: tuple[BundleImage, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read. ``files`` by name; ``digest`` of the whole zip file."""

    digest: str
    manifest: Manifest
    files: Mapping[str, bytes]
    sbom: bytes | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(sorted({image.target for image in self.manifest.images}))

    def content(self, image: BundleImage) -> bytes:
        return self.files[image.file]


@dataclass(frozen=True, slots=True)
class Linked:
    """Code for one board, linked for one slot, whose image starts at ``address``."""

    target: str
    slot: Slot
    address: int
    code: bytes


def build(
    linked: Iterable[Linked], version: str, revision: int, sbom: bytes | None = None
) -> bytes:
    """Return an unsigned bundle. Raises ArtifactError unless each board has both slots once."""
    codes = {(item.target, item.slot): item for item in linked}
    return _write(
        Manifest(version=version, revision=revision, signed=False, images=()),
        {key: (item.address, item.code) for key, item in codes.items()},
        sbom,
    )


def sign(bundle: Bundle, key: Ed25519PrivateKey, security_counter: int) -> bytes:
    """Return the bundle with its images signed. Raises ArtifactError when they are already."""
    manifest = bundle.manifest
    if manifest.signed:
        raise ArtifactError("it is signed already; sign the bundle that was built")
    images = {
        (image.target, image.slot): (
            image.address,
            firmware.sign(
                bundle.content(image),
                target=image.target,
                address=image.address,
                name=manifest.version,
                revision=manifest.revision,
                security_counter=security_counter,
                key=key,
            ),
        )
        for image in manifest.images
    }
    return _write(manifest.model_copy(update={"signed": True}), images, bundle.sbom)


def read(data: bytes) -> Bundle:
    """Read a bundle, signed or not. Raises ArtifactError when it is damaged."""
    files = _unzip(data)
    try:
        manifest = Manifest.model_validate_json(files.pop(MANIFEST, b""))
    except ValidationError as error:
        raise ArtifactError(f"its {MANIFEST} is missing or cannot be read") from error
    sbom = files.pop(SBOM, None)
    bundle = Bundle(hashlib.sha256(data).hexdigest(), manifest, files, sbom)
    _check_pairs((image.target, image.slot) for image in manifest.images)
    for image in manifest.images:
        content = files.get(image.file)
        if content is None:
            raise ArtifactError(f"{image.file} is missing")
        if len(content) != image.size or hashlib.sha256(content).hexdigest() != image.digest:
            raise ArtifactError(f"{image.file} is not what {MANIFEST} says: it was changed")
    return bundle


def verify(bundle: Bundle, keys: Iterable[Ed25519PublicKey]) -> tuple[Firmware, ...]:
    """Return its images, each proven to be what the manifest says and signed by one of ``keys``.

    Raises UnknownKeyError for a signature by another key, ArtifactError for all else.
    """
    if not bundle.manifest.signed:
        raise ArtifactError("it is not signed; sign it with `petiole firmware sign`")
    known = tuple(keys)
    return tuple(verify_image(bundle, image, known) for image in bundle.manifest.images)


def verify_image(bundle: Bundle, image: BundleImage, keys: Iterable[Ed25519PublicKey]) -> Firmware:
    """``verify`` one image of a signed bundle."""
    try:
        found = firmware.inspect(bundle.content(image))
        prove(found.container, keys)
    except ArtifactError as error:
        raise type(error)(f"{image.file}: {error}") from error
    manifest = bundle.manifest
    said = (image.target, image.address, manifest.version, manifest.revision)
    if (found.target, found.address, found.name, found.revision) != said:
        raise ArtifactError(
            f"{image.file} is of another target, slot or version than {MANIFEST} says"
        )
    return found


def _check_pairs(pairs: Iterable[tuple[str, Slot]]) -> None:
    given = sorted(pairs)
    wanted = sorted((target, slot) for target in {t for t, _ in given} for slot in SLOTS)
    if not given or given != wanted:
        have = ", ".join(f"{target}:{slot}" for target, slot in given) or "none"
        raise ArtifactError(
            f"want an image for slot a and one for slot b of each board; it has {have}"
        )


def _write(
    manifest: Manifest,
    images: Mapping[tuple[str, Slot], tuple[int, bytes]],
    sbom: bytes | None,
) -> bytes:
    _check_pairs(images)
    ending = "img" if manifest.signed else "bin"
    described, files = [], {}
    for (target, slot), (address, content) in sorted(images.items()):
        name = f"{target}-{slot}.{ending}"
        files[name] = content
        described.append(
            BundleImage(
                target=target,
                slot=slot,
                address=address,
                file=name,
                digest=hashlib.sha256(content).hexdigest(),
                size=len(content),
            )
        )
    written = manifest.model_copy(update={"images": tuple(described)})
    text = written.model_dump_json(by_alias=True, indent=1).encode()
    return _zip({MANIFEST: text, **({SBOM: sbom} if sbom is not None else {}), **files})


def _zip(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return stream.getvalue()


def _unzip(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise ArtifactError(f"it unpacks to more than {MAX_BYTES} bytes")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"it is no whole zip file: {error}") from error
    if len(files) != len(entries):
        raise ArtifactError("a file stands there twice")
    return files
