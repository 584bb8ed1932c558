"""Figures that tests find: a bench plays them instead of measuring the same thing another way."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.testbed.processes import ROOT


@dataclass(frozen=True)
class Played:
    """How tests ended, and the numbers that they recorded, by name."""

    passed: int
    failed: int
    skipped: int
    recorded: Mapping[str, Sequence[int]]


def play(*tests: str, seconds: float) -> Played:
    """Run tests of pytest, long ones too. Raises RuntimeError when none of them was found."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = (sys.executable, "-m", "pytest", "-q", "-m", "long or not long", *tests)
        limits = ("--timeout", str(seconds), "--junitxml", str(report))
        done = subprocess.run(
            (*command, *limits),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if not report.exists():
            raise RuntimeError(f"pytest did not run {', '.join(tests)}:\n{done.stdout}")
        cases = list(ElementTree.parse(report).iter("testcase"))
    if not cases:
        raise RuntimeError(f"there are no such tests: {', '.join(tests)}")
    recorded: dict[str, list[int]] = defaultdict(list)
    for case in cases:
        for found in case.iter("property"):
            recorded[found.attrib["name"]].append(int(found.attrib["value"]))
    failed = sum(
        any(case.find(word) is not None for word in ("failure", "error")) for case in cases
    )
    skipped = sum(case.find("skipped") is not None for case in cases)
    return Played(len(cases) - failed - skipped, failed, skipped, recorded)
