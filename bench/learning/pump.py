"""Anomalies of a real pump, scored as a device scores them; nothing is chosen on the tested run.

    python -m bench.learning --only pump

Each run is a machine of its own: its first minute sets the scale of its sensors, its first 400 s
are what its device learns from, the rest is tested, second by second. What a learning round does
with a pool (``petiole_pipelines.detect``) is done without the tested run: the reach of a byte, the
sensors that wander, the autoencoder, and the choice of detector, threshold and release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from petiole.learning import anomaly
from petiole_pipelines import detectors
from petiole_pipelines.detectors import Commissioning, Detector, Networks, Option
from petiole_pipelines.runs import Run

from . import skab
from .figures import OUTPUT, keep

WIDTH = 40  # seconds of a window
FIRST = 60  # seconds that set the scale
REACHES = (8.0, 16.0, 32.0, 64.0)  # spreads that a byte may reach to each side
BEYOND = 0.001  # share of commissioning readings that may lie beyond it
FOLDS = 7  # of runs: an autoencoder is fitted without a fold, and tried on it
AIM, BAR = 0.09, 0.10  # share of false alarms: asked of the choice, so that the bar holds
F1_BAR = 0.80
# Rows of SKAB's README: F1, percent of false alarms and of missed seconds.
PUBLISHED = {
    "Conv-AE": (0.78, 14, 28),
    "T-squared": (0.66, 19, 43),
    "isolation forest": (0.29, 3, 83),
}

Tell = Callable[[str], None]


def section(console: Console) -> bool:
    """Measure, show and keep the figures; say whether the bars are held.

    Raises AbsentError without the data set.
    """
    figures = measure(console.print)
    show(console, figures)
    keep({"pump": figures})
    draw(figures, OUTPUT / "pump.png")
    return held(console, figures)


def reach(runs: Sequence[Run]) -> float:
    """Choose the finest scale that holds what commissioning of these runs shows."""
    for spreads in REACHES:
        ends = [np.isin(_bytes(run, spreads), (0, 255)).mean() for run in runs]
        if np.mean(ends) <= BEYOND:
            return spreads
    return REACHES[-1]


def _bytes(run: Run, spreads: float) -> anomaly.Bytes:
    early = run.readings[: skab.COMMISSIONING]
    return anomaly.Scale.of(early[:FIRST], spreads).bytes(early[FIRST:])


@dataclass(slots=True)
class Trials:
    """What detectors do on all runs. What nothing is fitted for is tried once for each reach."""

    runs: Sequence[Run]
    tell: Tell
    _known: dict[tuple[float, Detector], anomaly.Counts] = field(default_factory=dict)

    def without(self, group: NDArray[np.bool_]) -> Pool:
        """Fit a pool to the runs outside of ``group`` [runs], and try it on all of them."""
        outside = [run for run, inside in zip(self.runs, group, strict=True) if not inside]
        commissioning = Commissioning(WIDTH, FIRST, reach(outside), skab.COMMISSIONING)
        networks = Networks(
            (WIDTH, skab.CHANNELS), detectors.normal_windows(outside, commissioning)
        )
        found = detectors.pool(WIDTH, detectors.wandering(outside, commissioning))
        counts = [self._counts(networks, detector, commissioning) for detector in found]
        return Pool(commissioning, networks, detectors.options(found), np.concatenate(counts))

    def _counts(
        self, networks: Networks, detector: Detector, commissioning: Commissioning
    ) -> anomaly.Counts:
        key = (commissioning.reach, detector)
        if key in self._known:
            return self._known[key]
        self.tell(f"trying {detector}, {commissioning.reach:g} spreads")
        each = [detectors.tried(networks, (detector,), run, commissioning) for run in self.runs]
        counts = np.stack(each, axis=1)
        if not detector.fitted:
            self._known[key] = counts
        return counts


@dataclass(frozen=True, slots=True)
class Pool:
    """A fitted pool, and what each option does on every run: counts [options, runs, 4]."""

    commissioning: Commissioning
    networks: Networks
    options: tuple[Option, ...]
    counts: anomaly.Counts

    def chosen(self, row: int, others: NDArray[np.bool_]) -> Row:
        """Choose on ``others`` [runs] and try it on run ``row``; silence where none may be."""
        choice = anomaly.choose(self.counts[:, others], AIM)
        if choice is None:
            truth = self.counts[0, row]
            silent = np.array([0, 0, truth[0] + truth[2], truth[1] + truth[3]])
            return Row(None, silent)
        return Row(self.options[choice.option], self.counts[choice.option, row])

    def drifted(self, run: Run, option: Option | None) -> bool:
        """Whether what is usual moved while a run's device learned it."""
        if option is None:
            return False
        x, inputs = self.commissioning.windows(run), self.commissioning.inputs
        return detectors.restless(self.networks, option, x, inputs, BAR)


