"""A new model beside the one that answers: what is compared, what is said, and how it ends."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hack.testbed.exactness import Server
from hack.testbed.models import Model, digest, make, sign
from petiole.wire.messages import Phase, Reason

from .test_device import DEVICE, confirm

INPUTS = 12


@pytest.fixture(autouse=True)
def built(made):
    made("posix")


@pytest.fixture(scope="module")
def many() -> Model:
    """A model with more inputs of its own than are compared."""
    return make(1, vectors=40)


def shown(model: Model) -> np.ndarray:
    """What is shown to a device in two parts."""
    return model.inputs[[n % 40 for n in (*range(5), *range(INPUTS - 5))]]


@pytest.fixture(scope="module")
def other(many: Model) -> Model:
    """Another model, which agrees with the first one now and then."""
    said, _ = answers(many, shown(many))
    candidates = (make(seed, vectors=1) for seed in itertools.count(2))
    return next(m for m in candidates if 0 < (answers(m, shown(many))[0] != said).sum() < INPUTS)


def answers(model: Model, inputs: np.ndarray) -> tuple[np.ndarray, int]:
    """Labels and sum of confidences that a model gives to raw inputs."""
    with Server("posix", model.blob) as server:
        outputs = np.stack([server.run((x ^ 0x80).view(np.int8)).output for x in inputs])
    return outputs.argmax(axis=1), int((outputs.max(axis=1).astype(int) + 128).sum())


async def compare(bench, hand, many, other, key, **grant):
    """Bring a device to compare two models; returns the new artefact."""
    await bench.start()
    await confirm(bench, hand, many, sign(many, key))
    new = sign(other, key, revision=2)
    await hand.publish_blocks(new)
    await hand.grant(DEVICE, new, shadow=INPUTS, **grant)
    await hand.state(DEVICE, lambda s: s.phase == Phase.SHADOW and s.target == digest(new))
    return new


async def test_a_new_model_is_compared_before_it_answers(bench, hand, many, other, key):
    new = await compare(bench, hand, many, other, key)
    bench.answers.clear()
    await bench.show(DEVICE, many, 5)
    state = await hand.state(DEVICE, lambda s: s.score == 5)
    assert (state.phase, state.active) == (Phase.SHADOW, digest(sign(many, key)))
    await bench.show(DEVICE, many, INPUTS - 5)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    assert {a.digest for _, a in bench.answers} == {digest(sign(many, key))}
    await hand.until(lambda: hand.stats[DEVICE].shadow, "the comparison")
    run = hand.stats[DEVICE].shadow
    (old_labels, _), (new_labels, confidence) = (answers(m, shown(many)) for m in (many, other))
    differ = int((old_labels != new_labels).sum())
    assert (run.digest, run.count, run.disagreed) == (digest(new), INPUTS, differ)
    assert run.confidence_sum == confidence
    await bench.show(DEVICE, other)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    assert (state.active, state.score) == (digest(new), 0)


async def test_a_halt_ends_the_comparison(bench, hand, many, other, key):
    new = await compare(bench, hand, many, other, key)
    await bench.show(DEVICE, many, 3)
    await hand.halt(new)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.FAILED)
    assert (state.reason, state.active) == (Reason.HALTED, digest(sign(many, key)))
    await bench.show(DEVICE, many, INPUTS)
    await hand.halt()
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.SHADOW)
    assert state.score == 3  # it goes on where it was, with what came while it compared


async def test_a_changed_grant_ends_the_comparison(bench, hand, many, other, key):
    await compare(bench, hand, many, other, key)
    await hand.grant(DEVICE, sign(many, key))
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    assert state.active == digest(sign(many, key))


async def test_a_shorter_comparison_is_over_at_once(bench, hand, many, other, key):
    new = await compare(bench, hand, many, other, key)
    await bench.show(DEVICE, many, 3)
    await hand.grant(DEVICE, new, shadow=3)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == digest(new))


async def test_a_restart_begins_it_anew_without_a_download(bench, hand, many, other, key):
    new = await compare(bench, hand, many, other, key)
    await bench.show(DEVICE, many, 5)
    await hand.remove_blocks(new)
    await bench.kill()
    hand.states.clear()
    await bench.start()
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.SHADOW)
    assert (state.active, state.score) == (digest(sign(many, key)), 0)
    await bench.show(DEVICE, many, INPUTS)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == digest(new))


async def test_it_is_compared_before_it_is_held_back(bench, hand, many, other, key):
    new = await compare(bench, hand, many, other, key, hold=True)
    await bench.show(DEVICE, many, INPUTS)
    await hand.state(DEVICE, lambda s: s.phase == Phase.READY)
    await hand.grant(DEVICE, new, shadow=INPUTS)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == digest(new))
    phases = [s.phase for s in hand.history[DEVICE] if s.target == digest(new)]
    ready = phases.index(Phase.READY)
    assert Phase.SHADOW not in phases[ready:]


async def test_without_a_current_model_there_is_nothing_to_compare(bench, hand, first, key):
    await bench.start()
    data = sign(first, key)
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data, shadow=INPUTS)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == digest(data))
