"""Each fuzz target for a moment; ``make fuzz`` runs them ten million times."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hack.testbed.processes import ROOT

FUZZ = ROOT / "firmware" / "fuzz"
BUILT = Path(os.environ.get("BUILD", ROOT / "build" / "firmware")) / "fuzz"
RUNS = 20_000
NAMES = sorted(path.stem for path in FUZZ.glob("fuzz_*.c"))


@pytest.fixture(scope="module")
def programs(made: Callable[[str], None]) -> None:
    made("fuzz-programs")


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_comes_breaks_a_parser(name: str, tmp_path: Path) -> None:
    corpus = FUZZ / "corpus" / name.removeprefix("fuzz_")
    assert list(corpus.iterdir()), f"{corpus} has no seed to start from"
    done = subprocess.run(
        [
            BUILT / name, f"-runs={RUNS}", "-seed=1", "-max_len=4096", "-timeout=20",
            f"-artifact_prefix={tmp_path}/", tmp_path, corpus,
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"Done {RUNS} runs" in done.stderr


def test_corpora_stay_small() -> None:
    files = [path for path in (FUZZ / "corpus").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 256 * 1024
