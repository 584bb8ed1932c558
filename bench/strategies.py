"""How many labels each strategy needs on digits until the teacher is nearly as good as with all.

``python -m bench.strategies --seeds 100 101 ... --out build/bench/strategies.jsonl`` adds a line a
seed and strategy, and goes on where it was stopped; ``--table`` prints what the file has. A split
of its own for each seed, features fitted on the pool alone, no share by chance; nothing is tuned.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.labels import open_bench
from petiole.learning.strategies import STRATEGIES, Choice, Pool, select
from petiole_pipelines.reference import Bench

BATCH, WITHIN = 20, 0.01


def curve(bench: Bench, strategy: str, seed: int, most: int) -> list[float]:
    """Accuracy of the teacher on the evaluation set after each batch."""
    labelled = np.zeros(len(bench.samples.y), dtype=np.bool_)
    answers, reached = bench.teach(np.flatnonzero(labelled)), []
    while labelled.sum() < most:
        pool = Pool(bench.samples.features, answers.samples, labelled)
        generator = np.random.default_rng([seed, int(labelled.sum())])
        labelled[[query.row for query in select(pool, Choice(strategy, BATCH), generator)]] = True
        answers = bench.teach(np.flatnonzero(labelled))
        reached.append(bench.teacher_accuracy(answers))
    return reached


def needed(line: dict[str, Any]) -> float:
    """Labels from which on the teacher stays within a point of the full one; inf for never."""
    good = np.array(line["curve"]) >= line["full"] - WITHIN
    last_bad = np.flatnonzero(~good).max(initial=-1)
    return float("inf") if last_bad == len(good) - 1 else BATCH * (last_bad + 2)


def measure(seeds: list[int], most: int, out: Path) -> None:
    done = {(line["seed"], line["strategy"]) for line in read(out)}
    out.parent.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        left = [name for name in STRATEGIES if (seed, name) not in done]
        if not left:
            continue
        bench = open_bench(seed)
        full = bench.teacher_accuracy(bench.teach(np.arange(len(bench.samples.y))))
        for name in left:
            line = {"seed": seed, "strategy": name, "pool": len(bench.samples.y), "full": full}
            line |= {"curve": curve(bench, name, seed, most)}
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(f"seed {seed} {name}: {needed(line):g} labels", flush=True)


def read(out: Path) -> list[dict[str, Any]]:
    if not out.exists():
        return []
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def table(lines: list[dict[str, Any]]) -> str:
    """Median and worst labels needed, and mean accuracies, as Markdown."""
    by_name = defaultdict(list)
    for line in lines:
        by_name[line["strategy"]].append(line)
    rows = [
        "| strategy | seeds | labels, median | worst | at 20 | at 60 | at 120 |",
        "|" + " --- |" * 7,
    ]
    for name in STRATEGIES:
        found = by_name[name]
        if not found:
            continue
        labels = [needed(line) for line in found]
        mean = np.mean([line["curve"] for line in found], axis=0)
        shown = " | ".join(f"{100 * mean[at // BATCH - 1]:.1f}" for at in (20, 60, 120))
        worst = f"{max(labels):g}".replace("inf", f"> {BATCH * len(mean)}")
        median = f"{np.median(labels):g}".replace("inf", f"> {BATCH * len(mean)}")
        rows.append(f"| `{name}` | {len(found)} | {median} | {worst} | {shown} |")
    full = np.mean([line["full"] for line in lines])
    return "\n".join([*rows, f"\nAll labels: {100 * full:.1f}"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.strategies", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(100, 110)))
    parser.add_argument("--most", type=int, default=240, help="labels at which a curve ends")
    parser.add_argument("--out", type=Path, default=Path("build/bench/strategies.jsonl"))
    parser.add_argument("--table", action="store_true", help="print the table only")
    given = parser.parse_args()
    if not given.table:
        measure(given.seeds, given.most, given.out)
    print(table(read(given.out)))


if __name__ == "__main__":
    main()
