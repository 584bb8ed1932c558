"""The backend's programs: built from Go modules, unpacked from Debian packages, and MLMD's wheel.

``python -m hack.kfp`` has them ready in the user's cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.controlplane.gobuild import BuildError, find_go
from hack.controlplane.programs import cache_folder
from hack.debian import unpack
from hack.testbed import environments
from hack.testbed.processes import ROOT

from .sources import gather, variables
from .versions import KFP, PACKAGES, STATIC, WITH_C

_MLMD_LOCK = ROOT / "requirements" / "mlmd.txt"
_MLMD_SECONDS = 600.0
_BUILD_SECONDS = 3 * 3600.0  # two cores that others use, too
_MARIADB = (
    "libaio1",
    "liburing2",
    "libmariadb3",
    "libncurses6",
    "libnuma1",
    "libpcre2-8-0",
    "mariadb-client-core",
    "mariadb-common",
    "mariadb-server",
    "mariadb-server-core",
    "mysql-common",
)


@dataclass(frozen=True, slots=True)
class KfpPrograms:
    """Folders: what was built, objects for the API server, MariaDB's root, MLMD's Python."""

    built: Path
    manifests: Path
    mariadb: Path
    mlmd: Path


def folder() -> Path:
    """All that the backend has in the user's cache."""
    return cache_folder().parent / "kfp"


def missing() -> list[str]:
    """Programs that are still to be built."""
    names = [package.rpartition("/")[2] for package in PACKAGES]
    return [name for name in names if not os.access(folder() / KFP / "bin" / name, os.X_OK)]


def ensure(say: Callable[[str], None]) -> KfpPrograms:
    """Have all of it; what is missing is fetched or built. Raises ``BuildError``."""
    cache = folder()
    if missing():
        _build(cache / KFP, say)
    mariadb = unpack(_MARIADB, cache / "mariadb", say)
    try:
        environments.make(cache / "mlmd", _MLMD_LOCK, _MLMD_SECONDS)
    except environments.InstallError as error:
        raise BuildError(str(error)) from error
    python = cache / "mlmd" / "bin" / "python"
    return KfpPrograms(cache / KFP / "bin", cache / KFP / "manifests", mariadb, python)


def _build(into: Path, say: Callable[[str], None]) -> None:
    """Build all programs; they appear together, or not at all."""
    if shutil.which("gcc") is None:
        raise BuildError("KFP's API server needs gcc: apt-get install gcc libc6-dev")
    go = find_go(cache_folder(), say)
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".sources-") as scratch:
        sources = Path(scratch)
        say("fetching the sources of KFP and Argo Workflows")
        gather(go, sources)
        say(f"building KFP {KFP} (ten minutes on two cores, once; kept in {into})")
        made = sources / "bin"
        made.mkdir()
        _compile(go, sources, made, STATIC, variables())
        _compile(go, sources, made, WITH_C, variables(with_c=True))
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir()
        made.rename(into / "bin")
        (sources / "manifests").rename(into / "manifests")


def _compile(
    go: str, sources: Path, into: Path, packages: Sequence[str], environment: Mapping[str, str]
) -> None:
    command = [
        go, "build", "-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", "-s -w",
        "-tags", "netgo,osusergo",  # so that both builds share what they compile
        "-o", f"{into}/", *packages,
    ]  # fmt: skip
    result = subprocess.run(
        command, cwd=sources / "build", env=environment, timeout=_BUILD_SECONDS, check=False
    )
    if result.returncode != 0:
        raise BuildError(
            "go could not build KFP (see above). Check the disk (6 GB are needed) and the way to "
            "the Go module proxy (GOPROXY)."
        )
