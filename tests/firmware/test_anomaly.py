"""Tasks without classes on a device: scores, alarms, and what it learns about its own machine."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from hack.testbed.models import INPUTS, Model, digest, layer, outputs, sign
from petiole.artifact.policy import Anomaly, TaskKind
from petiole.learning import anomaly as scoring
from petiole.wire.messages import Phase, Reason
from petiole_pipelines.planner import plan
from petiole_pipelines.windows import summary

from .test_device import DEVICE

FEATURES, LEARNED = 6, 40


@pytest.fixture(autouse=True)
def built(made):
    made("posix")


def level(score: float) -> int:
    """What stands for a score in 1/256: 16 steps for each doubling."""
    return min(255, int(16 * np.log2(score + 1) + 1e-9))


def sines(seed: int, count: int) -> np.ndarray:
    """Vibrations of one machine: a sine with noise, uint8 [count, INPUTS]."""
    rng = np.random.default_rng(seed)
    phase, loud = rng.uniform(0, 2 * np.pi, (count, 1)), rng.normal(60, 5, (count, 1))
    wave = 128 + loud * np.sin(2 * np.pi * 3 * np.arange(INPUTS) / INPUTS + phase)
    return np.clip(wave + rng.normal(0, 4, wave.shape), 0, 255).astype(np.uint8)


async def start(bench, hand, model: Model, key, anomaly: Anomaly) -> bytes:
    data = sign(model, key, arena=4 * INPUTS, anomaly=anomaly)
    await bench.start()
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == digest(data))
    return data


async def answers(bench, inputs: np.ndarray) -> list[tuple[int, int]]:
    """Label and level of each input, in order."""
    bench.answers.clear()
    for x in inputs:
        bench.show_raw(DEVICE, x.tobytes())
    end = asyncio.get_running_loop().time() + 20
    while len(bench.answers) < len(inputs):
        assert asyncio.get_running_loop().time() < end, f"{len(bench.answers)} answers"
        await asyncio.sleep(0.02)
    return [(a.label, a.confidence) for _, a in bench.answers]


async def counted(hand, inputs: int) -> None:
    """Wait for statistics of so many inputs."""
    await hand.until(
        lambda: DEVICE in hand.stats and hand.stats[DEVICE].count == inputs, f"{inputs} inputs"
    )


async def test_an_autoencoder_scores_what_it_cannot_restore(bench, hand, key):
    wave = np.arange(INPUTS)[:, None] * 2 * np.pi / INPUTS * np.arange(5)
    basis = np.linalg.qr(np.concatenate([np.cos(wave), np.sin(wave[:, 1:])], axis=1))[0]
    model = layer(np.round(basis @ basis.T * 400).clip(-127, 127), 1 / 400, -128)
    anomaly = Anomaly(TaskKind.RECONSTRUCTION, threshold=100.0, release=50.0, step=1.0, zero=-128)
    await start(bench, hand, model, key, anomaly)
    normal, odd = sines(1, 10), np.random.default_rng(2).integers(0, 256, (5, INPUTS), np.uint8)
    shown = np.concatenate([normal, odd, normal])
    restored = outputs(model.blob, shown).astype(int) + 128
    scores = ((shown.astype(int) - restored) ** 2).mean(axis=1) * 256
    said = await answers(bench, shown)
    assert [label for label, _ in said] == [0] * 10 + [1] * 5 + [0] * 10
    assert [found for _, found in said] == [level(int(score)) for score in scores]
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    await counted(hand, 25)
    assert hand.stats[DEVICE].classes == (20, 5)


def features() -> Model:
    return layer(np.random.default_rng(4).integers(-40, 41, (FEATURES, INPUTS)), 1 / 300, 0)


LEARNS = Anomaly(TaskKind.DISTANCE, threshold=60.0, release=30.0, inputs=LEARNED)


async def test_a_device_learns_what_is_usual_and_remembers_it(bench, hand, key):
    model = features()
    await start(bench, hand, model, key, LEARNS)
    usual = sines(5, LEARNED)
    assert set(await answers(bench, usual)) == {(0, 0)}
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    odd = np.random.default_rng(6).integers(0, 256, (5, INPUTS), np.uint8)
    shown = np.concatenate([sines(7, 20), odd, sines(8, 1)])
    said = await answers(bench, shown)
    learned, seen = (outputs(model.blob, x).astype(float) for x in (usual, shown))
    covariance = np.cov(learned.T) + np.eye(FEATURES) / 12
    apart = seen - learned.mean(axis=0)
    scores = np.einsum("ij,jk,ik->i", apart, np.linalg.inv(covariance), apart) * 256
    assert [found for _, found in said] == [pytest.approx(level(s), abs=1) for s in scores]
    assert [label for label, _ in said][20:25] == [1] * 5
    assert [label for label, _ in said].count(1) <= 7
    await counted(hand, 26)  # and not what it learned from
    await bench.kill()
    hand.states.clear()
    await bench.start()
    await hand.state(DEVICE, lambda s: s.active is not None)
    assert [found for _, found in await answers(bench, shown)] == [found for _, found in said]


def pump(seconds: int, fault: int) -> np.ndarray:
    """Readings of a machine [seconds, 3] that runs unlike itself for 40 seconds."""
    rng = np.random.default_rng(11)
    load = np.convolve(rng.normal(0, 1, seconds + 19), np.ones(20) / 20, "valid")[:, None]
    readings = [230.0, 0.03, 32.0] + load * [6.0, 0.001, -0.5]
    readings += rng.normal(0, 1, (seconds, 3)) * [2.0, 0.0003, 0.3]
    readings[fault : fault + 40, 2] -= 1.5
    return readings


async def test_what_is_found_on_recordings_is_what_the_device_says(bench, hand, key):
    width, learned = 10, 150
    readings = pump(260, 190)
    values = scoring.Scale.of(readings[:60], spreads=16.0).bytes(readings)
    shown = scoring.windows(values, width)
    planned = plan(summary((width, 3), newest=width, sensors=range(3), changes=True))
    features = outputs(planned.blob, shown.reshape(len(shown), -1))
    scores = scoring.distances(features, learned)
    task = Anomaly(TaskKind.DISTANCE, threshold=60.0, release=30.0, inputs=learned)
    raised = scoring.alarms(scores, 60 * 256, 30 * 256)
    assert 20 < np.count_nonzero(raised) < 60
    model = Model(planned.blob, shown.reshape(len(shown), -1)[:4], features[:4])
    data = sign(model, key, arena=planned.arena, anomaly=task)
    await bench.start()
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == digest(data))
    said = await answers(bench, shown)
    assert said[:learned] == [(0, 0)] * learned
    assert [label for label, _ in said[learned:]] == raised.astype(int).tolist()
    assert [found for _, found in said[learned:]] == [level(int(score)) for score in scores]


async def test_what_another_model_has_learned_is_not_taken_up(bench, hand, key):
    await start(bench, hand, features(), key, LEARNS)
    await answers(bench, sines(5, LEARNED + 1))
    other = sign(features(), key, arena=4 * INPUTS, anomaly=LEARNS, revision=2)
    await hand.publish_blocks(other)
    await hand.grant(DEVICE, other, shadow=5)  # what must learn first cannot be compared
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == digest(other))
    said = await answers(bench, sines(9, LEARNED + 1))
    assert set(said[:LEARNED]) == {(0, 0)}
    assert said[LEARNED] != (0, 0)


async def test_a_task_that_the_model_cannot_do_is_refused(bench, hand, key):
    anomaly = Anomaly(TaskKind.RECONSTRUCTION, threshold=1.0, release=1.0, step=1.0)
    data = sign(features(), key, arena=4 * INPUTS, anomaly=anomaly)  # 6 outputs of 64 inputs
    await bench.start()
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.FAILED)
    assert state.reason == Reason.MODEL_INVALID
