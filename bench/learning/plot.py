"""Accuracy over labels, asked and by chance, one panel a setting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def draw(summaries: Mapping[str, Any], path: Path) -> None:
    figure, axes = plt.subplots(
        1, len(summaries), figsize=(4.2 * len(summaries), 3.8), layout="constrained", squeeze=False
    )
    for axis, (name, summary) in zip(axes[0], summaries.items(), strict=True):
        for arm, colour in (("asked", "tab:green"), ("random", "tab:gray")):
            for row in summary["perSeed"]:
                labels = [result["labels"] for result in row[arm]]
                lost = [100 * (result["accuracy"] - row["full"]) for result in row[arm]]
                axis.plot(labels, lost, "o-", color=colour, alpha=0.4, markersize=3)
            axis.plot([], [], "o-", color=colour, label=arm)
        axis.axhline(-1, color="black", linewidth=0.8, linestyle="--")
        axis.set(title=name, xlabel="labels", ylabel="points above the student with all labels")
        axis.legend()
    figure.savefig(path, dpi=130)
    plt.close(figure)
