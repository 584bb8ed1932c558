"""How many labels are saved on digits: rounds of queries against all labels and against chance.

``python -m bench.labels --seeds 100 101 102 103 104 --spend 120``: a split of its own for each seed
(the demo's split is another one). Prints a line a seed, as int8 accuracy on the evaluation set.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from hack.demo import data
from petiole.learning import strategies
from petiole_pipelines.dataset import Task
from petiole_pipelines.reference import Bench, read_truth

BATCH, RANDOM_SHARE = 20, 0.1
TARGETS = (
    {"name": "cortex-m4", "flash": "64Ki", "arena": "16Ki"},
    {"name": "cortex-m0", "flash": "16Ki", "arena": "4Ki"},
)


def open_bench(seed: int) -> Bench:
    with tempfile.TemporaryDirectory() as folder:
        prepared = data.prepare(Path(folder), seed)
        truth = read_truth(prepared.labels_path)
        task = Task(data.LABELS, (8, 8, 1))
        return Bench.open(prepared.pool_uri, prepared.evaluation_uri, truth, task)


def ask(bench: Bench, spend: int, strategy: str, seed: int) -> np.ndarray:
    """Rows asked by a strategy in batches until ``spend`` labels are known."""
    labelled = np.zeros(len(bench.samples.y), dtype=np.bool_)
    while labelled.sum() < spend:
        answers = bench.teach(np.flatnonzero(labelled))
        pool = strategies.Pool(bench.samples.features, answers.samples, labelled)
        count = min(BATCH, spend - int(labelled.sum()))
        choice = strategies.Choice(strategy, count, RANDOM_SHARE)
        generator = np.random.default_rng([seed, int(labelled.sum())])
        queries = strategies.select(pool, choice, generator)
        labelled[[query.row for query in queries]] = True
    return np.flatnonzero(labelled)


def measure(seed: int, spend: int, targets: tuple[dict[str, str], ...]) -> dict[str, object]:
    bench = open_bench(seed)
    everything = np.arange(len(bench.samples.y))
    arms = {
        "asked": ask(bench, spend, "TypiClustThenMargin", seed),
        "random": ask(bench, spend, "Random", seed),
        "full": everything,
    }
    taught = {arm: bench.teach(rows) for arm, rows in arms.items()}
    line: dict[str, object] = {"seed": seed, "spend": spend, "pool": len(everything)}
    for arm, answers in taught.items():
        line[f"teacher-{arm}"] = round(bench.teacher_accuracy(answers), 4)
        for target in targets:
            accuracy = bench.student_accuracy(answers, target, seed=0)
            line[f"{target['name']}-{arm}"] = round(accuracy, 4)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.labels", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[100, 101, 102, 103, 104])
    parser.add_argument("--spend", type=int, default=120)
    parser.add_argument("--targets", nargs="+", default=[t["name"] for t in TARGETS])
    given = parser.parse_args()
    targets = tuple(target for target in TARGETS if target["name"] in given.targets)
    for seed in given.seeds:
        print(json.dumps(measure(seed, given.spend, targets)), flush=True)


if __name__ == "__main__":
    main()
