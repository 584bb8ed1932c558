"""The bench of searched students: its bars, and which data it takes."""

from pathlib import Path

import pytest
from rich.console import Console

from bench.learning import settings, targets

ROW = {
    "name": "small",
    "flash": 30000,
    "flashLimit": 32768,
    "arena": 9000,
    "arenaLimit": 16384,
    "instructionsLimit": 4_000_000,
    "predictedInstructions": 1_000_000,
    "countedInstructions": 1_010_000,
    "errorPercent": 0.99,
    "mismatches": 0,
    "arenaProven": True,
}


@pytest.mark.parametrize(
    "change",
    [
        {"errorPercent": 5.01},
        {"mismatches": 1},
        {"flash": 32769},
        {"arena": 16385},
        {"predictedInstructions": 4_000_001},
        {"arenaProven": False},
    ],
)
def test_each_bar_is_judged(change):
    console = Console(quiet=True)
    assert targets.held([ROW], console)
    assert not targets.held([ROW, ROW | change], console)


def test_without_leaves_it_takes_digits(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PETIOLE_DATASETS", str(tmp_path))
    settings.leaves.cache_clear()
    assert targets.setting().name == "digits"
    settings.leaves.cache_clear()


def test_targets_have_boards_and_are_valid():
    from petiole.api.student import Target

    for target in targets.TARGETS:
        assert Target.model_validate(target).core in targets.BOARDS
