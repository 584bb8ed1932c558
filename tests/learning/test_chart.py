"""One statistic over windows: deviations are those of a normal variable, whatever varies."""

from __future__ import annotations

import numpy as np
import pytest

from petiole.learning.chart import Baseline, Chart, Point, traces


def deviations(means: np.ndarray, chart: Chart, freedom: int = 1) -> np.ndarray:
    """What each window counts as, the first 20 left out; ``means`` of shape (windows, p)."""
    found = []
    for mean in means:
        point = Point(mean, 1000, 0.0, freedom)
        if len(found) < 20:
            chart.learn(point)
            found.append(0.0)
        else:
            found.append(chart._baseline.deviation(point))
            chart.add(point)
    return np.array(found[20:])


@pytest.mark.parametrize("spreads", [[1.0] * 8, [3.0] + [1.0] * 7, [9.0] + [1.0] * 7])
def test_a_direction_that_stands_out_makes_no_more_alarms(spreads: list[float]) -> None:
    """Weather moves all confidences together: its tail is longer than that of many directions."""
    rng = np.random.default_rng(1)
    means = rng.normal(size=(12_000, 8)) * spreads
    far = deviations(means, Chart(1e9), freedom=8)
    assert 0.0004 < np.mean(far > 3.0) < 0.0024  # 0.00135, and three standard deviations
    assert np.mean(far > 2.0) == pytest.approx(0.0228, abs=0.006)


def test_windows_that_are_left_out_make_the_spread_no_smaller() -> None:
    means = np.random.default_rng(2).normal(size=(40_000, 1))
    chart = Chart(1e9)
    assert deviations(means, chart).std() == pytest.approx(1.0, abs=0.01)
    assert np.std(means[np.abs(means) < 3.0]) < 0.99


@pytest.mark.parametrize(("freedom", "spread"), [(5, [5, 1, 1, 1, 1, 1]), (20, [4, 2, 1, 0.5])])
def test_traces_have_no_bias(freedom: int, spread: list[float]) -> None:
    rng, found = np.random.default_rng(3), []
    for _ in range(3000):
        x = rng.normal(size=(freedom, len(spread))) * np.sqrt(spread)
        found.append(traces(x.T @ x / freedom, freedom))
    wanted = [sum(v**power for v in spread) for power in (1, 2, 3)]
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - wanted) < 4 * error).all()
    assert (4 * error < 0.25 * np.array(wanted)).all()


def test_a_baseline_weighs_windows_by_their_inferences() -> None:
    baseline = Baseline()
    for mean, count in ((0.2, 100), (0.5, 300)):
        baseline.learn(Point(np.array([mean]), count, 0.1))
    assert baseline.mean == pytest.approx((0.2 * 100 + 0.5 * 300) / 400)
    assert baseline.variance == pytest.approx(0.1)
