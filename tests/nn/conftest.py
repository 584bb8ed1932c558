"""The generated networks, made once and kept below build/ until their source changes."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from hack.testbed.exactness import ROOT
from tests.nn import nets


def _generate(folder: Path) -> None:
    """Write into another folder first: two test runs may be at it at once."""
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    made = subprocess.run(
        [sys.executable, "-m", "tests.nn.nets", str(partial)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert made.returncode == 0, made.stderr[-2000:]
    try:
        partial.rename(folder)
    except OSError:  # the other one was faster
        shutil.rmtree(partial)


@pytest.fixture(scope="session")
def models() -> Mapping[str, bytes]:
    """The `.tflite` file of each network of ``nets``."""
    digest = hashlib.sha256(Path(nets.__file__).read_bytes()).hexdigest()[:12]
    folder = ROOT / "build" / "tests" / "nn" / digest
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _generate(folder)
    return {name: (folder / f"{name}.tflite").read_bytes() for name in nets.NETS}
