"""Every object in ``examples/`` is accepted by the API server."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.testbed.controlplane import ControlPlane
from hack.testbed.processes import ROOT

FILES = sorted((ROOT / "examples").rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_example_is_accepted(control_plane: ControlPlane, namespace: str, file: Path) -> None:
    said = control_plane.kubectl("apply", "-n", namespace, "--dry-run=server", "-f", str(file))
    assert "petiole.dev" in said


def test_there_are_examples_of_both_kinds() -> None:
    texts = [file.read_text() for file in FILES]
    for kind in ("TinyModel", "DeviceFleet"):
        assert any(f"kind: {kind}" in text for text in texts)
