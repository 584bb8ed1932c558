"""Which spans a round and a rollout are made of: one tree, told once, the same after a crash."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from petiole.api.devicefleet import DeviceFleetStatus
from petiole.api.tinymodel import TinyModelStatus
from petiole.controller import spans
from petiole.events.told import Teller, of_fleet
from petiole.tracing import Place
from tests.learning.model import UID
from tests.learning.model import World as Model
from tests.learning.model import spec as model_spec
from tests.rollout.fleet import Field, Operator, canary_of, spec

MODEL = Teller("tinymodels", "default", "digits", UID)
FLEET = Teller("devicefleets", "default", "meters", "uid-1")


class Learning(Model):
    """A model whose passes tell."""

    def __init__(self, *given):
        super().__init__(*given)
        self.told = []

    def one_pass(self, **lost):
        self.now += timedelta(seconds=1)
        before = self.status
        outcome = super().one_pass(**lost)
        self.told += spans.of_model(MODEL, before, self.status, self.now, self.now)
        return outcome


class Rolling(Operator):
    """A fleet whose passes tell."""

    def __init__(self, *given):
        super().__init__(*given)
        self.told = []

    def one_pass(self, crash="never"):
        seen = self.observe()
        outcome = super().one_pass(crash)
        events = of_fleet(FLEET, seen.status, self.status, self.now)
        self.told += spans.of_fleet(seen, self.status, events, self.now)
        return outcome


def names(told):
    return [done.name for done in told]


def test_a_round_is_its_beginning_and_its_steps():
    world = Learning(model_spec(label_budget=40))
    world.rest()
    assert names(world.told) == [
        "round", "Querying", "Labelling", "Querying", "Labelling", "Training", "Packing",
    ]  # fmt: skip
    root, *steps = world.told
    assert (root.parent, root.place) == (None, spans.of_round(UID, 1))
    assert all(step.parent == root.place for step in steps)
    assert len({done.place for done in world.told}) == len(world.told)
    assert len({done.place.trace for done in world.told}) == 1
    assert all(done.began <= done.ended for done in world.told)
    assert all(a.ended == b.began for a, b in pairwise(steps))
    assert root.attributes == {
        "petiole.model": "default.digits",
        "petiole.round": 1,
        "petiole.trigger": "Initial",
    }
    assert steps[-1].attributes == {
        "petiole.model": "default.digits",
        "petiole.round": 1,
        "petiole.run": "digits-0a1b2c3d-r1-b40-train",
        "petiole.result": "Accepted",
        "petiole.version": 1,
    }


def test_each_round_has_a_trace_of_its_own_and_a_rejected_one_says_so():
    world = Learning(model_spec(accuracy="99%"))
    world.rest()
    assert names(world.told)[-1] == "Training"
    assert world.told[-1].attributes["petiole.result"] == "Rejected"
    first = world.told[-1].place.trace
    world.edit(pool="file:///data/other", accuracy="90%")
    world.rest()
    assert world.told[-1].name == "Packing"
    assert world.told[-1].place.trace == spans.of_round(UID, 2).trace != first


def test_a_run_that_is_made_again_is_a_span_of_its_own():
    world = Learning(model_spec(label_budget=20))
    world.fails = {"-train": "Died"}
    world.rest()
    world.wait(60)
    made = [done for done in world.told if done.name == "Training"]
    assert [done.attributes["petiole.run"][-8:] for done in made] == ["20-train", "train-a2"]
    assert made[0].place != made[1].place


def test_where_a_step_is_does_not_depend_on_who_asks():
    world = Learning(model_spec())
    world.one_pass()
    text = world.status.model_dump_json(by_alias=True)
    again = TinyModelStatus.model_validate_json(text)
    place = spans.of_step(UID, world.status.round)
    assert place is not None
    assert spans.of_step(UID, again.round) == place
    assert spans.of_step("another-uid", again.round) != place


def test_a_rollout_hangs_below_the_round_that_made_its_version():
    operator = Rolling(spec(), Field())
    operator.roll()
    assert names(operator.told) == ["stage canary", "stage early", "stage all", "rollout"]
    rollout = operator.told[-1]
    assert rollout.parent == spans.of_round("model-uid", 1)
    assert all(stage.parent == rollout.place for stage in operator.told[:-1])
    assert all(done.place.trace == rollout.parent.trace for done in operator.told)
    assert operator.told[0].attributes == {
        "petiole.fleet": "default.meters",
        "petiole.kind": "Model",
        "petiole.revision": 1,
        "petiole.stage": "canary",
        "petiole.limit": 40,
        "petiole.updated": 40,
        "petiole.failed": 0,
    }
    assert rollout.attributes["petiole.result"] == "Promoted"
    assert spans.of_stage(operator.observe(), operator.status) is None
    operator.settle()
    assert len(operator.told) == 4


def test_a_rollout_that_is_taken_back_ends_its_stage_and_says_so():
    operator = Rolling(spec(), Field())
    operator.roll()
    operator.told.clear()
    canary_of(operator, confidence=0.5)
    operator.settle()
    operator.field.put_back()
    operator.settle()
    assert names(operator.told) == ["stage canary", "rollout"]
    rollout = operator.told[-1]
    assert (rollout.attributes["petiole.revision"], rollout.attributes["petiole.result"]) == (
        2,
        "Reverted",
    )
    assert rollout.parent == spans.of_round("model-uid", 2)


def test_where_a_stage_is_does_not_depend_on_who_asks():
    operator = Rolling(spec(), Field())
    operator.settle()
    place = spans.of_stage(operator.observe(), operator.status)
    text = operator.status.model_dump_json(by_alias=True)
    again = DeviceFleetStatus.model_validate_json(text)
    assert place is not None
    assert spans.of_stage(operator.observe(), again) == place
    operator.field.answer_all()
    operator.settle()
    operator.wait(minutes=10)
    assert spans.of_stage(operator.observe(), operator.status) not in (None, place)


def test_firmware_has_a_trace_of_its_own():
    operator = Rolling(spec(), Field())
    operator.roll()
    operator.told.clear()
    operator.offer(1)
    operator.roll()
    rollout = operator.told[-1]
    assert (rollout.name, rollout.parent, rollout.attributes["petiole.kind"]) == (
        "rollout",
        None,
        "Firmware",
    )
    assert {done.parent for done in operator.told[:-1]} == {rollout.place}


@pytest.mark.parametrize("other", ["round/u/2", "round/v/1"])
def test_places_are_those_of_their_names(other):
    place = Place.named("round/u/1")
    assert place == Place.named("round/u/1")
    assert place.trace != Place.named(other).trace
    assert place.below("a") == place.below("a")
    assert len({place.span, place.below("a").span, place.below("b").span}) == 3
    assert place.trace.bit_length() > 64  # whole ids: 16 bytes and 8
    assert place.span.bit_length() <= 64


def test_a_second_is_enough_to_tell_steps_apart():
    at = datetime(2026, 5, 1, tzinfo=UTC)
    status = TinyModelStatus.model_validate(
        {"round": {"number": 1, "step": "Querying", "run": "r", "since": at}}
    )
    later = status.round.model_copy(update={"since": at + timedelta(seconds=1)})
    labelling = status.round.model_copy(update={"step": "Labelling"})
    places = {spans.of_step("u", round_) for round_ in (status.round, later, labelling)}
    assert len(places) == 3
