"""The outcome of a simulation as a figure: who is exposed when, and how many in the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from petiole.simulation.assumptions import Assumptions
from petiole.simulation.run import Run

COLOURS = {"good": "#2f855a", "bad": "#c53030"}
_TICKS = {
    1: "1 s",
    10: "10 s",
    60: "1 min",
    600: "10 min",
    3600: "1 h",
    21600: "6 h",
    86400: "1 d",
    604800: "7 d",
}


def draw(file: Path, fleet: str, assumed: Assumptions, runs: Sequence[Run]) -> None:
    """Write the figure. Raises OSError, and ValueError for an unknown kind of file."""
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    figure.suptitle(f"{fleet}: {assumed.devices:,} simulated devices", x=0.01, ha="left")
    left, right = figure.subplots(1, 2)
    _courses(left, assumed, runs)
    _exposures(right, assumed, runs)
    figure.savefig(file, dpi=150)


def _courses(axes: Axes, assumed: Assumptions, runs: Sequence[Run]) -> None:
    """Each run is a line. Time is logarithmic: bad builds end in seconds, good ones in hours."""
    longest = max(run.over for run in runs)
    faint = max(0.15, 1.0 / max(1, len(runs)) ** 0.5)
    for run in runs:
        times = [max(seconds, 1.0) for seconds, _ in run.course]
        exposed = [max(number, 1) for _, number in run.course]
        axes.step(times, exposed, where="post", color=COLOURS[run.build], alpha=faint)
        if run.end != "Promoted":
            axes.plot(times[-1:], exposed[-1:], "x", color=COLOURS[run.build], markersize=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(list(_TICKS), list(_TICKS.values()))
    axes.minorticks_off()
    axes.set_xlim(1.0, max(60.0, 1.5 * longest))
    axes.set_title("Exposed over time; x: ended without promotion", loc="left", fontsize=10)
    axes.set_xlabel("time since the rollout began")
    axes.set_ylabel("devices that ever ran the build")
    _legend(axes, assumed)


def _exposures(axes: Axes, assumed: Assumptions, runs: Sequence[Run]) -> None:
    """Share of the runs that exposed at most so many."""
    for build, colour in COLOURS.items():
        exposed = sorted(max(run.exposed, 1) for run in runs if run.build == build)
        shares = [100.0 * (n + 1) / len(exposed) for n in range(len(exposed))]
        axes.step([exposed[0], *exposed], [0.0, *shares], where="post", color=colour)
    axes.set_xscale("log")
    axes.set_xlim(left=1.0, right=1.3 * assumed.devices)
    axes.set_ylim(0.0, 102.0)
    axes.set_title("Devices exposed in the end", loc="left", fontsize=10)
    axes.set_xlabel("devices that ever ran the build, at most")
    axes.set_ylabel("% of the runs")
    axes.axvline(assumed.devices, color="#9aa5b1", linestyle=":", linewidth=1)
    _legend(axes, assumed)


def _legend(axes: Axes, assumed: Assumptions) -> None:
    fails = {"good": assumed.good, "bad": assumed.bad}
    for build, colour in COLOURS.items():
        axes.plot([], [], color=colour, label=f"{build} build, {100.0 * fails[build]:g} % fail")
    axes.legend(fontsize=8, loc="best", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e4e7eb")
