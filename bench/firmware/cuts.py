"""Power cuts in every flash operation of a board's updates, in QEMU.

``python -m bench.firmware.cuts``: what ``tests/firmware/test_power.py`` tries, as figures. Minutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass
from pathlib import Path

from hack.testbed.processes import ROOT

_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Cuts:
    """``tried`` operations in which power failed; in ``bricked`` runs it did not end well."""

    tried: int
    bricked: int


def measure() -> Cuts:
    """Cut the power once in each operation of an update of firmware and of a model.

    A sweep ends with its first failure: then ``tried`` is what it wanted to try. RuntimeError when
    a sweep did not begin.
    """
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = ["-m", "pytest", "-q", "-m", "long", "tests/firmware/test_power.py"]
        done = subprocess.run(
            [sys.executable, *command, f"--timeout={_SECONDS}", f"--junitxml={results}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=2 * _SECONDS,
            check=False,
        )
        cases = list(ET.parse(results).iter("testcase")) if results.exists() else []
    tried = [int(p.get("value", 0)) for case in cases for p in case.iter("property")]
    if not tried or len(tried) < len(cases):
        raise RuntimeError(f"no power was cut:\n{done.stdout[-2000:]}")
    bricked = sum(case.find("failure") is not None for case in cases)
    return Cuts(sum(tried), bricked)


def main() -> None:
    print(json.dumps(asdict(measure())))


if __name__ == "__main__":
    main()
