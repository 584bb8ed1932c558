"""Exposure against wrong stops, and against time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    at = {(r["rule"], r["scenario"]): r for r in rows}
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    swept = [r for r in rows if r["scenario"].startswith("bad-10-at-")]
    for rule, style in (("petiole", "o-"), ("optimum", "x--")):
        own = [r for r in swept if r["rule"] == rule]
        wrong, exposed = [r["goodStoppedPercent"] for r in own], [r["exposedMean"] for r in own]
        left.plot(wrong, exposed, style, label=rule)
    for rule in ("hawkbit", "aws", "flightctl", "sprt"):
        wrong, bad = at[rule, "good-1"]["stoppedPercent"], at[rule, "bad-10"]
        left.plot(wrong, bad["exposedMean"], "s")
        words = f"{rule}: {bad['stoppedPercent']:.0f} % stopped"
        left.annotate(words, (wrong, bad["exposedMean"]), (4, 4), textcoords="offset points")
    left.set_xscale("symlog", linthresh=1.0)
    left.set_xlim(left=0.0, right=200.0)
    left.set(xlabel="good builds (1 %) stopped, %", ylabel="devices exposed to a bad build (10 %)")
    left.set_title("Cohort of 100, one device at a time")
    left.legend()
    paces = [r for r in rows if r["scenario"].startswith("pace-")]
    right.plot([r["minutes"] for r in paces], [r["exposedMean"] for r in paces], "o-")
    for r in paces:
        words = f"{r['scenario'].split('-')[1]} in flight"
        right.annotate(words, (r["minutes"], r["exposedMean"]), (6, 4), textcoords="offset points")
    right.set_xscale("log")
    right.set_xlim(0.8, 250.0)
    right.set(xlabel="minutes until the stop", ylabel="devices exposed to a bad build (10 %)")
    right.set_title("The canary's pace trades time for exposure")
    figure.savefig(path, dpi=130)
    plt.close(figure)
