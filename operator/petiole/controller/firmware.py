"""Firmware bundles: found by URI, proven, their images put into the store. Calls block."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from petiole.api.devicefleet import FirmwareVariant, ImageStatus
from petiole.artifact import bundle as bundles
from petiole.artifact.container import UnknownKeyError
from petiole.artifact.keys import BadKeyError, load_private, load_public
from petiole.artifact.policy import ArtifactError
from petiole.rollout.observed import Bundle, Obstacle

from . import paths
from .problem import Problem
from .store import Store

_AGAIN = "build and sign it again: `petiole firmware build`, `petiole firmware sign`"


@dataclass
class Firmware:
    """``public_key``: one that devices hold beside the public half of ``signing_key``."""

    store: Store
    signing_key: Path
    public_key: Path | None = None
    _seen: dict[str, tuple[str, Bundle | Obstacle]] = field(default_factory=dict)  # by URI

    def look(self, uri: str) -> Bundle | Obstacle:
        """Return the bundle that is at ``uri`` now, or why no device gets it.

        It is returned only when its images are in the store: whoever names them may count on them.
        """
        try:
            return self._look(uri)
        except Problem as problem:
            return Obstacle("FirmwareUnreadable", str(problem))

    def _look(self, uri: str) -> Bundle | Obstacle:
        store, path = self._place(uri)
        mark = store.mark(path)
        if mark is None:
            self._seen.pop(uri, None)
            return Obstacle("FirmwareMissing", f"there is no bundle {uri}; put it there")
        known = self._seen.get(uri)
        if known is not None and known[0] == mark:
            return known[1]
        found = self._read(uri, store.get(path) or b"")
        self._seen[uri] = (mark, found)
        return found

    def _place(self, uri: str) -> tuple[Store, str]:
        """Find store and path: a URI names any store, all else lies in the operator's."""
        if "://" not in uri:
            return self.store, uri
        folder, _, name = uri.rpartition("/")
        return Store(folder), name

    def _read(self, uri: str, data: bytes) -> Bundle | Obstacle:
        try:
            bundle = bundles.read(data)
            bundles.verify(bundle, self._keys())
        except UnknownKeyError as error:
            return Obstacle(
                "FirmwareKeyUnknown",
                f"bundle {uri}: {error}; sign it with a key that the devices hold, and if that is "
                "not the operator's own, start the operator with its --public-key",
            )
        except ArtifactError as error:
            return Obstacle("FirmwareDamaged", f"bundle {uri} is of no use: {error}; {_AGAIN}")
        for image in bundle.manifest.images:
            self._keep(image.digest, bundle.content(image))
        return Bundle(bundle.digest, bundle.manifest.version, _variants(bundle))

    def _keep(self, digest: str, image: bytes) -> None:
        path = paths.artefact(digest)
        if self.store.get(path) != image:  # a cut one is replaced
            self.store.put(path, image)

    def _keys(self) -> list[Ed25519PublicKey]:
        try:
            keys = [load_private(self.signing_key.read_bytes()).public_key()]
            return keys + ([load_public(self.public_key.read_bytes())] if self.public_key else [])
        except (OSError, BadKeyError) as error:
            raise Problem(f"A key to prove firmware with cannot be read: {error}.") from error


def _variants(bundle: bundles.Bundle) -> tuple[FirmwareVariant, ...]:
    images = {
        (image.target, image.slot): ImageStatus(digest=image.digest, size=image.size)
        for image in bundle.manifest.images
    }
    return tuple(
        FirmwareVariant(target=target, a=images[target, "a"], b=images[target, "b"])
        for target in bundle.targets
    )
