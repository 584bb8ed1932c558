"""Debian packages, fetched and unpacked into a folder, not installed: nothing else changes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from hack.controlplane.gobuild import BuildError, run

_SECONDS = 600.0
_STAMP = ".packages"  # says what the folder holds, once it is whole


def unpack(names: Sequence[str], into: Path, say: Callable[[str], None]) -> Path:
    """Have the packages' files below ``into``, as from ``/``; done before, that takes no time.

    The release is the machine's own. Raises ``BuildError``.
    """
    stamp, wanted = into / _STAMP, "\n".join(sorted(names))
    if stamp.exists() and stamp.read_text() == wanted:
        return into
    say(f"fetching {len(names)} Debian packages into {into}")
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".packages-") as scratch:
        root, fetched = Path(scratch) / "root", Path(scratch) / "fetched"
        root.mkdir()
        fetched.mkdir()
        _fetch(names, fetched)
        for package in sorted(fetched.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(root)], fetched)
        (root / _STAMP).write_text(wanted)
        shutil.rmtree(into, ignore_errors=True)
        root.rename(into)
    into.chmod(0o755)
    return into


def _fetch(names: Sequence[str], folder: Path) -> None:
    # As root: the packager's own user may not write here.
    download = ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *names]
    try:
        _run(download, folder)
    except BuildError:
        _run(["apt-get", "update", "-qq"], folder)
        _run(download, folder)


def _run(command: list[str], folder: Path) -> None:
    run(command, folder, _SECONDS, os.environ)
