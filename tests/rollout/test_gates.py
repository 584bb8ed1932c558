"""What a gate says, and how often it is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petiole.api.rollout import Gate, GateTest
from petiole.rollout.cohort import order, rank
from petiole.rollout.gates import judge
from petiole.rollout.plan import Arm, Evidence

from .fleet import CONFIDENCE, UPDATE


def outcome(n: int, k: int):
    canary = Arm(devices=n, failures=k)
    return judge(UPDATE, Evidence(gate="update", look=1, canary=canary, control=Arm()))


def drop(canary: float, *, look: int = 1, n: int = 30, controls: int = 172, sd: float = 0.03):
    arms = {
        "canary": Arm(devices=n, mean=canary, variance=sd**2),
        "control": Arm(devices=controls, mean=0.88, variance=sd**2),
    }
    return judge(CONFIDENCE, Evidence(gate="confidence", look=look, **arms))


@pytest.mark.parametrize(
    ("n", "k", "verdict"),
    [
        (0, 0, "Continue"),
        (1, 0, "Continue"),
        (1, 1, "Continue"),
        (2, 2, "Fail"),
        (10, 2, "Fail"),
        (30, 0, "Continue"),
        (31, 0, "Pass"),
        (30, 1, "Continue"),
        (56, 1, "Continue"),
        (57, 1, "Pass"),
        (30, 2, "Continue"),
        (200, 20, "Fail"),
    ],
)
def test_outcomes(n: int, k: int, verdict: str) -> None:
    assert outcome(n, k).verdict == verdict


@pytest.mark.parametrize(
    ("n", "k", "words"),
    [
        (0, 0, "no device has finished yet"),
        (1, 0, "1 clean device excludes failure rates >= 95 % with 95 % confidence"),
        (
            23,
            0,
            "rates >= 12.2 % with 95 % confidence; to pass it takes 8 more without a failure",
        ),
        (30, 1, "to pass it takes 27 more without a failure"),
        (31, 0, "0 of 31 devices failed (0 %); at a rate of 10 % there would be more"),
        (10, 2, "2 of 10 devices failed (20 %); at a rate of 1 % there would be fewer"),
    ],
)
def test_outcome_messages(n: int, k: int, words: str) -> None:
    assert words in outcome(n, k).message


@given(n=st.integers(1, 300), k=st.integers(0, 30))
def test_the_number_of_clean_devices_asked_for_is_enough_and_no_more(n: int, k: int) -> None:
    verdict = outcome(n + k, k)
    if verdict.verdict != "Continue":
        return
    more = int(verdict.message.split("takes ")[1].split(" ")[0])
    assert outcome(n + k + more, k).verdict == "Pass"
    assert outcome(n + k + more - 1, k).verdict == "Continue"


@pytest.mark.parametrize(
    ("rate", "wrong", "most"), [(0.01, "Fail", 0.05), (0.10, "Pass", 0.05)], ids=["good", "bad"]
)
def test_outcome_error_rates_when_looked_at_after_every_device(
    rate: float, wrong: str, most: float
) -> None:
    """Wald's bound, alpha / (1 - beta) = 5.3 %, and three standard deviations of 2,000 runs."""
    generator = np.random.default_rng(7)
    runs, errors = 2000, 0
    table = {(n, k): outcome(n, k).verdict for n in range(1, 201) for k in range(8)}
    for _ in range(runs):
        failed = np.cumsum(generator.random(200) < rate)
        verdicts = (table.get((n, int(k)), "Fail") for n, k in enumerate(failed, start=1))
        first = next((v for v in verdicts if v != "Continue"), "Continue")
        errors += first == wrong
    bound = most / 0.95
    assert errors / runs <= bound + 3 * math.sqrt(bound * (1 - bound) / runs)
    assert errors > 0  # a test that cannot be wrong is not this test


