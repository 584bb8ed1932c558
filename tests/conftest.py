"""What every test may ask for: a real control plane, and a namespace of one's own in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from hack.testbed.controlplane import ControlPlane
from hack.testbed.processes import ROOT

_numbers = itertools.count(1)


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
