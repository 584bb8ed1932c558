"""The search of a network: pure, on costs and accuracies that the tests give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petiole_pipelines import fit, search
from petiole_pipelines.errors import StepError
from petiole_pipelines.fit import Cost
from petiole_pipelines.networks import SEARCHED, Architecture
from petiole_pipelines.search import Candidate

TARGET = {"name": "m4", "flash": "64Ki", "arena": "32Ki", "core": "cortex-m4"}
BODIES = ("Slim", "Middle", "Deep")


def cost(architecture):
    """A body costs more than the one before it, twice the width four times as much."""
    times = (1 + BODIES.index(architecture.body)) * architecture.width**2
    return Cost(flash=times * 40, arena=architecture.width * 1000, instructions=times * 1000)


def entrants(tries=6, **limits):
    return search.enter(BODIES, cost, TARGET | limits, tries)


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost(65537, 0, 0), "target m4: the artefact needs 65537 bytes of flash, spec.targets all"),
        (Cost(0, 32769, 0), "the model needs 32769 bytes of arena, spec.targets allows 32768"),
        (Cost(0, 0, 8_000_001), "takes 8000001 instructions, spec.targets allows 8000000"),
        (Cost(65536, 32768, 8_000_000), ""),
    ],
)
def test_each_limit_of_a_target_is_kept(cost, words):
    problem = fit.misfit(cost, TARGET | {"instructions": "8M"})
    assert words in problem
    assert bool(words) == bool(problem)
    if cost.instructions:
        assert not fit.misfit(cost, TARGET), "a target without that limit"


def test_of_each_body_the_widest_and_some_narrower_ones_that_fit_are_tried():
    found, limits = entrants()
    assert [str(one.architecture) for one in found] == [
        "Slim 32", "Middle 24", "Deep 16", "Slim 24", "Middle 16", "Deep 12",
    ]  # fmt: skip
    assert not any(fit.misfit(one.cost, TARGET) for one in found)
    assert limits["Slim"].endswith("92160 bytes of flash, spec.targets allows 65536")
    assert "arena" in entrants(arena="8Ki")[1]["Slim"]
    assert "instructions" in entrants(instructions="100k")[1]["Slim"]
    assert len(entrants(tries=5)[0]) == 5
    assert entrants(flash="64Mi", arena="64Mi")[1]["Deep"] == ""


def test_where_a_body_has_nothing_that_fits_the_others_are_tried():
    found, limits = entrants(instructions="20k")
    assert {one.architecture.body for one in found} == {"Slim"}
    assert limits["Deep"]
    with pytest.raises(StepError, match="that is the smallest network there is") as caught:
        entrants(instructions="1k")
    assert caught.value.reason == "DoesNotFit"


@pytest.mark.parametrize("count", range(1, 25))
def test_halving_ends_with_one_and_costs_little(count):
    spent = []

    def learn(architecture, steps):
        spent.append(steps)
        return architecture.width / 100

    tried = [
        Candidate(Architecture("Slim", n), cost(Architecture("Slim", n)))
        for n in range(1, count + 1)
    ]
    found = search.halve(tried, learn, 3000)
    assert found[0].architecture.width == count
    assert [one.architecture for one in found] == [one.architecture for one in tried[::-1]]
    assert max(spent) == found[0].steps == 1000
    assert sum(spent) <= 3 * 3000, "three trainings at most, beside the one that follows"
    assert all(one.reached for one in found)


def test_who_is_better_after_a_longer_while_wins():
    reached = {
        "Slim": {166: 0.80, 500: 0.90},
        "Middle": {166: 0.85, 500: 0.88},
        "Deep": {166: 0.70, 500: 0.99},
    }
    four = [Candidate(Architecture(b, 8), cost(Architecture(b, 8))) for b in BODIES]
    four.append(Candidate(Architecture("Slim", 4), cost(Architecture("Slim", 4))))

    def learn(architecture, steps):
        return 0.5 if architecture.width == 4 else reached[architecture.body][steps]

    found = search.halve(four, learn, 1500)
    assert [str(one.architecture) for one in found] == ["Slim 8", "Middle 8", "Deep 8", "Slim 4"]
    assert dict(found[0].reached) == reached["Slim"]
    assert found[2].steps == 166


accuracies = st.lists(st.integers(0, 20), min_size=1, max_size=18)


@given(accuracies, accuracies)
def test_nobody_beats_the_front_and_somebody_beats_the_others(first, second):
    tried = [
        Candidate(Architecture(body, width), cost(Architecture(body, width)))
        for body in BODIES
        for width in SEARCHED[:6]
    ][: len(first)]
    short = {str(one.architecture): a / 20 for one, a in zip(tried, first, strict=False)}
    longer = {name: second[at % len(second)] / 20 for at, name in enumerate(short)}

    def learn(architecture, steps):
        return (longer if steps == 500 else short)[str(architecture)]

    found = search.halve(tried, learn, 1500)
    front = search.front(found)
    unbeaten = [one for one in found if not any(other.beats(one) for other in found)]
    assert found[0] in front
    assert set(map(id, front)) <= set(map(id, unbeaten))
    assert len(front) == min(len(unbeaten), 12)
    costs = [one.cost.instructions for one in front]
    assert costs == sorted(costs)


def test_the_choice_says_why_and_what_limited_it():
    def learn(architecture, _):
        return 0.9 + architecture.width / 1000 - (0.05 if architecture.body == "Deep" else 0)

    found, limits = entrants()
    choice = search.explain(search.halve(found, learn, 1500), limits)
    assert choice.why == (
        "Slim 32 answers 93.2% of the samples kept back as the teacher does, most of the 6 "
        "networks that were tried (then Slim 24 92.4%); a wider one does not fit: target m4: "
        "the artefact needs 92160 bytes of flash, spec.targets allows 65536"
    )
    assert "Slim 32" in [point["network"] for point in choice.points()]
    free, limits = entrants(flash="64Mi", arena="64Mi")
    choice = search.explain(search.halve(free, learn, 1500), limits)
    assert choice.why.endswith("there is no wider one")
    choice = search.explain(search.halve(found, lambda one, _: -one.width, 1500), limits)
    assert choice.why.endswith("a wider one did no better")


@pytest.mark.parametrize("count", [6, 60, 500, 2381])
def test_a_fifth_in_blocks_of_neighbours_is_kept_back(count):
    back = search.kept_back(count, 1)
    assert (back == search.kept_back(count, 1)).all()
    assert 0 < back.sum() < count
    if count >= 500:
        assert back.mean() == pytest.approx(0.2, abs=0.02)
        assert (back != search.kept_back(count, 2)).any()
        assert np.abs(np.diff(back.astype(int))).sum() <= 2 * back.sum() / search.BLOCK + 1
