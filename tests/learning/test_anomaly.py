"""Scores are the device's own bits; alarms have hysteresis; a choice holds on runs left out."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import pytest

from hack.testbed.exactness import BUILD, Talk, build
from petiole.learning import anomaly

DISTANCE, DIFFERENCE = 1, 2  # commands of firmware/tests/score_server.c


@pytest.fixture(scope="module")
def device() -> Iterator[Talk]:
    build("scores-host")
    with Talk((str(BUILD / "host" / "score_server"),)) as running:
        yield running


@pytest.mark.parametrize(
    ("features", "inputs", "spread"),
    [(1, 2, 9.0), (4, 40, 0.3), (6, 341, 5.0), (16, 400, 40.0), (16, 3, 120.0)],
)
def test_distances_are_the_device_s_bits(device, features, inputs, spread):
    rng = np.random.default_rng(features * inputs)
    mix = rng.normal(size=(features, features)) * spread
    vectors = rng.normal(size=(inputs + 200, features)) @ mix + rng.uniform(-40, 40, features)
    vectors[-20:] += 90
    vectors = np.clip(np.round(vectors), -128, 127).astype(np.int8)
    head = struct.pack("<3I", features, inputs, 200)
    answer = device.ask(DISTANCE, head + vectors.tobytes())
    said = np.frombuffer(answer[:800], np.uint32)
    assert anomaly.distances(vectors, inputs).tolist() == said.tolist()


def test_the_longest_distance_does_not_wrap(device):
    learned, far = np.full((2, 16), -128, np.int8), np.full((1, 16), 127, np.int8)
    answer = device.ask(DISTANCE, struct.pack("<3I", 16, 2, 1) + learned.tobytes() + far.tobytes())
    scores = anomaly.distances(np.concatenate([learned, far]), 2)
    assert scores.tolist() == list(struct.unpack("<I", answer[:4]))


@pytest.mark.parametrize(("step", "zero"), [(65536, -128), (1, 127), (1_000_000, 4)])
def test_differences_are_the_device_s_integers(device, step, zero):
    rng = np.random.default_rng(step)
    given = rng.integers(0, 256, (20, 60), dtype=np.uint8)
    made = rng.integers(-128, 128, (20, 60), dtype=np.int8)
    tlv = struct.pack("<4IiI", 1, 1, 1, step, zero, 0)
    said = [
        struct.unpack("<I", device.ask(DIFFERENCE, tlv + x.tobytes() + y.tobytes())[:4])[0]
        for x, y in zip(given, made, strict=True)
    ]
    assert anomaly.differences(given, made, step, zero).tolist() == said


def test_too_little_to_learn_from_is_refused():
    with pytest.raises(ValueError, match="learn from 5 of 4"):
        anomaly.distances(np.zeros((4, 2), np.int8), 5)
    with pytest.raises(ValueError, match="learn from 1 of 4"):
        anomaly.distances(np.zeros((4, 2), np.int8), 1)


def test_an_alarm_lasts_until_the_release():
    scores = np.array([0, 4, 9, 5, 4, 9, 3, 4, 9, 10, 2], np.uint32)
    raised = anomaly.alarms(scores, threshold=9, release=4)
    assert raised.astype(int).tolist() == [0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
    alone = anomaly.alarms(scores, threshold=9, release=9)
    assert alone.tolist() == (scores >= 9).tolist()


def test_bytes_are_those_of_the_machine_itself():
    rng = np.random.default_rng(1)
    readings = rng.normal([230.0, 0.03], [10.0, 0.001], (600, 2))
    scale = anomaly.Scale.of(readings[:60], spreads=8.0)
    values = scale.bytes(readings)
    assert np.abs(values.mean(axis=0) - 128).max() < 8
    assert values.std(axis=0) == pytest.approx([127 / 8] * 2, rel=0.3)
    assert scale.bytes(np.array([[1e9, -1e9]])).tolist() == [[255, 0]]


def test_a_channel_that_stands_still_has_a_scale():
    scale = anomaly.Scale.of(np.full((60, 2), [5.0, 0.0]), spreads=8.0)
    assert scale.bytes(np.array([[5.0, 0.0], [6.0, 1.0]])).tolist() == [[128, 128], [255, 255]]


def test_windows_end_with_the_newest_second():
    values = np.arange(12, dtype=np.uint8).reshape(6, 2)
    found = anomaly.windows(values, 4)
    assert found.shape == (3, 1, 4, 2)
    assert found[1, 0].tolist() == values[1:5].tolist()


def test_shares_of_counts():
    truth = np.array([0, 0, 0, 0, 1, 1], bool)
    raised = np.array([1, 0, 0, 0, 1, 0], bool)
    counts = anomaly.counted(raised, truth)
    assert counts.tolist() == [1, 1, 1, 3]
    assert anomaly.f1(counts) == 0.5
    assert anomaly.false_alarms(counts) == 0.25


THRESHOLDS, DETECTORS = np.arange(1.0, 6.0, 0.25), 12


def runs(seed: int) -> np.ndarray:
    """Detectors that are all alike, at many thresholds: who looks best owes it to chance.

    [options, 20 runs, 4]; some runs are far more restless than others.
    """
    rng = np.random.default_rng(seed)
    restless = rng.normal(-1.0, 0.8, (DETECTORS, 1, 20))
    faults = rng.normal(4, 1.5, (DETECTORS, 1, 20))
    at = THRESHOLDS[None, :, None]
    wrong = np.round(200 / (1 + np.exp(2 * (at - 2 - restless)))).astype(int)
    hits = np.round(200 / (1 + np.exp(2 * (at - faults)))).astype(int)
    return np.stack([hits, wrong, 200 - hits, 200 - wrong], axis=-1).reshape(-1, 20, 4)


def test_a_choice_keeps_its_limit_on_runs_it_has_not_seen():
    limit, naive, chosen = 0.1, [], []
    for seed in range(40):
        counts = runs(seed)
        seen, unseen = counts[:, :10], counts[:, 10:]
        total = seen.sum(axis=1)
        best = np.where(anomaly.false_alarms(total) <= limit, anomaly.f1(total), -1).argmax()
        naive.append(unseen[best].sum(axis=0))
        choice = anomaly.choose(seen, limit)
        assert choice is not None
        assert choice.expected <= limit
        chosen.append(unseen[choice.option].sum(axis=0))
    kept, missed = (float(anomaly.false_alarms(np.sum(c, axis=0))) for c in (chosen, naive))
    assert missed > limit
    assert kept < limit


def test_no_choice_when_all_are_too_loud():
    counts = np.array([[[90, 50, 10, 50]] * 4, [[80, 20, 20, 80]] * 4])
    assert anomaly.choose(counts, 0.1) is None
    choice = anomaly.choose(counts, 0.3)
    assert choice is not None
    assert (choice.option, choice.nominal, choice.expected) == (1, 0.3, 0.2)