@pytest.mark.parametrize(
    ("canary", "look", "n", "controls", "verdict"),
    [
        (0.61, 1, 30, 172, "Fail"),
        (0.83, 1, 30, 172, "Continue"),
        (0.87, 1, 30, 172, "Pass"),
        (0.95, 1, 30, 172, "Pass"),
        (0.61, 0, 30, 172, "Continue"),
        (0.61, 1, 7, 172, "Continue"),
        (0.61, 1, 8, 172, "Fail"),
        (0.61, 1, 30, 7, "Continue"),
        (0.81, 1, 30, 172, "Fail"),
        (0.81, 10_000, 30, 172, "Continue"),  # so many looks have spent nearly all error
    ],
)
def test_drops(canary: float, look: int, n: int, controls: int, verdict: str) -> None:
    assert drop(canary, look=look, n=n, controls=controls).verdict == verdict


def test_drop_messages() -> None:
    assert drop(0.61).message == (
        "mean confidence of 30 canaries was 0.61, 0.27 below the 172 devices on the stable "
        "revision (at least 0.26 below with 95 % confidence; 0.05 allowed)"
    )
    assert "0.07 above the 172 devices" in drop(0.95).message
    assert "not below with 95 % confidence" in drop(0.95).message
    assert "the true drop lies between 0.04 and 0.06, 0.05 allowed" in drop(0.83).message
    assert "7 canaries and 172 devices on the stable revision have reported; 8 of each" in (
        drop(0.61, n=7).message
    )


def test_devices_that_all_agree_make_an_interval_of_no_width() -> None:
    verdict = drop(0.61, sd=0.0)
    assert (verdict.verdict, verdict.lower, verdict.upper) == ("Fail", 0.27, 0.27)


@pytest.mark.parametrize(("true_drop", "wrong"), [(0.05, "Fail"), (0.05, "Pass")])
def test_drop_error_rates_over_many_looks(true_drop: float, wrong: str) -> None:
    """At the allowed drop itself both errors are largest; each stays below its 5 %."""
    generator = np.random.default_rng(11)
    runs, errors = 300, 0
    for _ in range(runs):
        canary = generator.normal(0.9 - true_drop, 0.05, 20)
        control = generator.normal(0.9, 0.03, 60)
        for look in range(1, 15):  # the devices' means settle as they count on
            c = canary + generator.normal(0, 0.05 / look, 20)
            s = control + generator.normal(0, 0.05 / look, 60)
            arms = {
                "canary": Arm(devices=20, mean=c.mean(), variance=c.var(ddof=1)),
                "control": Arm(devices=60, mean=s.mean(), variance=s.var(ddof=1)),
            }
            verdict = judge(CONFIDENCE, Evidence(gate="confidence", look=look, **arms)).verdict
            if verdict != "Continue":
                errors += verdict == wrong
                break
    assert errors / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(
    ("gate", "field"),
    [
        (Gate(name="g", outcome="Confirmed", test=GateTest(bad="10%")), "test.good"),
        (Gate(name="g", metric="ConfidenceMean", test=GateTest()), "test.maxDrop"),
    ],
)
def test_a_gate_that_lacks_a_rate_is_refused_by_name(gate: Gate, field: str) -> None:
    arm = Arm(devices=10, mean=0.5, variance=0.1)
    with pytest.raises(ValueError, match=f"gate 'g' needs {field}"):
        judge(gate, Evidence(gate="g", look=1, canary=arm, control=arm))


@given(st.sets(st.text(min_size=1)), st.integers(0, 1000))
def test_a_cohort_is_an_order_of_all_devices_that_does_not_depend_on_theirs(
    devices: set[str], revision: int
) -> None:
    ordered = order(revision, devices)
    assert set(ordered) == devices
    assert len(ordered) == len(devices)
    assert ordered == order(revision, sorted(devices, reverse=True))
    assert [rank(revision, d) for d in ordered] == sorted(rank(revision, d) for d in devices)


def test_another_revision_has_other_canaries() -> None:
    devices = [f"dev-{n}" for n in range(200)]
    first, second = set(order(1, devices)[:40]), set(order(2, devices)[:40])
    assert 2 <= len(first & second) <= 18  # 8 expected, when drawn at random
