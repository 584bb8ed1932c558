"""The results as a picture: speed, CPU, and devices exposed to a bad build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .figures import Figures, figure

_COLOURS = {"goosebit": "#b0a08a", "hawkbit": "#7f93b2", "petiole": "#3f8f5f"}


def draw(results: Mapping[str, Figures], file: Path) -> None:
    """Write a PNG; peers that were not run are left out."""
    figure_, (speed, cpu, exposed) = pyplot.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    _grouped(speed, results, "devicesPerSecond", "devices", log=True)
    speed.set_title("devices/s")
    peers = [p for p in results if figure(results, p, "serverCpuMsPerDevice") is not None]
    values = [figure(results, p, "serverCpuMsPerDevice") or 0.0 for p in peers]
    bars = cpu.bar(peers, values, color=[_COLOURS[p] for p in peers])
    cpu.bar_label(bars, fmt="%.3g")
    _scale(cpu, log=True)
    cpu.set_title("server CPU ms a device")
    _grouped(exposed, results, "exposed", "% of devices failing", log=False)
    exposed.set_title("devices exposed")
    patches = [Patch(color=_COLOURS[peer], label=peer) for peer in results]
    figure_.legend(handles=patches, loc="outside right center")
    figure_.savefig(file, dpi=120)
    pyplot.close(figure_)


def _grouped(
    axes: Axes, results: Mapping[str, Figures], field: str, label: str, *, log: bool
) -> None:
    """One group of bars a key of ``field``, one bar a peer."""
    keys = sorted({k for found in results.values() for k in found.get(field, {})}, key=float)
    width = 0.8 / max(len(results), 1)
    for place, peer in enumerate(results):
        values = [figure(results, peer, field, key) for key in keys]
        at = [index + place * width for index, value in enumerate(values) if value is not None]
        heights = [value for value in values if value is not None]
        bars = axes.bar(at, heights, width, color=_COLOURS[peer])
        axes.bar_label(bars, fmt="%.3g", fontsize=8)
    axes.set_xticks([i + width * (len(results) - 1) / 2 for i in range(len(keys))], keys)
    axes.set_xlabel(label)
    _scale(axes, log=log)


def _scale(axes: Axes, *, log: bool) -> None:
    """Leave room for the numbers above the bars; a logarithmic axis begins at 1."""
    if log and axes.dataLim.y1 > 1:
        axes.set_yscale("log")
        axes.set_ylim(1, 2 * axes.dataLim.y1)
    else:
        axes.margins(y=0.15)
