"""One seed of a setting: who is asked, what a teacher and an int8 student make of the answers.

Every result is written as soon as it is known, so that a run that was ended goes on from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from petiole.learning.strategies import Choice, Pool, select
from petiole_pipelines import augment, fit, judge, networks, student
from petiole_pipelines.augment import Lesson
from petiole_pipelines.features import EXTRACTORS, Extractor, Fitted, cache
from petiole_pipelines.store import Store
from petiole_pipelines.teacher import Answers, neighbours, teach

from .kept import write
from .settings import Setting, Split

Rows = NDArray[np.int64]
Row = dict[str, Any]

STRATEGY, BATCH, RANDOM_SHARE = "TypiClustThenMargin", 20, 0.1  # the defaults of spec.learning
LADDER = (40, 60, 80, 100, 120, 160, 200, 240, 320, 480, 640, 800, 1000, 1300, 1600, 2000, 2500)
HORIZON = 0.2  # of the pool: as far as the ladder goes
WITHIN = 0.01
ROUNDING = 1e-9  # of differences between shares of the same count
FORMAT = 2  # of what is kept


@dataclass(frozen=True, slots=True)
class Seen:
    """Rows of the pool that are there, and what they are seen by: fitted on them alone."""

    pool: Rows
    fitted: Fitted
    features: NDArray[np.float64]
    graph: csr_array


@dataclass(frozen=True)
class Seed:
    """One split of a setting, and the folder that its results are kept in."""

    setting: Setting
    number: int
    folder: Path
    store: Store
    steps: int | None  # of training; the recipe's when None
    say: Callable[[str], None]

    @cached_property
    def split(self) -> Split:
        return self.setting.split(self.number)

    @cached_property
    def described(self) -> NDArray[np.generic]:
        """Descriptions of all images of the split, pool or not: each seed finds them kept."""
        return cache.described(self._extractor, self.split.images, self.store)

    @property
    def _extractor(self) -> Extractor:
        return EXTRACTORS[self.setting.features]

    @property
    def classes(self) -> int:
        return len(self.setting.labels)

    def full(self) -> Row:
        """Accuracy of the student that has every label."""
        return self._kept("full", lambda: self._taught(np.eye(self.classes)[self.split.y]))

    def at(self, arm: str, labels: int) -> Row:
        """Accuracy of the student after so many labels of an arm, ``asked`` or ``random``."""
        found = self._kept(f"{arm}-{labels}", lambda: self._learned(self._rows(arm, labels)))
        return found | {"labels": labels}

    def lesson(self, labels: int) -> Lesson:
        """What students learn of a teacher that asked for so many labels."""
        soft = self._answers(self._rows("asked", labels)).samples
        return Lesson(self.split.x, soft, np.ones(len(soft)))

    @property
    def ladder(self) -> list[int]:
        """Numbers of labels that are measured; the last is the horizon."""
        return [step for step in LADDER if step <= HORIZON * len(self.split.y)]

    def descend(self) -> list[Row]:
        """What was asked, from the horizon down to the first miss of the point; fewest first."""
        least = wanted(self.full())
        found: list[Row] = []
        for labels in reversed(self.ladder):
            found.insert(0, self.at("asked", labels))
            if found[0]["accuracy"] < least:
                break
        return found

    def _rows(self, arm: str, labels: int) -> Rows:
        """Rows of the pool that are labelled.

        What is there at once is asked about once, up to the horizon: its beginning is what fewer
        labels would have been. Of arrivals, each has the same number of labels.
        """
        until = labels if self._last else self.ladder[-1]
        kept = self._kept(f"{arm}-{until}-rows", lambda: {"rows": self._ask(arm, until)})
        return np.array(kept["rows"][:labels], dtype=np.int64)

    def _ask(self, arm: str, labels: int) -> list[int]:
        """Rows in the order in which they are asked about."""
        asked: list[int] = []
        for arrival in range(self._last + 1):
            until = labels * (arrival + 1) // (self._last + 1)
            while len(asked) < until:
                asked += self._queries(arm, arrival, asked, min(BATCH, until - len(asked)))
        return asked

    def _queries(self, arm: str, arrival: int, asked: list[int], count: int) -> list[int]:
        seen = self._seen[arrival]
        labelled = np.zeros(len(self.split.y), dtype=np.bool_)
        labelled[asked] = True
        y = np.where(labelled, self.split.y, -1)[seen.pool]
        if arm == "random":
            strategy, soft = "Random", np.full((len(y), self.classes), 1 / self.classes)
        else:
            strategy = STRATEGY
            soft = self._teach(seen, y, seen.features[:1]).samples
        generator = np.random.default_rng([self.number, len(asked)])
        given = Pool(seen.features, soft, labelled[seen.pool])
        queries = select(given, Choice(strategy, count, RANDOM_SHARE), generator)
        return [int(seen.pool[query.row]) for query in queries]

    def _learned(self, rows: Rows) -> Row:
        """Let a teacher learn from these rows, and a student from the teacher."""
        answers = self._answers(rows)
        right = answers.others.argmax(1) == self._truth
        return {"teacher": float(right.mean())} | self._taught(answers.samples)

    def _answers(self, rows: Rows) -> Answers:
        y = np.full(len(self.split.y), -1, dtype=np.int64)
        y[rows] = self.split.y[rows]
        seen = self._seen[self._last]
        others = seen.fitted.transform(self.described[self.split.evaluation])
        return self._teach(seen, y, others)

    def _teach(self, seen: Seen, y: Rows, others: NDArray[np.float64]) -> Answers:
        return teach(seen.features, y, self.classes, others, seen.graph)

    def _taught(self, soft: NDArray[np.float64]) -> Row:
        """Train the widest student that fits; judge it as int8, as the pipeline does."""
        x = self.split.x
        lesson = Lesson(x, soft, np.ones(len(x)))
        model = student.train(lesson, self._network, self.number, self.steps)
        verdict = self.judged(student.quantise(model, self._network, x))
        return {
            "accuracy": verdict.accuracy,
            "recall": verdict.recall,
            "width": self._network.width,
            "steps": self.steps or augment.recipe_of(x.shape[1:]).steps,
        }

    def judged(self, tflite: bytes) -> judge.Verdict:
        """Judge an int8 student, as the pipeline does."""
        answers = judge.infer(tflite, self.split.images[self.split.evaluation])
        return judge.judge(answers, self._truth, self.setting.labels)

    @cached_property
    def _network(self) -> networks.Architecture:
        found, _ = fit.widest(self.split.x, self.classes, self.setting.target)
        return found

    @cached_property
    def _last(self) -> int:
        """Number of the last arrival; they count from 0."""
        return int(self.split.arrival.max())

    @cached_property
    def _seen(self) -> list[Seen]:
        """What is there after each arrival."""
        return [self._after(arrival) for arrival in range(self._last + 1)]

    def _after(self, arrival: int) -> Seen:
        pool = np.flatnonzero(self.split.arrival <= arrival)
        first = self.described[self.split.pool[pool]]
        fitted = self._extractor.fit(first, 0)
        features = fitted.transform(first)
        return Seen(pool, fitted, features, neighbours(features))

    @property
    def _truth(self) -> Rows:
        return self.split.labels[self.split.evaluation]

    def _kept(self, name: str, make: Callable[[], Row]) -> Row:
        file = self.folder / f"{name}.json"
        if not file.exists():
            found = make()
            write(file, json.dumps(found))
            if "accuracy" in found:
                words = f"{self.setting.name} seed {self.number} {name}"
                self.say(f"{words}: {100 * found['accuracy']:.2f} %")
        return dict(json.loads(file.read_text()))


def recipe(setting: Setting, steps: int | None) -> str:
    """Digest of what results depend on besides code: none is taken for another recipe's."""
    words = (
        FORMAT,
        setting,
        steps,
        (STRATEGY, BATCH, RANDOM_SHARE),
        (augment.SMALL, augment.LARGE, augment.COLOUR),
        (networks.WIDTHS, networks.SEPARABLE, student.PEAK_RATE),
        EXTRACTORS[setting.features].identity,
    )
    plain = repr(words).replace(repr(setting.split), setting.split.__name__)
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def wanted(full: Row) -> float:
    """Least accuracy that is within a point of the full student's."""
    return float(full["accuracy"]) - WITHIN - ROUNDING


def needed(rows: Sequence[Row], least: float) -> int | None:
    """Labels of the first result from which on all reach ``least``; None where the last does not.

    ``rows`` go up to the horizon, fewest labels first.
    """
    labels = None
    for row in reversed(rows):
        if row["accuracy"] < least:
            break
        labels = int(row["labels"])
    return labels
