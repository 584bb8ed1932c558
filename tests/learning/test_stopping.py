"""What ends the asking: each rule alone on a curve, and in the life of a model."""

import json
from datetime import timedelta

import pytest

from petiole.api.learning import Kappa, Plateau, Stopping
from petiole.api.tinymodel import CurvePoint
from petiole.learning.observed import DriftAlarm
from petiole.learning.stopping import stop

from .model import START, World, spec


def curve(*accuracies: float, agreements: tuple[float, ...] = ()) -> list[CurvePoint]:
    said = [""] * (len(accuracies) - len(agreements)) + [f"{a:.2f}%" for a in agreements]
    return [
        CurvePoint(labels=20 * (n + 1), accuracy=f"{a:.2f}%", agreement=said[n])
        for n, a in enumerate(accuracies)
    ]


@pytest.mark.parametrize(("reached", "stops"), [(97.99, False), (98.0, True), (99.5, True)])
def test_accuracy_stops_when_the_newest_teacher_reaches_it(reached, stops):
    found = stop(Stopping(accuracy="98%"), "Initial", curve(99.0, reached))
    assert (found is not None) == stops
    if found:
        assert (found.rule, found.labels) == ("Accuracy", 40)
        assert f"{reached:.2f}%, 98%" in found.message


@pytest.mark.parametrize(
    ("accuracies", "stops"),
    [
        ((90, 90, 90), False),  # three batches need four teachers
        ((90, 90.1, 90.2, 90.49), True),
        ((90, 90.1, 90.2, 90.5), False),  # the whole gain in the last one
        ((90, 90.5, 90.1, 90.2), False),  # ... or in the first one
        ((80, 90, 90.5, 90.1, 90.2, 90.3), True),  # the best before is what counts
    ],
)
def test_a_plateau_compares_the_best_of_the_last_batches_with_the_best_before(accuracies, stops):
    rules = Stopping(plateau=Plateau(batches=3, gain="0.5%"))
    found = stop(rules, "Initial", curve(*accuracies))
    assert (found is not None) == stops
    if found:
        assert found.rule == "Plateau"
        assert "in 3 batches, less than 0.5%" in found.message


@pytest.mark.parametrize(
    ("agreements", "stops"),
    [((99.9, 99.9), False), ((98.9, 99.0, 99.1), True), ((99.9, 97.0, 99.9), False)],
)
def test_kappa_takes_the_mean_of_the_last_teachers(agreements, stops):
    rules = Stopping(kappa=Kappa(batches=3, agreement="99%"))
    points = curve(50, 60, 70, 80, agreements=agreements)
    found = stop(rules, "Initial", points)
    assert (found is not None) == stops
    if found:
        assert found.rule == "Kappa"
        assert "99.00%, 99% was asked" in found.message


def test_negative_kappa_is_read():
    rules = Stopping(kappa=Kappa(batches=1, agreement="0%"))
    assert stop(rules, "Initial", curve(50, agreements=(-12.5,))) is None


@pytest.mark.parametrize("trigger", ["Drift", "NewSamples"])
def test_what_the_frozen_set_says_ends_no_round_about_a_moved_field(trigger):
    rules = Stopping(accuracy="50%", plateau=Plateau(batches=1, gain="5%"))
    assert stop(rules, trigger, curve(90, 90)) is None
    agreeing = rules.model_copy(update={"kappa": Kappa(batches=1, agreement="99%")})
    found = stop(agreeing, trigger, curve(90, 90, agreements=(99.5,)))
    assert found is not None
    assert found.rule == "Kappa"


def test_without_rules_or_teachers_nothing_stops():
    assert stop(Stopping(), "Initial", curve(100, 100, 100, 100)) is None
    assert stop(Stopping(accuracy="1%"), "Initial", []) is None


def test_a_round_that_stops_early_keeps_its_labels_and_says_why() -> None:
    world = World(spec(stopping=Stopping(accuracy="90%")))  # the World's teachers have 90 %
    world.rest()
    assert world.status.latest_version == 1
    assert world.status.labels.spent == 20
    stopped = world.status.round.stopped
    assert stopped is not None
    assert (stopped.rule, stopped.labels) == ("Accuracy", 20)
    ended = world.condition("AskingEnded")
    assert (ended.status, ended.reason) == ("True", "Accuracy")
    assert "90.00%, 90% was asked; 40 of the round's 60 labels are left" in ended.message
    assert world.events == ["RoundStarted", "AskingEnded", "Accepted"]
    assert [(p.round, p.labels) for p in world.status.curve] == [(1, 20)]


def test_labels_that_were_kept_can_be_spent_after_an_edit_of_the_data() -> None:
    world = World(spec(stopping=Stopping(accuracy="90%")))
    world.rest()
    world.edit(pool="file:///data/more")
    world.rest()
    assert (world.status.round.trigger, world.status.labels.spent) == ("DataChanged", 60)
    assert world.condition("AskingEnded").reason == "Budget"


def test_the_budget_and_an_empty_pool_are_named_too() -> None:
    world = World(spec())
    world.rest()
    assert world.condition("AskingEnded").reason == "Budget"
    assert world.condition("AskingEnded").message.startswith("60 labels of at most 60 are spent; 0")
    small = World(spec(), pool=30)
    small.rest()
    assert small.condition("AskingEnded").reason == "PoolExhausted"


def test_a_new_round_asks_anew() -> None:
    world = World(spec(stopping=Stopping(accuracy="90%")))
    world.rest()
    world.drift = (DriftAlarm("default.meters", 1, START + timedelta(minutes=1), "moved"),)
    world.wait(180)
    assert (world.status.round.trigger, world.status.labels.spent) == ("Drift", 40)
    assert world.condition("AskingEnded").reason == "Budget"


def test_each_teacher_is_compared_with_the_one_before_in_its_round() -> None:
    world = World(spec())
    world.rest()
    asked = [
        (name, previous_of(start)) for name, start in world.started.items() if "-query" in name
    ]
    assert [previous for _, previous in asked] == ["", *[name for name, _ in asked[:-1]]]


def previous_of(start) -> str:
    return json.loads(start.parameters["learning"])["previous"]
