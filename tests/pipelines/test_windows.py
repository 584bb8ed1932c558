"""Networks of sensor windows: summaries are exact to the byte."""

from __future__ import annotations

import numpy as np

from petiole.learning import anomaly
from petiole_pipelines import windows
from petiole_pipelines.judge import quantised
from petiole_pipelines.planner import Reference, plan

SECONDS, CHANNELS = 10, 3
ALL = (0, 1, 2)


def summary(newest: int, sensors: tuple[int, ...], *, changes: bool) -> bytes:
    return windows.summary((SECONDS, CHANNELS), newest=newest, sensors=sensors, changes=changes)


def test_a_summary_is_mean_and_mean_change_to_the_byte():
    rng = np.random.default_rng(2)
    restless = rng.integers(0, 256, (60, CHANNELS), dtype=np.uint8)
    calm = rng.integers(120, 136, (60, CHANNELS), dtype=np.uint8)
    x = np.concatenate([anomaly.windows(v, SECONDS) for v in (restless, calm)])
    tflite = summary(10, ALL, changes=True)
    planned = plan(tflite)
    assert (planned.out_scale, planned.out_zero_point) == (planned.in_scale, -128)
    found = Reference(tflite).run(quantised(x)).astype(int) + 128
    moved = np.abs(np.diff(x[:, 0].astype(int), axis=1)).mean(axis=1)
    wanted = np.concatenate([x[:, 0].mean(axis=1), moved], axis=1)
    assert np.abs(found - wanted).max() <= 0.5 + 1e-6
    means = Reference(summary(10, ALL, changes=False)).run(quantised(x))
    assert np.array_equal(means, found[:, :CHANNELS] - 128)
    newest = Reference(summary(5, (2, 0), changes=True)).run(quantised(x)).astype(int) + 128
    whole = Reference(windows.summary((5, CHANNELS), newest=5, sensors=ALL, changes=True))
    halves = whole.run(quantised(x[:, :, 5:])).astype(int) + 128
    assert np.array_equal(newest, halves[:, [2, 0, CHANNELS + 2, CHANNELS]])
