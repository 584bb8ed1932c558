"""One seed of a setting: who is asked, what a teacher and an int8 student make of the answers.

Every result is written as soon as it is known, so that a run that was ended goes on from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from petiole.learning.strategies import Choice, Pool, select
from petiole_pipelines import augment, fit, judge, networks, student
from petiole_pipelines.augment import Lesson
from petiole_pipelines.features import EXTRACTORS, Extractor, cache
from petiole_pipelines.store import Store
from petiole_pipelines.teacher import teach

from .settings import Setting, Split

Rows = NDArray[np.int64]
Row = dict[str, Any]

STRATEGY, BATCH, RANDOM_SHARE = "TypiClustThenMargin", 20, 0.1  # the defaults of spec.learning
LADDER = (40, 60, 80, 100, 120, 160, 200, 240, 320, 480, 640, 800, 1000, 1300, 1600, 2000, 2500)
MOST = 0.25  # of the pool: whoever needs more saves little
WITHIN = 0.01
IN_A_ROW = 2  # steps of the ladder that must be within a point: one may be luck


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
        return self._kept(f"{arm}-{labels}", lambda: self._learned(self._rows(arm, labels)))

    def climb(self, arm: str, start: int) -> list[Row]:
        """Results up the ladder until the student stays within a point of the full one."""
        wanted = self.full()["accuracy"] - WITHIN
        most = MOST * len(self.split.y)
        found: list[Row] = []
        for labels in (step for step in LADDER if start <= step <= most):
            found.append(self.at(arm, labels) | {"labels": labels})
            if needed(found, wanted) is not None:
                break
        return found

    def _rows(self, arm: str, labels: int) -> Rows:
        """Rows of the pool that are labelled, by arrivals with the same number each."""
        strategy = "Random" if arm == "random" else STRATEGY
        kept = self._kept(f"{arm}-{labels}-rows", lambda: {"rows": self._ask(strategy, labels)})
        return np.array(kept["rows"], dtype=np.int64)

    def _ask(self, strategy: str, labels: int) -> list[int]:
        arrivals = np.unique(self.split.arrival)
        labelled = np.zeros(len(self.split.y), dtype=np.bool_)
        for turn, arrival in enumerate(arrivals, start=1):
            pool = np.flatnonzero(self.split.arrival <= arrival)
            features = self._features(pool)[0]
            until = labels * turn // len(arrivals)
            while labelled.sum() < until:
                count = min(BATCH, until - int(labelled.sum()))
                rows = self._queries(strategy, pool, features, labelled, count)
                labelled[rows] = True
        return [int(row) for row in np.flatnonzero(labelled)]

    def _queries(
        self,
        strategy: str,
        pool: Rows,
        features: NDArray[np.float64],
        labelled: NDArray[np.bool_],
        count: int,
    ) -> Rows:
        y = np.where(labelled, self.split.y, -1)[pool]
        soft = teach(features, y, self.classes, features[:1]).samples
        generator = np.random.default_rng([self.number, int(labelled.sum())])
        given = Pool(features, soft, labelled[pool])
        queries = select(given, Choice(strategy, count, RANDOM_SHARE), generator)
        return pool[[query.row for query in queries]]

    def _learned(self, rows: Rows) -> Row:
        """Let a teacher learn from these rows, and a student from the teacher."""
        y = np.full(len(self.split.y), -1, dtype=np.int64)
        y[rows] = self.split.y[rows]
        features, others = self._features(np.arange(len(y)))
        answers = teach(features, y, self.classes, others)
        right = answers.others.argmax(1) == self._truth
        return {"teacher": float(right.mean())} | self._taught(answers.samples)

    def _taught(self, soft: NDArray[np.float64]) -> Row:
        """Train the widest student that fits; judge it as int8, as the pipeline does."""
        x, target = self.split.x, dict(self.setting.target)
        width = fit.widest(x, self.classes, target)
        model = student.train(Lesson(x, soft, np.ones(len(x))), width, self.number, self.steps)
        answers = judge.infer(student.quantise(model, x), self.split.images[self.split.evaluation])
        verdict = judge.judge(answers, self._truth, self.setting.labels)
        return {
            "accuracy": verdict.accuracy,
            "recall": verdict.recall,
            "width": width,
            "steps": self.steps or augment.recipe_of(x.shape[1:]).steps,
        }

    def _features(self, pool: Rows) -> list[NDArray[np.float64]]:
        """Features of these rows of the pool, fitted on them alone, and of the evaluation set."""
        first = self.described[self.split.pool[pool]]
        fitted = self._extractor.fit(first, 0)
        return [fitted.transform(first), fitted.transform(self.described[self.split.evaluation])]

    @property
    def _truth(self) -> Rows:
        return self.split.labels[self.split.evaluation]

    def _kept(self, name: str, make: Callable[[], Row]) -> Row:
        file = self.folder / f"{name}.json"
        if not file.exists():
            found = make()
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(".partial")
            partial.write_text(json.dumps(found))
            partial.replace(file)
            if "accuracy" in found:
                words = f"{self.setting.name} seed {self.number} {name}"
                self.say(f"{words}: {100 * found['accuracy']:.2f} %")
        return dict(json.loads(file.read_text()))


def recipe(setting: Setting, steps: int | None) -> str:
    """Digest of what results depend on besides code: none is taken for another recipe's."""
    words = (
        setting,
        steps,
        (STRATEGY, BATCH, RANDOM_SHARE),
        (augment.SMALL, augment.LARGE, augment.COLOUR),
        (networks.WIDTHS, networks.SEPARABLE, student.PEAK_RATE),
        EXTRACTORS[setting.features].identity,
    )
    plain = repr(words).replace(repr(setting.split), setting.split.__name__)
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def needed(rows: list[Row], wanted: float) -> int | None:
    """Labels of the first of IN_A_ROW successive results that reach ``wanted``; None for none."""
    for at in range(len(rows) - IN_A_ROW + 1):
        if all(row["accuracy"] >= wanted for row in rows[at : at + IN_A_ROW]):
            return int(rows[at]["labels"])
    return None
