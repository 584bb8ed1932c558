"""A new last layer: it learns, and no other byte of what a device holds changes."""

from collections.abc import Mapping

import numpy as np
import pytest
from sklearn.datasets import load_digits

from petiole.artifact import patch
from petiole_pipelines import head
from petiole_pipelines.augment import Lesson
from petiole_pipelines.judge import quantised
from petiole_pipelines.planner import PlanError, Reference, plan
from petiole_pipelines.planner.format import OP, Header
from petiole_pipelines.search import kept_back

TAUGHT = 500


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    found = load_digits()
    x = np.minimum(found.images * 16, 255).astype(np.uint8)[..., None]
    return Lesson(x, np.eye(10)[found.target], np.ones(len(x)))


def part(lesson: Lesson, rows: slice) -> Lesson:
    return Lesson(lesson.x[rows], lesson.soft[rows], lesson.weight[rows])


def right(tflite: bytes, lesson: Lesson) -> float:
    answers = Reference(tflite).run(quantised(lesson.x))
    return float((answers.argmax(1) == lesson.soft.argmax(1)).mean())


def operators(blob: bytes) -> list[tuple[int, ...]]:
    header = Header.parse(blob)
    return list(OP.iter_unpack(blob[header.table : header.table + header.op_count * OP.size]))


def test_a_new_head_learns_and_all_else_stays(models: Mapping[str, bytes], lesson: Lesson):
    taught, others = part(lesson, slice(TAUGHT)), part(lesson, slice(TAUGHT, None))
    before = models["digits"]  # random weights
    after = head.retrained(before, taught, kept_back(TAUGHT, 0))
    assert right(before, others) < 0.3
    assert right(after, others) > 0.85
    old, new = plan(before), plan(after)
    assert (old.arena, old.ops, old.in_scale) == (new.arena, new.ops, new.in_scale)
    assert operators(old.blob) == operators(new.blob)
    dense = operators(old.blob)[-2]
    weights, scales = dense[18:20]
    assert old.blob[44:weights] == new.blob[44:weights], "the constants of the layers before it"
    assert old.blob[scales + 9 * 10 + 2 :] == new.blob[scales + 9 * 10 + 2 :]
    assert len(patch.make(old.blob, new.blob)) < scales + 90 - weights + 60


def test_the_same_lesson_makes_the_same_bytes(models: Mapping[str, bytes], lesson: Lesson):
    taught = part(lesson, slice(100))
    first, again = (head.retrained(models["digits"], taught, kept_back(100, 0)) for _ in range(2))
    assert first == again


def test_a_strong_pull_changes_nothing_and_a_weak_one_fits():
    random = np.random.default_rng(0)
    features, y = random.normal(size=(60, 5)), random.integers(0, 3, 60)
    old = head.Layer(random.normal(size=(3, 5)), random.normal(size=3))
    kept = head.fit(old, features, np.eye(3)[y], np.ones(60), 1e6)
    assert kept.weights == pytest.approx(old.weights, abs=1e-4)
    free = head.fit(old, features, np.eye(3)[y], np.ones(60), 1e-4)
    chances = np.exp(free.logits(features))
    chances /= chances.sum(1, keepdims=True)
    # where nothing pulls, the mean chance of each class is its share
    assert chances.mean(0) == pytest.approx(np.bincount(y) / 60, abs=0.01)
    heavy = head.fit(old, features, np.eye(3)[y], np.where(y == 0, 9.0, 1.0), 1e-4)
    assert heavy.logits(features).argmax(1).tolist().count(0) > y.tolist().count(0)


def test_a_model_that_ends_otherwise_is_refused(models: Mapping[str, bytes], lesson: Lesson):
    with pytest.raises(PlanError, match="not with a dense layer and a softmax"):
        head.retrained(models["dense"], part(lesson, slice(20)), kept_back(20, 0))
