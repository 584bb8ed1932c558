#!/usr/bin/env python3
"""Makes a fresh Debian or Ubuntu machine ready; repeated, it finds everything done in a second.

Needs the standard library only: it runs before anything is installed. It installs Debian packages
(as root or through sudo), Python packages into ``.venv`` with locked hashes, the programs of a
Kubernetes control plane into the user's cache, and builds the device agent into ``build/``.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST_PYTHON = (3, 11)
BUILD = ROOT / "build"


class SetupError(Exception):
    """Something cannot be installed from here; the message says what to do."""


@dataclass(frozen=True)
class Package:
    """A Debian package and how to see that its content is there, whoever installed it."""

    name: str
    present: Callable[[], bool]


def program(name: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name, path=p) for p in (None, "/usr/sbin:/sbin"))


def module(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


def file(path: str) -> Callable[[], bool]:
    return Path(path).exists


def fuzzer() -> bool:
    return any(Path("/usr/lib/llvm-14").glob("lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a"))


def postgres() -> bool:
    """Debian keeps the server's programs off the PATH."""
    servers = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return program("postgres")() or any(servers)


BUILD_PACKAGES = (
    Package("python3-venv", module("ensurepip")),
    Package("git", program("git")),
    Package("make", program("make")),
    Package("gcc", program("gcc")),
    Package("libc6-dev", file("/usr/include/stdio.h")),
    Package("gcc-arm-none-eabi", program("arm-none-eabi-gcc")),
    Package("libnewlib-arm-none-eabi", file("/usr/lib/arm-none-eabi/newlib/libc.a")),
)
RUN_PACKAGES = (
    Package("clang-14", program("clang-14")),
    Package(
        "libclang-rt-14-dev",
        fuzzer,
    ),
    Package("mosquitto", program("mosquitto")),
    Package("postgresql", postgres),
    Package("qemu-system-arm", program("qemu-system-arm")),
    Package("ca-certificates", file("/etc/ssl/certs/ca-certificates.crt")),
)


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def run(*command: str | Path, quiet: bool = False) -> None:
    """Run in the project's root; ``SetupError`` names the command when it fails."""
    words = [str(part) for part in command]
    output = subprocess.DEVNULL if quiet else None
    if subprocess.run(words, cwd=ROOT, stdout=output, check=False).returncode != 0:
        raise SetupError(f"this failed, see above: {' '.join(words)}")


def check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise SetupError(
            f"Python {platform.python_version()} is too old: 3.11 or newer is needed. "
            "Name one with: make PYTHON=python3.11"
        )


def debian_packages(packages: Sequence[Package]) -> None:
    missing = [package.name for package in packages if not package.present()]
    if not missing:
        return
    wanted = " ".join(missing)
    if shutil.which("apt-get") is None:
        raise SetupError(f"no apt-get here: install what these Debian packages hold: {wanted}")
    prefix: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise SetupError(
                "neither root nor sudo: have an administrator run\n"
                f"  apt-get install --no-install-recommends {wanted}"
            )
        prefix = ["sudo"]
    say(f"installing Debian packages: {wanted}")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    install = [*apt, "install", "-y", "-qq", "--no-install-recommends", *missing]
    try:
        run(*install, quiet=True)
    except SetupError:
        say("apt-get knows no such packages or old ones: reading its lists again")
        run(*apt, "update", "-qq", quiet=True)
        run(*install, quiet=True)
    if "postgresql" in missing and shutil.which("service") is not None:
        # Tests start servers of their own; the one that the package brings up need not run.
        run(*prefix, "service", "postgresql", "stop", quiet=True)


def python_packages() -> None:
    locks = [ROOT / "requirements" / name for name in ("bootstrap.txt", "dev.txt")]
    described = [*locks, ROOT / "pyproject.toml"]
    digest = hashlib.sha256(platform.python_version().encode())
    for path in described:
        digest.update(path.read_bytes())
    stamp = VENV / ".petiole"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    if not PYTHON.exists():
        say("making the virtual environment .venv")
        run(sys.executable, "-m", "venv", VENV)
    say("installing Python packages into .venv (about 1 GB with TensorFlow; hashes are checked)")
    pip: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    run(*pip, "--require-hashes", "-r", locks[0])
    install: list[str | Path] = [
        VENV / "bin" / "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        PYTHON,
    ]
    try:
        run(*install, "--require-hashes", "-r", locks[1])
    except SetupError:
        say("uv could not (it does not read pip's configuration): trying pip")
        run(*pip, "--require-hashes", "-r", locks[1])
    run(*pip, "--no-deps", "--no-build-isolation", "--editable", ".")
    stamp.write_text(digest.hexdigest())


def control_plane() -> None:
    run(PYTHON, "-m", "hack.controlplane", quiet=True)


def s3_server() -> None:
    run(PYTHON, "-m", "hack.testbed.s3", quiet=True)


def helm() -> None:
    """It says which rights the operator has."""
    run(PYTHON, "-m", "hack.chart", "helm", quiet=True)


def chart_programs() -> None:
    run(PYTHON, "-m", "hack.chart", quiet=True)


def firmware() -> None:
    say("building the device agent for POSIX and Cortex-M4")
    run("make", "-C", "firmware", "--no-print-directory", "-j2", "-s", "posix", "mps2")


STEPS: dict[str, tuple[Callable[[], None], ...]] = {
    "check": (lambda: debian_packages(BUILD_PACKAGES), python_packages),
    "test": (
        lambda: debian_packages(BUILD_PACKAGES + RUN_PACKAGES),
        python_packages,
        control_plane,
        firmware,
    ),
}
STEPS["demo"] = (*STEPS["test"], helm)
STEPS["test"] += (s3_server, chart_programs)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--for", dest="purpose", choices=sorted(STEPS), required=True)
    purpose = parser.parse_args().purpose
    start = time.monotonic()
    try:
        check_python()
        for step in STEPS[purpose]:
            step()
    except SetupError as error:
        print(f"setup: error: {error}", file=sys.stderr)
        return 1
    seconds = round(time.monotonic() - start, 1)
    BUILD.mkdir(exist_ok=True)
    (BUILD / f"setup-{purpose}.json").write_text(json.dumps({"seconds": seconds}) + "\n")
    say(f"ready after {seconds:g} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
