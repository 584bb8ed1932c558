"""Images as OCI archives (image-spec 1.0), which ``ctr images import`` and ``skopeo`` read."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Blob:
    """A part of an archive: bytes, or a file of them."""

    content: bytes | Path
    digest: str  # SHA-256, hexadecimal
    size: int

    @classmethod
    def of(cls, content: bytes | Path) -> Blob:
        if isinstance(content, bytes):
            return cls(content, hashlib.sha256(content).hexdigest(), len(content))
        with content.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(content, digest, content.stat().st_size)

    def open(self) -> IO[bytes]:
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        return self.content.open("rb")

    def described(self, kind: str) -> dict[str, Any]:
        return {"mediaType": kind, "digest": f"sha256:{self.digest}", "size": self.size}


@dataclass(frozen=True, slots=True)
class Image:
    """``name`` is ``REPOSITORY:TAG``; ``layers`` are uncompressed tars, the lowest first.

    ``also`` are further names of the same image.
    """

    name: str
    layers: tuple[Blob, ...]
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = "/"
    also: tuple[str, ...] = ()

    def write(self, to: IO[bytes]) -> None:
        """Write the archive; ``to`` need not seek."""
        config = _json(self._config())
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": config.described(_CONFIG),
                "layers": [layer.described(_LAYER) for layer in self.layers],
            }
        )
        described = manifest.described(_MANIFEST)
        entries = [described | {"annotations": _named(name)} for name in (self.name, *self.also)]
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": entries}
        with tarfile.open(fileobj=to, mode="w|") as archive:
            _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
            _add(archive, "index.json", _json(index))
            for blob in (config, manifest, *self.layers):
                _add(archive, f"blobs/sha256/{blob.digest}", blob)

    def _config(self) -> dict[str, Any]:
        variables = {"PATH": _PATH} | dict(self.environment)
        return {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": list(self.entrypoint),
                "Env": [f"{name}={value}" for name, value in variables.items()],
                "User": self.user,
                "WorkingDir": self.folder,
            },
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{layer.digest}" for layer in self.layers],
            },
        }


def _named(name: str) -> dict[str, str]:
    return {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rpartition(":")[2],
    }


def pack(root: Path, into: Path, below: str = "") -> Blob:
    """Make a layer of a folder's content: the same content gives the same bytes, owned by root."""
    partial = into.with_suffix(".partial")
    with tarfile.open(partial, "w") as layer:
        for path in sorted(root.rglob("*")):
            name = str(Path(below, path.relative_to(root)))
            layer.add(path, name, recursive=False, filter=_neutral)
    partial.replace(into)
    return Blob.of(into)


def _neutral(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _json(content: Mapping[str, Any]) -> Blob:
    return Blob.of(json.dumps(content).encode())


def _add(archive: tarfile.TarFile, name: str, blob: Blob) -> None:
    member = tarfile.TarInfo(name)
    member.size = blob.size
    with blob.open() as content:
        archive.addfile(member, content)
