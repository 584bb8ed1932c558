"""What agent and boot loader take on a Cortex-M4."""

from __future__ import annotations

import subprocess

from hack import sizes
from hack.testbed.processes import ROOT

from .section import Bar, Section

FIGURES = {
    (sizes.SMALL, "text"): "agentTextBytes",
    (sizes.AGENT, "text"): "agentTextBytesAsBuilt",
    (sizes.AGENT, "ram"): "agentRamBytes",
    (sizes.BOOT, "text"): "bootTextBytes",
}


def section(quick: bool) -> Section:
    """Build them; there is nothing to make quicker."""
    del quick
    command = ["make", "-C", ROOT / "firmware", "-s", "mps2", "small"]
    subprocess.run(command, check=True, timeout=600)
    now = sizes.built()
    rows, found = [], {}
    for (program, what), name in FIGURES.items():
        parts = now[program]["text"] if what == "text" else now[program]["ram"]
        found[name] = sum(parts.values())
        rows.append((f"{program} {what}", f"{found[name]:,}"))
        rows += [
            (f"  {part}", f"{size:,}") for part, size in sorted(parts.items(), key=lambda p: -p[1])
        ]
    return Section(
        "bytes on a Cortex-M4, without the model, its arena, buffers and the stack",
        figures=dict(found),
        columns=("part", "bytes"),
        rows=rows,
        bars=[
            Bar(f"bytes of {limit.what}: {limit.program}", found[name], limit.most)
            for limit in sizes.LIMITS
            if (name := FIGURES.get((limit.program, limit.what)))
        ],
    )
