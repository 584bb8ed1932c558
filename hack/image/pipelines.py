"""The pipelines image without Docker: what ``docker build --target pipelines`` makes, on Debian 12.

Python is Debian's, its packages those of ``requirements/pipelines.txt`` by their hashes (kept in
the user's cache, 1.6 GB), the code that of this checkout.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from hack.controlplane.gobuild import BuildError
from hack.controlplane.programs import cache_folder
from hack.debian import unpack

from .oci import Blob, Image, pack

ROOT = Path(__file__).resolve().parents[2]
NAME = "localhost/petiole-pipelines:0.1.0"
_LOCK = ROOT / "requirements" / "pipelines.txt"
_PACKAGES = (
    "busybox-static",
    "ca-certificates",
    "libbz2-1.0",
    "libc6",
    "libcrypt1",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libncursesw6",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libsqlite3-0",
    "libssl3",
    "libstdc++6",
    "libtinfo6",
    "libuuid1",
    "python3.11-minimal",
    "zlib1g",
)
_COMMANDS = ("cat", "cp", "env", "head", "ls", "mkdir", "mktemp", "printf", "rm", "sh", "sleep")
_SITE = "usr/local/lib/python3.11/dist-packages"
_USER, _HOME, _CODE = 10001, "var/lib/petiole", "opt/petiole"
_INSTALL_SECONDS = 1800.0


def pipelines(say: Callable[[str], None]) -> Image:
    """Have the image's lower layer in the user's cache and lay this checkout's code over it.

    Raises ``BuildError``.
    """
    kept = cache_folder().parent / "images"
    return Image(
        name=NAME,
        layers=(_base(kept, say), _code(kept)),
        entrypoint=("python", "-m", "petiole_pipelines.run_local"),
        environment={
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": f"/{_CODE}/operator:/{_CODE}/pipelines",
        },
        user=str(_USER),
        folder=f"/{_HOME}",
    )


def _base(cache: Path, say: Callable[[str], None]) -> Blob:
    """Python and its packages."""
    described = "\n".join([_LOCK.read_text(), Path(__file__).read_text()])
    layer = cache / f"pipelines-{hashlib.sha256(described.encode()).hexdigest()[:16]}.tar"
    if layer.exists():
        return Blob.of(layer)
    say(f"making the lower layer of {NAME} (minutes, once; kept in {cache})")
    cache.mkdir(parents=True, exist_ok=True)
    debian = unpack(_PACKAGES, cache / "debian", say)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".pipelines-") as scratch:
        root = Path(scratch) / "root"
        shutil.copytree(debian, root, symlinks=True)
        _furnish(root)
        _install(root / _SITE)
        for old in cache.glob("pipelines-*.tar"):
            old.unlink()
        return pack(root, layer)


def _furnish(root: Path) -> None:
    """Do what the packages' scripts do when they are installed, as far as a step needs it."""
    for name in ("python", "python3"):
        (root / "usr/bin" / name).symlink_to("python3.11")
    for name in _COMMANDS:
        (root / "bin" / name).symlink_to("busybox")
    for name in ("dev", "proc", "sys", "tmp", _HOME):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / _HOME).chmod(0o1777)  # the layer's files are root's, its user is not
    authorities = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"".join(path.read_bytes() for path in authorities))
    (root / "etc/passwd").write_text(
        f"root:x:0:0::/:/bin/sh\npetiole:x:{_USER}:{_USER}::/{_HOME}:/bin/sh\n"
    )
    (root / "etc/group").write_text(f"root:x:0:\npetiole:x:{_USER}:\n")


def _install(site: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    command = [
        str(uv), "pip", "install", "--quiet", "--require-hashes", "--compile-bytecode",
        "--python", sys.executable, "--target", str(site), "-r", str(_LOCK),
    ]  # fmt: skip
    # Compiled files that no time of a source can make stale: the layer's times are all zero.
    variables = os.environ | {
        "PYC_INVALIDATION_MODE": "UNCHECKED_HASH",
        "UV_COMPILE_BYTECODE_TIMEOUT": str(int(_INSTALL_SECONDS)),  # for a file, on a busy machine
    }
    made = subprocess.run(
        command,
        env=variables,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if made.returncode != 0:
        raise BuildError(f"{_LOCK.name} cannot be installed: {made.stderr.strip()[-500:]}")


def _code(cache: Path) -> Blob:
    """What the Dockerfile copies from this checkout."""
    with tempfile.TemporaryDirectory(dir=cache, prefix=".code-") as scratch:
        root = Path(scratch) / "root"
        for folder in ("operator", "pipelines"):
            shutil.copytree(
                ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg*")
            )
        made = pack(root, Path(scratch) / "code.tar", _CODE)
        assert isinstance(made.content, Path)
        return Blob.of(made.content.read_bytes())
