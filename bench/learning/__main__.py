"""``python -m bench.learning``: labels that the int8 student needs to stay within a point.

Of the same student with all labels, on splits by seed; the random arm beside it. ``targets``: the
networks that are found for three device classes, and what they take there. Every result is kept
below build/bench/learning as soon as it is there: started again, the bench goes on. Exit status 1
when a bar is missed; settings whose data are absent are named and left out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from rich.console import Console
from rich.table import Table

from . import drift, plot, pump, targets, work
from .figures import OUTPUT, keep
from .kept import ending
from .saved import summary
from .settings import SETTINGS, AbsentError

# Least percent of labels saved: on average, and in every seed.
BARS = {"leaves": (93.0, 87.0), "leavesAugmented": (93.0, 87.0), "leavesIncremental": (91.0, 0.0)}
SEEDS = 10
# Beside the settings: each shows, keeps and judges its own; the number are steps to try it with.
SECTIONS: dict[str, Callable[[Console, int | None], bool]] = {
    "drift": lambda console, _: drift.section(console),
    "pump": lambda console, _: pump.section(console),
    "targets": targets.section,
}


def run(given: argparse.Namespace, console: Console) -> Iterator[tuple[str, dict[str, Any]]]:
    """Measure setting by setting; yield each with its summary."""
    with ending(work.pool(given.workers)) as pool:
        for name in given.only:
            if name not in SETTINGS:
                continue
            try:
                yield name, measured(pool, name, given, console)
            except AbsentError as error:
                console.print(f"left out: {name}: {error}", soft_wrap=True)


def sections(given: argparse.Namespace, console: Console) -> Iterator[bool]:
    """Measure the sections one after another; yield of each whether its bars are held."""
    for name in given.only:
        if name not in SECTIONS:
            continue
        try:
            yield SECTIONS[name](console, given.steps)
        except AbsentError as error:
            console.print(f"left out: {name}: {error}", soft_wrap=True)


def measured(
    pool: ProcessPoolExecutor, name: str, given: argparse.Namespace, console: Console
) -> dict[str, Any]:
    pool.submit(work.describe, name).result()
    seeds = range(given.seeds)
    jobs = [pool.submit(work.measured, name, number, given.steps) for number in seeds]
    rows = []
    for job in as_completed(jobs):
        rows.append(row := job.result())
        words = (
            f"{row['labels']} of {row['pool']} labels" if row["labels"] else "not to the horizon"
        )
        console.print(f"{name} seed {row['seed']}: {words}; {len(rows)} of {len(jobs)} seeds done")
    return summary(sorted(rows, key=lambda row: int(row["seed"])))


def show(console: Console, found: dict[str, Any]) -> None:
    table = Table("setting", "seeds", "pool", "labels", "saved %", "95 %", "worst", "full", "asked",
                  "random")  # fmt: skip
    for name, row in found.items():
        low, high = row["savedPercentInterval"] or ("-", "-")
        accuracies = (100 * row[key] for key in ("fullAccuracy", "accuracy", "randomAccuracy"))
        table.add_row(
            name,
            str(row["seeds"]),
            f"{row['pool']:.0f}",
            f"{row['labelsMean']:.0f}",
            f"{row['savedPercentMean']:.1f}",
            f"{low} to {high}",
            f"{row['savedPercentWorst']:.1f}",
            *(f"{accuracy:.2f}" for accuracy in accuracies),
        )
    console.print(table)


def judged(console: Console, found: dict[str, Any]) -> bool:
    """Whether every bar of the settings that were run is held."""
    held = True
    for name, (mean, worst) in BARS.items():
        if name not in found:
            continue
        row = found[name]
        good = row["savedPercentMean"] >= mean and row["savedPercentWorst"] > worst
        held = held and good
        console.print(
            f"{'held' if good else 'MISSED'}: {name} saves {row['savedPercentMean']} % on average"
            f" (bar {mean}), {row['savedPercentWorst']} % in its worst seed (bar {worst})"
        )
    return held


def write(found: dict[str, Any]) -> None:
    """Put these settings beside what was found before."""
    written = keep(found)
    drawn = {name: written[name] for name in SETTINGS if name in written}
    plot.draw(drawn, OUTPUT / "learning.png")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.learning", description=__doc__)
    every = [*SETTINGS, *SECTIONS]
    parser.add_argument("--only", choices=every, nargs="+", default=every)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="seeds side by side, a core each"
    )
    parser.add_argument(
        "--steps", type=int, help="train so many only, to try; such results are not kept as figures"
    )
    given = parser.parse_args()
    console = Console(width=130)
    bars = list(sections(given, console))
    found = {}
    for name, measures in run(given, console):
        found[name] = measures
        if given.steps is None:
            write({name: measures})
    if not found:
        return 0 if bars and all(bars) else 1
    show(console, found)
    if given.steps is not None:
        console.print("tried with few steps: no figures, no bars")
        return 0
    return 0 if judged(console, found) and all(bars) else 1


if __name__ == "__main__":
    sys.exit(main())
