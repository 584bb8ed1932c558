"""What ten thousand device cores take in one process."""

from __future__ import annotations

import json

from hack.testbed.processes import ROOT

from .played import play
from .section import Bar, Section

TEST = "tests/firmware/test_many.py::test_a_fleet_starts_soon_idles_cheaply_and_updates"
MOST = 60.0  # MiB


def section(quick: bool) -> Section:
    """Start a fleet, let it idle, update it; ``quick``: a thousand devices."""
    count = 1_000 if quick else 10_000
    done = play(f"{TEST}[{count}]" if quick else TEST, seconds=900)
    figures = ROOT / "build" / "bench" / f"devices-{count}.json"
    found: dict[str, float] = json.loads(figures.read_text())
    return Section(
        f"{count:,} devices in one process",
        figures={"tenThousandDevicesMiB": found["idle_mebibytes"]} if not quick else {},
        columns=("what", "measured"),
        rows=[(name.replace("_", " "), f"{value:g}") for name, value in found.items()],
        bars=[
            Bar("tests that failed", done.failed, 0),
            Bar("MiB while they idle", found["idle_mebibytes"], MOST),
        ],
    )