@dataclass(frozen=True, slots=True)
class Row:
    """What a tested run was tested with, and how that went: counts [4]."""

    option: Option | None
    counts: anomaly.Counts


def measure(tell: Tell = print) -> dict[str, Any]:
    """Return figures over all runs, and of each run with the option it was tested with.

    Raises AbsentError without the data set.
    """
    runs = skab.load()
    trials = Trials(runs, tell)
    folds = np.arange(len(runs)) % FOLDS
    beds = np.array([run.group for run in runs])
    alone = left_out(trials, folds, one_by_one=True)
    return alone | {"leaveBedsOut": left_out(trials, beds, one_by_one=False)}


def left_out(trials: Trials, groups: NDArray[Any], *, one_by_one: bool) -> dict[str, Any]:
    """Test each run with what was fitted without its group, chosen without it or its group."""
    rows = dict(_left_out(trials, groups, one_by_one=one_by_one))
    total = np.sum([row["counts"] for row in rows.values()], axis=0)
    per_run = []
    for _, row in sorted(rows.items()):
        counts = row.pop("counts")
        per_run.append({"run": row.pop("run"), **shares(counts), **row})
    return shares(total) | {
        "reaches": sorted({row.pop("reach") for row in per_run}),
        "perRun": per_run,
    }


def _left_out(
    trials: Trials, groups: NDArray[Any], *, one_by_one: bool
) -> Iterator[tuple[int, dict[str, Any]]]:
    for group in np.unique(groups):
        inside = groups == group
        pool = trials.without(inside)
        for row in np.flatnonzero(inside):
            others = np.arange(len(groups)) != row if one_by_one else ~inside
            found, run = pool.chosen(row, others), trials.runs[row]
            yield (
                int(row),
                {
                    "run": run.name,
                    "counts": found.counts,
                    "reach": pool.commissioning.reach,
                    "option": "none" if found.option is None else str(found.option),
                    "baselineDrifted": pool.drifted(run, found.option),
                },
            )


def shares(counts: anomaly.Counts) -> dict[str, float]:
    """F1 0..1, and percents of false alarms and of missed seconds."""
    found = detectors.shares(counts)
    return {
        "f1": found["f1"],
        "falseAlarmPercent": round(100 * found["falseAlarms"], 2),
        "missedPercent": round(100 * found["missed"], 2),
    }


def show(console: Console, figures: dict[str, Any]) -> None:
    table = Table("run", "F1", "false alarms %", "missed %", "moved", "chosen on the others")
    for run in figures["perRun"]:
        moved = "yes" if run["baselineDrifted"] else ""
        table.add_row(run["run"], *_cells(run), moved, run["option"])
    table.add_section()
    table.add_row("other runs choose", *_cells(figures))
    table.add_row("other test bed chooses", *_cells(figures["leaveBedsOut"]))
    for name, published in PUBLISHED.items():
        table.add_row(f"published: {name}", *(str(cell) for cell in published))
    console.print(table)


def _cells(figures: dict[str, Any]) -> tuple[str, str, str]:
    keys = ("f1", "falseAlarmPercent", "missedPercent")
    f1, wrong, missed = (figures[key] for key in keys)
    return f"{f1:.3f}", f"{wrong:.1f}", f"{missed:.1f}"


def held(console: Console, figures: dict[str, Any]) -> bool:
    """Whether the bars are held."""
    f1, wrong = figures["f1"], figures["falseAlarmPercent"]
    good = bool(f1 >= F1_BAR and wrong <= 100 * BAR)
    console.print(
        f"{'held' if good else 'MISSED'}: pump F1 {f1} (bar {F1_BAR}) at {wrong} % false alarms "
        f"(bar {100 * BAR:.0f} %)"
    )
    return good


def draw(figures: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    runs = figures["perRun"]
    at: NDArray[np.int64] = np.arange(len(runs))
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(10, 5), sharex=True, layout="constrained")
    other = figures["leaveBedsOut"]["perRun"]
    for axis, key in ((top, "f1"), (bottom, "falseAlarmPercent")):
        axis.bar(at - 0.2, [run[key] for run in runs], 0.4, label="other runs choose")
        axis.bar(at + 0.2, [run[key] for run in other], 0.4, label="other test bed chooses")
    top.axhline(F1_BAR, color="black", linewidth=0.8)
    top.set(ylabel="F1", ylim=(0, 1), title="Pump: each run with what others chose")
    top.legend()
    bottom.axhline(100 * BAR, color="black", linewidth=0.8)
    bottom.set(ylabel="false alarms, %")
    bottom.set_xticks(at, [run["run"] for run in runs], rotation=90)
    figure.savefig(path, dpi=130)
    plt.close(figure)
