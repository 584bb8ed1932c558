"""False alarms against the asked rate, and windows until a shift is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def draw(report: dict[str, Any], path: Path) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    rows = report["falseAlarms"]
    names = [f"{r['scenario']}, {r['asked']} a year" for r in rows]
    for at, r in enumerate(rows):
        scale = 1.0 / r["asked"]
        left.plot([r["low"] * scale, r["high"] * scale], [at, at], color="tab:blue")
        left.plot(r["perFleetYear"] * scale, at, "o", color="tab:blue")
    left.axvline(1.0, color="tab:red", linewidth=1)
    left.set_yticks(range(len(names)), names, fontsize=7)
    left.set_xlabel("false alarms, in multiples of what was asked (95 % interval)")
    left.set_title("Fleets without drift")
    delays = report["delays"]
    for rule in delays[0]["rules"]:
        found = [(n, r["rules"][rule]["median"]) for n, r in enumerate(delays)]
        known = [(n, late) for n, late in found if late is not None]
        right.plot([n for n, _ in known], [late for _, late in known], "o-", label=rule)
    right.axhline(3.0, color="grey", linewidth=1, linestyle=":")
    right.set_xticks(range(len(delays)), [r["scenario"] for r in delays], rotation=40, fontsize=7)
    right.set_yscale("log")
    right.set(ylabel="windows until found, median of those found", title="Devices x inferences")
    right.legend(fontsize=7)
    figure.savefig(path, dpi=130)
    plt.close(figure)
