"""What the labels saved are measured against: all labels, and as many labels by chance.

``python -m petiole_pipelines.reference --pool-uri ... --out FILE`` trains the same students by the
same recipe as a learning round does. It makes itself a low-priority process.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import dataset, judge, student
from .dataset import Labels, Task
from .features import extract
from .fit import widest
from .steps import AnswerFile, SampleFile, lesson
from .store import Store
from .teacher import Answers, teach

CURVE_DRAWS = 5  # random label sets that a point of the curve is the mean of


@dataclass(frozen=True, slots=True)
class Bench:
    """A pool with all its true labels, and the frozen evaluation set."""

    samples: SampleFile  # y holds every label
    task: Task

    @staticmethod
    def open(
        pool_uri: str,
        evaluation_uri: str,
        truth: Mapping[str, str],
        task: Task,
        *,
        features: str = "Kernel",
        store: Store | None = None,
    ) -> Bench:
        """Read the sets; ``truth`` holds the label of every pool id.

        Slow descriptions are read from the store, where a round has kept them.
        """
        found = dataset.read_set(pool_uri, task, "pool")
        x, ids = found.x, found.ids
        evaluation = dataset.read_evaluation(evaluation_uri, task)
        pool_features, others = extract(features, x, [evaluation.x], seed=0, store=store)
        nothing = np.zeros(len(x), dtype=np.bool_)
        nobody = np.full(len(x), "")
        pool = dataset.Samples(x, ids, field=nothing, chance=nothing, device=nobody)
        samples = SampleFile(
            x=x,
            ids=np.array(ids),
            y=dataset.numbered(pool, truth, task),
            field=nothing,
            chance=nothing,
            device=nobody,
            features=pool_features,
            evaluation_x=evaluation.x,
            evaluation_y=evaluation.y,
            evaluation_features=others,
        )
        return Bench(samples, task)

    def teach(self, rows: NDArray[np.int64]) -> Answers:
        """Let a teacher learn from the labels of these rows."""
        y: Labels = np.full(len(self.samples.y), -1, dtype=np.int64)
        y[rows] = self.samples.y[rows]
        classes = len(self.task.labels)
        return teach(self.samples.features, y, classes, self.samples.evaluation_features)

    def teacher_accuracy(self, answers: Answers) -> float:
        return float((answers.others.argmax(1) == self.samples.evaluation_y).mean())

    def student_accuracy(self, answers: Answers, target: Mapping[str, Any], seed: int) -> float:
        """Train this target's student from the answers; judge it as int8."""
        taught = AnswerFile(answers.samples, np.array(self.teacher_accuracy(answers)))
        architecture, _ = widest(self.samples.x, len(self.task.labels), target)
        model = student.train(lesson(self.samples, taught), architecture, seed)
        tflite = student.quantise(model, architecture, self.samples.x)
        found = judge.infer(tflite, self.samples.evaluation_x)
        return judge.judge(found, self.samples.evaluation_y, self.task.labels).accuracy


def compare(
    bench: Bench, targets: Sequence[Mapping[str, Any]], *, spend: int, batch: int, seed: int
) -> dict[str, Any]:
    """Accuracies 0..1: by target with all labels and with ``spend`` random ones; a random curve."""
    count = len(bench.samples.y)
    orders = [np.random.default_rng([seed, draw]).permutation(count) for draw in range(CURVE_DRAWS)]
    full, by_chance = bench.teach(np.arange(count)), bench.teach(orders[0][:spend])
    return {
        "pool": count,
        "spend": spend,
        "fullAccuracy": {t["name"]: bench.student_accuracy(full, t, seed) for t in targets},
        "randomAccuracy": {t["name"]: bench.student_accuracy(by_chance, t, seed) for t in targets},
        "fullTeacherAccuracy": bench.teacher_accuracy(full),
        "randomCurve": [
            {"labels": labels, "accuracy": _mean_accuracy(bench, orders, labels)}
            for labels in range(batch, spend + 1, batch)
        ],
    }


def _mean_accuracy(bench: Bench, orders: Sequence[NDArray[np.int64]], labels: int) -> float:
    return float(np.mean([bench.teacher_accuracy(bench.teach(order[:labels])) for order in orders]))


def read_truth(path: Path) -> dict[str, str]:
    """Read an oracle's CSV of ``id,label``."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row["label"] for row in csv.DictReader(file)}


def main() -> None:
    """Read the arguments, compare, write the JSON file whole."""
    parser = argparse.ArgumentParser(prog="petiole_pipelines.reference", description=__doc__)
    parser.add_argument("--pool-uri", required=True)
    parser.add_argument("--evaluation-uri", required=True)
    parser.add_argument("--features", default="Kernel", help="spec.learning.features")
    parser.add_argument("--store-uri", help="of the object store, for descriptions it keeps")
    parser.add_argument("--labels", required=True, type=Path, help="CSV of id,label: all of them")
    parser.add_argument("--task", required=True, help="spec.task as JSON")
    parser.add_argument("--targets", required=True, help="spec.targets as JSON")
    parser.add_argument("--spend", required=True, type=int, help="labels of the random arm")
    parser.add_argument("--batch", required=True, type=int, help="labels between curve points")
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--out", required=True, type=Path)
    given = parser.parse_args()
    os.nice(10)
    task = Task.parse(given.task)
    bench = Bench.open(
        given.pool_uri,
        given.evaluation_uri,
        read_truth(given.labels),
        task,
        features=given.features,
        store=Store(given.store_uri) if given.store_uri else None,
    )
    targets = json.loads(given.targets)
    found = compare(bench, targets, spend=given.spend, batch=given.batch, seed=given.seed)
    partial = given.out.with_name(f".{given.out.name}.{os.getpid()}")
    partial.write_text(json.dumps(found, indent=1), encoding="utf-8")
    partial.replace(given.out)


if __name__ == "__main__":
    main()
