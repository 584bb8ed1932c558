"""Images of Debian's Python: a lock's packages in the lower layer, this checkout's code above.

They are what the Dockerfile makes of its base, on Debian 12. Lower layers are kept in the user's
cache: the packages are fetched and proven by their hashes once.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from hack.controlplane.gobuild import BuildError
from hack.controlplane.programs import cache_folder
from hack.debian import unpack

from .oci import Blob, Image, pack

ROOT = Path(__file__).resolve().parents[2]
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


def image(
    name: str, layers: tuple[Blob, ...], folders: Sequence[str], entrypoint: tuple[str, ...]
) -> Image:
    """An image of ``base`` and ``code``, as the Dockerfile starts it; ``folders`` hold the code."""
    return Image(
        name=name,
        layers=layers,
        entrypoint=entrypoint,
        environment={
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": ":".join(f"/{_CODE}/{folder}" for folder in folders),
        },
        user=str(_USER),
        folder=f"/{_HOME}",
    )


def base(name: str, say: Callable[[str], None]) -> Blob:
    """Python and what ``requirements/NAME.txt`` locks. Raises ``BuildError``."""
    lock, cache = ROOT / "requirements" / f"{name}.txt", _cache()
    described = "\n".join([lock.read_text(), Path(__file__).read_text()])
    layer = cache / f"{name}-{hashlib.sha256(described.encode()).hexdigest()[:16]}.tar"
    if layer.exists():
        return Blob.of(layer)
    say(f"making the lower layer of {name} (minutes, once; kept in {cache})")
    debian = unpack(_PACKAGES, cache / "debian", say)
    with tempfile.TemporaryDirectory(dir=cache, prefix=f".{name}-") as scratch:
        root = Path(scratch) / "root"
        shutil.copytree(debian, root, symlinks=True)
        _furnish(root)
        _install(lock, root / _SITE)
        for old in cache.glob(f"{name}-*.tar"):
            old.unlink()
        return pack(root, layer)


def code(folders: Sequence[str]) -> Blob:
    """What the Dockerfile copies from this checkout, compiled: Pods cannot write it down."""
    with tempfile.TemporaryDirectory(dir=_cache(), prefix=".code-") as scratch:
        root = Path(scratch) / "root"
        for folder in folders:
            shutil.copytree(
                ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg*")
            )
        compileall.compile_dir(
            root,
            quiet=1,
            stripdir=str(root),
            prependdir=f"/{_CODE}",
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        made = pack(root, Path(scratch) / "code.tar", _CODE)
        assert isinstance(made.content, Path)
        return Blob.of(made.content.read_bytes())


def _cache() -> Path:
    cache = cache_folder().parent / "images"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


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


def _install(lock: Path, site: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    command = [
        str(uv), "pip", "install", "--quiet", "--require-hashes", "--compile-bytecode",
        "--python", sys.executable, "--target", str(site), "-r", str(lock),
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
        raise BuildError(f"{lock.name} cannot be installed: {made.stderr.strip()[-500:]}")
