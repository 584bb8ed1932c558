"""Images of a static program or two and a shell: one layer, made in memory."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from .oci import Blob, Image

_FOLDERS = ("bin", "dev", "etc", "proc", "sys", "tmp")
_SHELL = (
    "cat", "cp", "echo", "head", "hostname", "httpd", "ls", "mkdir", "nc", "sh", "sleep", "tail",
    "test", "wget",
)  # fmt: skip


def busybox(name: str, program: Path, entrypoint: Sequence[str] = ("/bin/sh",)) -> Image:
    """``localhost/NAME:1`` with the static busybox alone."""
    return around(name, program, {}, entrypoint)


def around(
    name: str, shell: Path, programs: Mapping[str, Path], entrypoint: Sequence[str]
) -> Image:
    """``localhost/NAME:1`` with ``programs`` and the static busybox ``shell`` in /bin."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for folder in _FOLDERS:
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            layer.addfile(member)
        for file, path in {"busybox": shell, **programs}.items():
            member = tarfile.TarInfo(f"bin/{file}")
            member.size, member.mode = path.stat().st_size, 0o755
            with path.open("rb") as content:
                layer.addfile(member, content)
        for link in _SHELL:
            member = tarfile.TarInfo(f"bin/{link}")
            member.type, member.linkname = tarfile.SYMTYPE, "busybox"
            layer.addfile(member)
    return Image(f"localhost/{name}:1", (Blob.of(buffer.getvalue()),), tuple(entrypoint))
