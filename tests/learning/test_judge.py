"""What a candidate must reach: as measured, or by one-sided bounds, and against the field."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from scipy.stats import binomtest, multinomial

from petiole.api.tinymodel import Acceptance, TinyModelSpec
from petiole.learning.judge import judge, lower_bound, not_worse

from .model import World, spec

COUNT = 400


def asked(**bars: Any) -> TinyModelSpec:
    return spec().model_copy(update={"acceptance": Acceptance(**{"accuracy": "90%"} | bars)})


def candidate(*, lost: int | None = None, gained: int = 0, **recall: float) -> dict[str, Any]:
    """Two targets whose classes ``a`` and ``b`` have 200 samples each."""
    recall = {"a": 0.96, "b": 0.94} | recall
    variant = {
        "accuracy": (recall["a"] + recall["b"]) / 2,
        "recall": recall,
        "samples": COUNT,
        "counts": {"a": 200, "b": 200},
    }
    if lost is not None:
        variant["field"] = {"version": 3, "lost": lost, "gained": gained}
    return {"variants": [{"target": name} | variant for name in ("m4", "m0")]}


@pytest.mark.parametrize("share", [0.0, 0.005, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("count", [20, 380])
def test_the_bound_of_a_share_is_that_of_clopper_and_pearson(share: float, count: int) -> None:
    right = round(share * count)
    exact = binomtest(right, count, alternative="greater").proportion_ci(0.95, method="exact")
    assert lower_bound(share, count, 0.95) == pytest.approx(exact.low)


@pytest.mark.parametrize(("count", "allowed"), [(100, 0.05), (400, 0.02)])
@pytest.mark.parametrize("gained", [0.0, 0.02, 0.05])
def test_a_candidate_at_the_limit_passes_seldom(count: int, allowed: float, gained: float) -> None:
    """Added up over all outcomes: the error of the first kind is about the 5 % it should be."""
    chances = multinomial(count, [gained + allowed, gained, 1 - 2 * gained - allowed])
    most = 60  # lost or gained samples; more of either are as good as impossible here
    passed = [
        (lost, won, count - lost - won)
        for lost, won in product(range(most), repeat=2)
        if lost + won <= count and not_worse(lost, won, count, allowed, 0.95)
    ]
    assert 0.01 < chances.pmf(passed).sum() < 0.065


def test_what_answers_alike_is_no_worse() -> None:
    assert not_worse(0, 0, 400, 0.02, 0.95)
    assert not_worse(0, 0, 400, 0.0, 0.95)
    assert not not_worse(1, 0, 400, 0.0, 0.95)
    assert not not_worse(0, 0, 20, 0.02, 0.95)  # too few samples to show anything
    assert not_worse(0, 10, 20, 0.02, 0.95)


def test_a_class_may_not_be_lost_for_another() -> None:
    verdict = judge(asked(recall="90%"), candidate(a=1.0, b=0.85), None)
    assert (verdict.accepted, verdict.reason) == (False, "RecallTooLow")
    assert (
        verdict.message == "recall m4 of b 85.00%, m0 of b 85.00%; 90.00% is asked of every class"
    )
    assert judge(asked(recall="85%"), candidate(a=1.0, b=0.85), None).accepted
    assert judge(asked(), candidate(a=1.0, b=0.85), None).accepted


def test_a_class_without_a_sample_is_not_taken_for_known() -> None:
    document = candidate()
    del document["variants"][1]["recall"]["b"]
    document["variants"][1]["recall"] = {"a": 0.96}
    verdict = judge(asked(recall="85%"), document, None)
    assert verdict.reason == "RecallTooLow"
    assert "m0 of b unknown: the evaluation set has no sample of it" in verdict.message


def test_with_a_confidence_bounds_have_to_hold() -> None:
    assert judge(asked(accuracy="94%"), candidate(), None).accepted
    verdict = judge(asked(accuracy="94%", confidence="95%"), candidate(), None)
    assert verdict.reason == "AccuracyTooLow"
    assert "m4 95.00% of 400 samples, 92.82% by a bound of 95%" in verdict.message
    assert judge(asked(accuracy="92.5%", confidence="95%"), candidate(), None).accepted
    verdict = judge(asked(recall="91%", confidence="95%"), candidate(), None)
    assert verdict.reason == "RecallTooLow"
    assert "m4 of b 94.00% of 200 samples" in verdict.message
    assert "of a " not in verdict.message


@pytest.mark.parametrize(
    ("bars", "lost", "gained", "words"),
    [
        ({}, 6, 2, ""),
        ({}, 7, 2, "accuracy of m4 fell from 96.25% in version 3 to 95.00%"),
        ({"confidence": "95%"}, 0, 0, ""),
        ({"confidence": "95%"}, 6, 2, "m4 is no worse than version 3 is not shown with 95%"),
        ({"confidence": "95%", "max_regression": "3%"}, 6, 2, ""),
    ],
)
def test_the_version_in_the_field_is_compared_on_the_same_samples(
    bars: dict[str, str], lost: int, gained: int, words: str
) -> None:
    verdict = judge(asked(**bars), candidate(lost=lost, gained=gained), None)
    assert (verdict.accepted, verdict.reason) == (not words, "Regressed" if words else "")
    assert words in verdict.message


def test_the_same_accuracy_is_no_regression_though_status_says_hundredths() -> None:
    """570 of 855 are 66.666 %, which status calls 66.67%."""
    world = World(spec())
    world.rest()
    variants = [
        v.model_copy(update={"accuracy": "66.67%"}) for v in world.status.versions[0].variants
    ]
    before = world.status.versions[0].model_copy(update={"variants": tuple(variants)})
    document = candidate(a=2 / 3, b=2 / 3)
    bars = asked(accuracy="60%", max_regression="0%")
    assert judge(bars, document, before).accepted
    assert judge(bars, candidate(a=0.666, b=0.666), before).reason == "Regressed"


def test_many_shortcomings_are_counted_not_listed() -> None:
    labels = tuple(f"c{number}" for number in range(32))
    made = asked(recall="90%")
    made = made.model_copy(update={"task": made.task.model_copy(update={"labels": labels})})
    verdict = judge(made, candidate(), None)
    assert "and 58 more; 90.00% is asked of every class" in verdict.message
    assert len(verdict.message) < 1000


def test_a_fleet_says_which_version_the_field_runs() -> None:
    world = World(spec())
    world.rest()
    world.edit(pool="file:///data/other")
    world.rest()
    assert world.status.latest_version == 2
    before = world.observe()
    assert before.field_version == world.status.versions[1]
    world.fielded = 1
    assert world.observe().field_version == world.status.versions[0]
    world.fielded = 9  # no longer in status
    assert world.observe().field_version == world.status.versions[1]
    world.fielded = 1
    world.accuracy = {"m4": 0.955, "m0": 0.955}
    world.edit(pool="file:///data/third")
    world.rest()
    started = list(world.started.values())[-1]
    assert '"field": "models/' in started.parameters["learning"]
    assert "versions/1.json" in started.parameters["learning"]


def test_status_tells_of_the_students_of_the_last_candidate_even_when_it_is_rejected() -> None:
    point = {
        "network": "Plain 8", "flash": 9000, "arena": 900, "instructions": 90000,
        "accuracy": 0.9123, "steps": 500,
    }  # fmt: skip
    world = World(spec(), accuracy={"m4": 0.97, "m0": 0.90})
    world.said = {
        "network": "Plain 16", "choice": "it is the best", "flash": 20000, "arena": 2000,
        "instructions": 200000, "recall": {"a": 0.99, "b": 0.875}, "front": [point] * 20,
    }  # fmt: skip
    world.rest()
    assert world.status.latest_version == 0
    (first, second) = world.status.students
    assert (first.target, first.network, first.choice) == ("m4", "Plain 16", "it is the best")
    assert (second.accuracy, second.worst_class) == ("90.00%", "b 87.50%")
    assert len(first.front) == 12
    assert (first.front[0].accuracy, first.front[0].steps) == ("91.23%", 500)
