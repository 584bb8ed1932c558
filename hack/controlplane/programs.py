"""Finds the control plane's programs: given, cached, downloaded, or built, in this order.

1. the folder ``KUBEBUILDER_ASSETS``;
2. the user's cache, ``${XDG_CACHE_HOME:-~/.cache}/petiole/controlplane``;
3. the official envtest archive, checked against a pinned SHA-512, given up quickly when offline;
4. built once from Go modules into the cache.

Each program is looked for by itself, because an envtest folder has no kube-controller-manager.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from .gobuild import build
from .versions import (
    ENVTEST,
    ENVTEST_REPOSITORY,
    ENVTEST_SHA512,
    KUBERNETES,
    PROGRAMS,
    architecture,
)

_CONNECT_SECONDS = 5.0
_CHUNK = 1 << 20


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The user's cache of programs; one folder a version below it."""
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "petiole" / "controlplane"


def locate(environment: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """The programs that are there already, by name."""
    cache = cache_folder(environment)
    given = environment.get("KUBEBUILDER_ASSETS")
    folders = [Path(given)] if given else []
    folders += [cache / KUBERNETES, cache / f"envtest-{ENVTEST}"]
    found: dict[str, Path] = {}
    for program in PROGRAMS:
        for folder in folders:
            if os.access(folder / program, os.X_OK):
                found[program] = folder / program
                break
    return found


def ensure(say: Callable[[str], None]) -> dict[str, Path]:
    """All programs by name; what is missing is downloaded or built and kept.

    Raises ``BuildError`` when a program can be had in none of the ways.
    """
    found = locate()
    if set(PROGRAMS) - set(found) - {"kube-controller-manager"}:
        download_envtest(cache_folder() / f"envtest-{ENVTEST}", say)
        found = locate()
    missing = [program for program in PROGRAMS if program not in found]
    if missing:
        build(missing, cache_folder() / KUBERNETES, say)
        found = locate()
    return found


def download_envtest(into: Path, say: Callable[[str], None]) -> bool:
    """Fetch and unpack the envtest archive; False when it is out of reach or not the pinned one."""
    arch = architecture(platform.machine())
    if arch not in ENVTEST_SHA512:
        return False
    name = f"envtest-v{ENVTEST}"
    address = f"https://github.com/{ENVTEST_REPOSITORY}/releases/download/{name}/{name}-linux-{arch}.tar.gz"
    say(f"fetching the envtest archive {name} of {ENVTEST_REPOSITORY}")
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".envtest-") as scratch:
        archive = Path(scratch) / "archive.tar.gz"
        try:
            digest = _fetch(address, archive)
        except (OSError, urllib.error.URLError) as error:
            say(f"the envtest archive is out of reach ({error})")
            return False
        if digest != ENVTEST_SHA512[arch]:
            say(f"the envtest archive has SHA-512 {digest}, not the pinned one: not used")
            return False
        unpacked = Path(scratch) / "unpacked"
        _unpack(archive, unpacked)
        unpacked.rename(into)
    return True


def _fetch(address: str, to: Path) -> str:
    digest = hashlib.sha512()
    with urllib.request.urlopen(address, timeout=_CONNECT_SECONDS) as answer, to.open("wb") as file:
        while chunk := answer.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _unpack(archive: Path, into: Path) -> None:
    """Take the programs out of ``controller-tools/envtest/`` in the archive, flat."""
    into.mkdir()
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            content = tar.extractfile(member) if member.isfile() and name in PROGRAMS else None
            if content is not None:
                (into / name).write_bytes(content.read())
                (into / name).chmod(0o755)
