"""Metric gates: intervals against scipy, error rates and speed by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from petiole.api.rollout import Gate, GateTest
from petiole.rollout.gates import MIN_ARM, judge
from petiole.rollout.plan import Arm, Evidence, Stratum

from .fleet import CONFIDENCE

ALLOWED = 0.05
FIRST_LOOK = 0.05 * (6.0 / math.pi**2) ** 2


def arm(means: np.ndarray) -> Arm:
    centre = float(means.mean())
    return Arm(
        devices=len(means),
        mean=centre,
        variance=float(means.var(ddof=1)),
        third_moment=float(((means - centre) ** 3).mean()),
    )


def look(*pairs: tuple[np.ndarray, np.ndarray], number: int = 1, stage: int = 0, gate=CONFIDENCE):
    strata = tuple(
        Stratum(hardware=f"h{n}", canary=arm(c), control=arm(k)) for n, (c, k) in enumerate(pairs)
    )
    return judge(gate, Evidence(gate="g", look=number, stage=stage, strata=strata))


def test_of_one_kind_of_hardware_without_skew_it_is_welch() -> None:
    rng = np.random.default_rng(1)
    canary, control = rng.normal(0.8, 0.03, 20), rng.normal(0.9, 0.05, 60)
    both = [np.concatenate([m, 2 * m.mean() - m]) for m in (canary, control)]  # symmetric
    found = look((both[0], both[1]))
    welch = stats.ttest_ind(both[1], both[0], equal_var=False)
    interval = welch.confidence_interval(1.0 - 2.0 * FIRST_LOOK)
    assert (found.lower, found.upper) == (
        pytest.approx(float(interval.low)),
        pytest.approx(float(interval.high)),
    )


def test_skewed_means_never_make_an_interval_narrower_than_welch() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        canary, control = rng.beta(8, 1, 15), rng.beta(1, 6, 40)
        found = look((canary, control))
        welch = stats.ttest_ind(control, canary, equal_var=False)
        interval = welch.confidence_interval(1.0 - 2.0 * FIRST_LOOK)
        assert found.lower <= float(interval.low) + 1e-12
        assert found.upper >= float(interval.high) - 1e-12


def test_strata_are_weighed_by_their_canaries() -> None:
    rng = np.random.default_rng(3)
    pairs = [
        (rng.normal(0.7, 0.02, n), rng.normal(mean, 0.02, m))
        for n, m, mean in ((10, 90, 0.75), (30, 30, 0.72))
    ]
    found = look(*pairs)
    drops = [k.mean() - c.mean() for c, k in pairs]
    assert found.estimate == pytest.approx(0.25 * drops[0] + 0.75 * drops[1])


def test_error_is_spent_by_look_and_by_stage() -> None:
    rng = np.random.default_rng(4)
    pair = (rng.normal(0.8, 0.03, 20), rng.normal(0.9, 0.03, 60))
    widths = [
        (v := look(pair, number=number, stage=stage)).upper - v.lower
        for stage, number in ((0, 1), (0, 2), (1, 2), (1, 5), (4, 5))
    ]
    assert widths == sorted(widths)
    assert len(set(widths)) == len(widths)
    assert look(pair, number=2, stage=0).lower == look(pair, number=1, stage=1).lower


def normal(rng: np.random.Generator, mean: float, n: int) -> np.ndarray:
    return rng.normal(mean, 0.04, n)


def low(rng: np.random.Generator, mean: float, n: int) -> np.ndarray:
    """Most devices below the mean, few far above: bounded by 0 and 1."""
    return mean + 0.3 * (rng.beta(0.8, 6.0, n) - 0.8 / 6.8)


def high(rng: np.random.Generator, mean: float, n: int) -> np.ndarray:
    return mean - 0.3 * (rng.beta(0.8, 6.0, n) - 0.8 / 6.8)


@pytest.mark.parametrize(
    ("canaries", "controls", "n", "m"),
    [
        (normal, normal, MIN_ARM, MIN_ARM),
        (normal, normal, 30, 170),
        (low, normal, MIN_ARM, 170),
        (low, low, MIN_ARM, 170),
        (high, high, 170, MIN_ARM),
        (normal, high, 20, MIN_ARM),
        (low, high, 40, 40),
    ],
)
def test_a_drop_that_is_allowed_fails_as_seldom_as_stated(canaries, controls, n, m) -> None:
    """At the allowed drop itself, where it is hardest; eight looks while the means settle."""
    rng, runs, wrong = np.random.default_rng(11), 800, 0
    for _ in range(runs):
        canary, control = canaries(rng, 0.85 - ALLOWED, n), controls(rng, 0.85, m)
        for number in range(1, 9):
            noise = 0.01 / math.sqrt(number)
            settled = (canary + rng.normal(0, noise, n), control + rng.normal(0, noise, m))
            verdict = look(settled, number=number).verdict
            if verdict != "Continue":
                wrong += verdict == "Fail"
                break
    assert wrong / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_detection_takes_at_most_half_as_many_devices_again_as_welch_with_one_stage() -> None:
    """Canaries until a drop of 0.08 is found in four of five cases, at the first look."""

    def found(n: int, fails) -> float:
        rng = np.random.default_rng(12)
        return float(
            np.mean([fails(normal(rng, 0.77, n), normal(rng, 0.85, 170)) for _ in range(400)])
        )

    def before(canary: np.ndarray, control: np.ndarray) -> bool:
        test = stats.ttest_ind(control, canary + ALLOWED, equal_var=False, alternative="greater")
        return test.pvalue < 0.05 * 6.0 / math.pi**2

    def now(canary: np.ndarray, control: np.ndarray) -> bool:
        return look((canary, control)).verdict == "Fail"

    sizes = range(MIN_ARM, 60, 2)
    once = next(n for n in sizes if found(n, before) >= 0.8)
    ours = next(n for n in sizes if found(n, now) >= 0.8)
    assert ours <= 1.5 * once


def test_the_controls_mean_is_not_taken_for_known() -> None:
    """A rise is judged by canary - 1.2 control, so scatter of the control widens it by 1.2."""
    test = GateTest(max_rise="20%")
    gate = Gate(name="l", metric="LatencyMean", baseline="ConcurrentControl", test=test)
    rng = np.random.default_rng(13)
    canary, control = rng.normal(1200.0, 50.0, 40), rng.normal(1000.0, 50.0, 40)
    both = [np.concatenate([m, 2 * m.mean() - m]) for m in (canary, control)]
    found = look((both[0], both[1]), gate=gate)
    welch = stats.ttest_ind(both[0], 1.2 * both[1], equal_var=False)
    interval = welch.confidence_interval(1.0 - 2.0 * FIRST_LOOK)
    scale = float(both[1].mean())
    assert found.lower == pytest.approx(0.2 + float(interval.low) / scale)
    assert found.upper == pytest.approx(0.2 + float(interval.high) / scale)
    assert found.estimate == pytest.approx(both[0].mean() / scale - 1.0)
