"""What every test may ask for: a real control plane, a namespace of its own, built firmware."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from hack.testbed.controlplane import ControlPlane
from hack.testbed.processes import ROOT

# Tests read what commands print: no table may be cut to the width of some terminal. Set before the
# commands are imported, and pytest's workers have 80 here.
os.environ["COLUMNS"] = "200"

_numbers = itertools.count(1)
_begun: list[tuple[str, str]] = []  # when which test began, in this process


def pytest_configure() -> None:
    """Have control planes tell which rights were used: see ``hack.rights``."""
    folder = ROOT / "build" / "rights" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
    os.environ["PETIOLE_RIGHTS"] = str(folder)


def pytest_runtest_logstart(nodeid: str) -> None:
    _begun.append((f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", nodeid))


def pytest_unconfigure() -> None:
    folder = Path(os.environ["PETIOLE_RIGHTS"])
    if folder.exists():
        (folder / "tests.json").write_text(json.dumps(_begun))


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A command run inside a test points the log at that test's standard error: turn it back."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A real API server with the CRDs installed; one for the whole session."""
    with ControlPlane(tmp_path_factory.mktemp("controlplane")) as running:
        running.install_crds(ROOT / "crds")
        yield running


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A new, empty namespace. Nothing deletes it: the control plane goes with the session."""
    name = f"test-{next(_numbers)}"
    control_plane.kubectl("create", "namespace", name)
    return name


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def made() -> Callable[[str], None]:
    """Makes a target of the firmware; only one process at a time."""

    def make_target(target: str) -> None:
        lock = ROOT / "build" / "firmware" / ".lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            done = subprocess.run(
                ["make", "-C", str(ROOT / "firmware"), "-j2", target],
                capture_output=True,
                text=True,
                timeout=150,
            )
        assert done.returncode == 0, done.stdout + done.stderr

    return make_target
