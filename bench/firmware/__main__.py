"""``python -m bench.firmware``: all figures of the device agent, as tables and as JSON.

Instruction counts, bytes and runs are exact; seconds are of this machine and are measured with
QEMU pinned to a core. Exit status 1 when a bar is missed, 2 when a section could not run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from . import cuts, devices, exact, kernels, memory, patches, sizes, updates
from .section import Section

OUTPUT = Path("build/bench")
WIDTH = 110

SECTIONS: Mapping[str, Callable[[bool], Section]] = {
    "exact": exact.section,
    "kernels": kernels.section,
    "memory": memory.section,
    "cuts": cuts.section,
    "updates": updates.section,
    "patches": patches.section,
    "sizes": sizes.section,
    "devices": devices.section,
}


def show(console: Console, section: Section) -> None:
    if section.skipped:
        console.print(f"{section.title}: skipped: {section.skipped}")
        return
    console.print(section.table())
    for bar in section.bars:
        sign = ">=" if bar.least else "<="
        word = "held  " if bar.held else "MISSED"
        console.print(f"{word} {bar.words}: {bar.value:g} ({sign} {bar.bound:g})")
    for note in section.notes:
        console.print(f"note: {note}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="fewer inputs, cuts and repeats")
    given = parser.parse_args()
    console, began = Console(width=WIDTH), time.monotonic()
    report: dict[str, Any] = {}
    sections = []
    for name in given.only:
        console.print(f"[dim]{time.monotonic() - began:6.0f} s {name}[/dim]")
        section = SECTIONS[name](given.quick)
        sections.append(section)
        report |= section.figures
        show(console, section)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "firmware.json").write_text(json.dumps(report, indent=1) + "\n")
    console.print(f"{time.monotonic() - began:.0f} s; {OUTPUT}/firmware.json")
    if not all(bar.held for section in sections for bar in section.bars):
        return 1
    return 2 if any(section.skipped for section in sections) else 0


if __name__ == "__main__":
    sys.exit(main())
