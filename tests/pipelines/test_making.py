"""How a student comes about: what was made fits its target, or something else is made."""

from dataclasses import replace

import numpy as np
import pytest

from petiole.api.student import Student
from petiole_pipelines import fit, making, networks
from petiole_pipelines.augment import Lesson
from petiole_pipelines.errors import StepError
from petiole_pipelines.fielded import Fielded
from petiole_pipelines.networks import Architecture
from petiole_pipelines.planner import plan
from petiole_pipelines.store import Store

TARGET = {"name": "m4", "flash": "64Ki", "arena": "16Ki"}
TOO_DEAR = "does not fit: target m4: the model needs 1000000 bytes of arena"


@pytest.fixture
def lesson() -> Lesson:
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (60, 8, 8, 1)).astype(np.uint8)
    return Lesson(x, np.eye(3)[random.integers(0, 3, 60)], np.ones(60))


@pytest.fixture
def dearer(monkeypatch):
    """Let so many models come out dearer than their networks were untrained."""

    def first(count):
        seen = []

        def planned(tflite):
            seen.append(tflite)
            found = plan(tflite)
            return replace(found, arena=1_000_000) if len(seen) <= count else found

        monkeypatch.setattr(making, "plan", planned)

    return first


def test_a_network_that_came_out_dearer_gives_way_to_the_next_narrower_one(lesson, dearer):
    widest, _ = fit.widest(lesson.x, 3, TARGET)
    dearer(1)
    made = making.make(lesson, TARGET, Student(), None, 0, steps=2)
    _, narrower, *_ = networks.narrowing(widest)
    assert made.network == str(narrower)
    assert narrower.width < widest.width
    assert made.why.startswith(f"{widest} is the widest that fits; ")
    assert made.why.endswith(f"trained, {widest} {TOO_DEAR}, spec.targets allows 16384")


def test_a_target_that_nothing_fits_is_refused(lesson, dearer):
    dearer(9)
    with pytest.raises(StepError, match="that is the smallest network there is") as caught:
        making._trained(lesson, Architecture("Plain", 4), TARGET, 0, 2)
    assert caught.value.reason == "DoesNotFit"


@pytest.mark.long
def test_a_new_last_layer_that_does_not_fit_makes_way_for_a_new_student(lesson, dearer, tmp_path):
    store = Store(tmp_path.as_uri())
    store.put("rounds/a/m4.tflite", making.make(lesson, TARGET, Student(), None, 0, steps=2).tflite)
    field, wanted = Fielded(1, "rounds/a", store), Student(fine_tune="Head")
    made = making.make(lesson, TARGET, wanted, field, 0, steps=2)
    assert made.why == "the last layer of version 1 was trained anew, its other layers stay"
    dearer(1)
    made = making.make(lesson, TARGET, wanted, field, 0, steps=2)
    assert f"(trained as a whole: with a new last layer version 1 {TOO_DEAR}" in made.why
    other = making.make(lesson, TARGET | {"name": "m0"}, wanted, field, 0, steps=2)
    assert other.why.endswith("(trained as a whole: the store has no model of version 1 for m0)")
