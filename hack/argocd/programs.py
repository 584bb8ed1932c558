"""Argo CD's programs, CRDs and settings from its Go module, and redis from Debian packages.

``python -m hack.argocd`` has them ready in the user's cache.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hack.controlplane.gobuild import BuildError, compile_program, find_go, run, variables
from hack.controlplane.programs import cache_folder
from hack.debian import unpack

from .versions import ARGOCD, MODULE, PROGRAM, SERVERS

LOCK = Path(__file__).with_name("go")  # go.mod, go.sum
_SECONDS = 300.0
_FLAGS = f"-s -w -X {MODULE}/common.version={ARGOCD} -X {MODULE}/common.gitTreeState=clean"
_REDIS = ("libjemalloc2", "liblzf1", "redis-server", "redis-tools")
# The repository server calls them for each manifest, whether signatures are asked for or not.
_WRAPPERS = "hack/*-wrapper.sh"
_CRDS, _SETTINGS = "manifests/crds/*-crd.yaml", "manifests/base/config/argocd-*.yaml"


@dataclass(frozen=True, slots=True)
class ArgoCdPrograms:
    """Folders: what was built, objects for the API server, redis's root."""

    built: Path
    crds: Path
    settings: Path
    redis: Path


def folder() -> Path:
    """All of this version in the user's cache."""
    return cache_folder().parent / "argocd" / ARGOCD


def missing() -> bool:
    """Tell whether Argo CD is still to be built."""
    return not os.access(folder() / "bin" / PROGRAM, os.X_OK)


def ensure(say: Callable[[str], None]) -> ArgoCdPrograms:
    """Have all of it; what is missing is fetched or built. Raises ``BuildError``."""
    into = folder()
    if missing():
        _build(into, say)
    redis = unpack(_REDIS, into.parent / "redis", say)
    return ArgoCdPrograms(into / "bin", into / "crds", into / "settings", redis)


def _build(into: Path, say: Callable[[str], None]) -> None:
    """Build the program and take what lies beside it; all appears together, or not at all."""
    go = find_go(cache_folder(), say)
    into.parent.mkdir(parents=True, exist_ok=True)
    say(f"building Argo CD {ARGOCD} from its Go module (minutes, once; kept in {into})")
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".build-") as scratch:
        made = Path(scratch) / "made"
        program = made / "bin" / PROGRAM
        if not compile_program(go, LOCK, f"{MODULE}/cmd", _FLAGS, program):
            raise BuildError(
                f"go could not build {MODULE} (see above). Check the disk (4 GB are needed) and "
                "the way to the Go module proxy (GOPROXY)."
            )
        for server in SERVERS:
            (program.parent / server).symlink_to(PROGRAM)
        sources = _sources(go)
        _take(sources, _WRAPPERS, made / "bin", mode=0o755)
        _take(sources, _CRDS, made / "crds")
        _take(sources, _SETTINGS, made / "settings")
        shutil.rmtree(into, ignore_errors=True)
        made.rename(into)


def _sources(go: str) -> Path:
    """Argo CD's own module, where Go keeps it."""
    command = [go, "list", "-m", "-f", "{{.Dir}}", MODULE]
    return Path(run(command, LOCK, _SECONDS, variables()).strip())


def _take(sources: Path, pattern: str, into: Path, mode: int = 0o644) -> None:
    """Copy files of the module, which are write-protected there."""
    into.mkdir(parents=True, exist_ok=True)
    found = sorted(sources.glob(pattern))
    if not found:
        raise BuildError(f"{MODULE} {ARGOCD} has no {pattern}")
    for file in found:
        copy = into / file.name
        shutil.copyfile(file, copy)
        copy.chmod(mode)
