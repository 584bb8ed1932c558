"""The bytes of an update of two trained models that differ in their last layer."""

from __future__ import annotations

import subprocess

import pytest

from bench.firmware import patches
from hack.testbed import heads
from hack.testbed.processes import ROOT


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    command = ["make", "-C", str(ROOT / "firmware"), "-j2", "posix"]
    subprocess.run(command, check=True, capture_output=True, timeout=150)


@pytest.mark.long  # a training
def test_a_new_head_moves_three_percent_of_the_models_bytes() -> None:
    first, second = heads.versions()
    assert second.accuracy > first.accuracy + 0.03, "the new head has learnt something"
    found = patches.measure()
    assert 25 * 1024 < found.model < 27 * 1024
    assert found.first_blocks == found.first_artefact, "nothing to reuse: all of it moves"
    assert 0 < found.percent <= 3
    assert found.blocks < found.mqtt < found.artefact / 10
