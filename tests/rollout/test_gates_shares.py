"""Gates on disagreement: error rates by simulation, exact cases, and what is known for sure."""

from __future__ import annotations

from collections import Counter
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petiole.api.rollout import Gate, GateTest
from petiole.rollout.gates import judge
from petiole.rollout.plan import Evidence

GATE = Gate(name="same", metric="Disagreement", test=GateTest(max="10%"))


def verdict(shares: dict[int, int], devices: int = 0, gate: Gate = GATE):
    return judge(gate, Evidence(gate="same", look=3, shares=shares, devices=devices))


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({}, "Continue"),
        ({0: 34}, "Continue"),
        ({0: 35}, "Pass"),
        ({30: 50}, "Pass"),
        ({300: 3}, "Continue"),
        ({300: 4}, "Fail"),
        ({1000: 1}, "Continue"),
        ({1000: 2}, "Fail"),
        ({0: 8, 1000: 1}, "Continue"),
    ],
)
def test_verdicts(shares: dict[int, int], said: str) -> None:
    assert verdict(shares).verdict == said


def test_a_bet_on_devices_that_all_agree_is_worth_what_it_says() -> None:
    """Half of the capital is staked whole: n devices multiply it by (1 / 0.9)^n, and 35 suffice."""
    found = verdict({0: 35})
    assert found.upper == pytest.approx(0.0973, abs=5e-4)
    assert 0.5 * (1.0 / (1.0 - found.upper)) ** 35 == pytest.approx(20.0, rel=0.2)


def test_a_small_fleet_is_known_in_the_end() -> None:
    assert verdict({0: 5}, devices=6).verdict == "Continue"  # the sixth may still differ
    assert verdict({0: 5}, devices=5).verdict == "Pass"
    assert verdict({0: 19}, devices=20).verdict == "Pass"
    assert verdict({100: 5}, devices=5).verdict == "Pass"
    assert verdict({101: 5}, devices=5).verdict == "Fail"


def test_it_is_said_in_words() -> None:
    found = verdict({300: 9, 320: 3})
    assert found.estimate == pytest.approx(0.305)
    assert found.message.startswith(
        "the new model disagreed with the one that answers on 30.5 % of the inputs, on average "
        "over 12 devices (at least "
    )
    assert found.message.endswith(" % with 95 % confidence; 10 % allowed)")
    with pytest.raises(ValueError, match=r"needs test\.max"):
        verdict({0: 1}, gate=GATE.model_copy(update={"test": GateTest()}))


counts = st.dictionaries(st.integers(0, 1000), st.integers(1, 50), min_size=1, max_size=8)


@given(counts, st.integers(0, 400))
def test_bounds_hold_the_estimate_and_devices_only_narrow_what_is_sure(shares, more) -> None:
    found = verdict(shares)
    assert found.lower <= found.estimate + 1e-9 <= found.upper + 2e-9
    known = verdict(shares, devices=sum(shares.values()) + more)
    assert found.lower <= known.lower <= known.upper <= found.upper


def heavy(rng: np.random.Generator, mean: float, n: int) -> np.ndarray:
    """Most devices agree always, a few never."""
    return (rng.random(n) < mean).astype(float)


def even(rng: np.random.Generator, mean: float, n: int) -> np.ndarray:
    return rng.binomial(100, mean, n) / 100


def broad(rng: np.random.Generator, mean: float, n: int) -> np.ndarray:
    return rng.beta(0.5, 0.5 * (1.0 - mean) / mean, n)


@pytest.mark.parametrize("draw", [heavy, even, pytest.param(broad, marks=pytest.mark.long)])
@pytest.mark.parametrize(("wrong", "mean"), [("Fail", 0.099), ("Pass", 0.101)])
def test_at_the_limit_it_errs_as_seldom_as_stated_however_often_it_looks(draw, wrong, mean):
    rng, runs, errors = np.random.default_rng(7), 300, 0
    for _ in range(runs):
        devices = np.round(draw(rng, mean, 120) * 1000).astype(int)
        looks = (Counter(devices[:n].tolist()) for n in range(3, 121, 9))
        errors += any(verdict(dict(shares)).verdict == wrong for shares in looks)
    assert errors / runs <= 0.05 + 2 * sqrt(0.05 * 0.95 / runs)


def test_a_model_that_differs_is_found_by_few_and_a_good_one_passes_with_sixty() -> None:
    rng = np.random.default_rng(8)
    for _ in range(50):
        differs = np.round(even(rng, 0.3, 10) * 1000).astype(int)
        agrees = np.round(even(rng, 0.03, 60) * 1000).astype(int)
        assert verdict(dict(Counter(differs.tolist()))).verdict == "Fail"
        assert verdict(dict(Counter(agrees.tolist()))).verdict == "Pass"
