"""What a gate says, to whom, and in which words. How often it is wrong: test_gates_errors.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petiole.api.base import fraction
from petiole.api.rollout import Gate, GateTest
from petiole.rollout.gates import judge, shared
from petiole.rollout.plan import Arm, Evidence, Stratum

from .fleet import CONFIDENCE, UPDATE

LATENCY = Gate(
    name="latency",
    metric="LatencyMean",
    baseline="ConcurrentControl",
    test=GateTest(max_rise="20%"),
)


def outcome(n: int, k: int, **more):
    canary = Arm(devices=n, failures=k)
    return judge(UPDATE, Evidence(gate="update", look=1, canary=canary, **more))


def drop(canary: float, *, look: int = 1, n: int = 30, controls: int = 172, sd: float = 0.03):
    arms = {
        "canary": Arm(devices=n, mean=canary, variance=sd**2),
        "control": Arm(devices=controls, mean=0.88, variance=sd**2),
    }
    return judge(CONFIDENCE, Evidence(gate="confidence", look=look, **arms))


# --- outcomes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "k", "verdict"),
    [
        (0, 0, "Continue"),
        (1, 0, "Continue"),
        (1, 1, "Continue"),
        (2, 2, "Fail"),
        (29, 2, "Fail"),
        (30, 2, "Continue"),
        (31, 0, "Continue"),
        (32, 0, "Pass"),
        (55, 1, "Continue"),
        (57, 1, "Pass"),
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
        (23, 0, "rates >= 12.2 % with 95 % confidence; to pass it takes 9 more without a failure"),
        (30, 1, "1 of 30 devices failed, which excludes failure rates >= 14.9 % with 95 %"),
        (32, 0, "0 of 32 devices failed (0 %); at a rate of 10 % there would be more"),
        (
            10,
            2,
            "2 of the first 10 devices failed; at a rate of 1 % there would be fewer, in all but",
        ),
    ],
)
def test_outcome_messages(n: int, k: int, words: str) -> None:
    assert words in outcome(n, k).message


def test_while_devices_are_in_flight_words_change_with_failures_only() -> None:
    def words(n: int, k: int, at: tuple[int, ...]) -> str:
        return outcome(n, k, began=100, failed_at=at).message

    clean = {words(n, 0, ()) for n in range(1, 32)}
    assert clean == {"to pass it takes 32 devices with no failure"}
    one = {words(n, 1, (40,)) for n in range(1, 57)}
    assert one == {"to pass it takes 57 devices with one failure"}
    two = {words(n, 2, (40, 80)) for n in range(2, 80)}
    assert two == {"to pass it takes 82 devices with the 2 failures so far"}


def test_the_words_of_a_stop_stay_when_more_reports_come() -> None:
    stops = [outcome(n, 2, began=n + 30, failed_at=(3, 20)).message for n in range(2, 40)]
    stops += [outcome(n, 3, began=n + 30, failed_at=(3, 20, 22)).message for n in range(3, 40)]
    words = (
        "2 of the first 20 devices failed; at a rate of 1 % there would be fewer, in all but 5 %"
    )
    assert set(stops) == {f"{words} of rollouts"}


def test_silent_devices_are_no_longer_in_flight() -> None:
    assert "23 clean devices exclude" in outcome(23, 0, began=25, silent=2).message
    assert "exclude" not in outcome(23, 0, began=25, silent=1).message


def test_failures_count_where_they_lie_in_the_order_of_beginning() -> None:
    assert outcome(2, 2, began=100, failed_at=(40, 90)).verdict == "Continue"
    assert outcome(2, 2, began=100, failed_at=(10, 29)).verdict == "Fail"
    assert outcome(2, 2, began=100, failed_at=(10, 30)).verdict == "Continue"


def test_failures_whose_place_is_not_kept_may_lie_anywhere_among_those_that_began() -> None:
    places = tuple(range(400, 400 + 64 * 40, 40))
    many = {"began": 4000, "failed_at": places}
    assert outcome(4000, 64, **many).verdict == "Pass"
    assert outcome(4000, 180, **many).verdict == "Fail"
    assert outcome(4000, 180, **many, set_aside=100).verdict == "Continue"


def test_failures_set_aside_do_not_stop_but_do_not_pass_either() -> None:
    aside = {"began": 40, "failed_at": (12,), "set_aside": 7}
    verdict = outcome(40, 8, **aside)
    assert verdict.verdict == "Continue"
    assert verdict.message.startswith("7 failures of one cluster, which the others do not bear out")
    assert "to pass it takes" in verdict.message
    assert outcome(40, 8, began=40, failed_at=tuple(range(5, 13))).verdict == "Fail"


@given(n=st.integers(1, 300), k=st.integers(0, 12), devices=st.sampled_from([0, 30, 200, 5000]))
def test_the_number_of_clean_devices_asked_for_is_enough_and_no_more(
    n: int, k: int, devices: int
) -> None:
    n += k
    if devices and n > devices:
        return
    late = {"failed_at": tuple(10_000 + i for i in range(k)), "devices": devices}
    verdict = outcome(n, k, **late)
    if verdict.verdict != "Continue" or "it is bad" in verdict.message:
        return
    more = int(verdict.message.split("takes ")[1].split(" ")[0])
    assert outcome(n + more, k, **late).verdict == "Pass"
    assert outcome(n + more - 1, k, **late).verdict == "Continue"


@pytest.mark.parametrize(
    ("devices", "n", "k", "verdict", "words"),
    [
        (30, 18, 0, "Continue", "18 clean devices exclude failure rates >= 13.3 %"),
        (30, 18, 0, "Continue", "to pass it takes 1 more without a failure"),
        (30, 19, 0, "Pass", "if 3 of the fleet's 30 devices failed there would be more"),
        (30, 27, 1, "Continue", "to pass it takes 1 more without a failure"),
        (5, 4, 0, "Continue", "to pass it takes 1 more without a failure"),
        (5, 5, 0, "Pass", "if 1 of the fleet's 5 devices failed there would be more"),
        (5, 5, 1, "Fail", "1 of the first 5 devices failed"),
        (10, 10, 1, "Continue", "1 failed; with 1 of the fleet's 10 devices it is bad"),
        (100, 25, 0, "Continue", "25 clean devices exclude failure rates >= 10 %"),
        (100, 45, 0, "Pass", "if 10 of the fleet's 100 devices"),
    ],
)
def test_in_a_small_fleet_the_rest_of_it_is_counted(
    devices: int, n: int, k: int, verdict: str, words: str
) -> None:
    late = tuple(range(devices - k + 1, devices + 1))
    found = outcome(n, k, devices=devices, failed_at=late)
    assert (found.verdict, words in found.message) == (verdict, True), found.message


@given(
    devices=st.integers(2, 400),
    k=st.integers(0, 20),
    at=st.integers(0, 400),
    extra=st.integers(1, 5),
)
def test_more_failures_never_pass_and_never_unstop(
    devices: int, k: int, at: int, extra: int
) -> None:
    n = min(devices, k + extra + at)
    if n < k + extra:
        return
    fewer = outcome(n, k, devices=devices).verdict
    more = outcome(n, k + extra, devices=devices).verdict
    strength = {"Pass": 0, "Continue": 1, "Fail": 2}
    assert strength[more] >= strength[fewer]


# --- means ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("canary", "look", "n", "controls", "verdict"),
    [
        (0.61, 1, 30, 172, "Fail"),
        (0.83, 1, 30, 172, "Continue"),
        (0.87, 1, 30, 172, "Pass"),
        (0.95, 1, 30, 172, "Pass"),
        (0.61, 0, 30, 172, "Continue"),
        (0.61, 1, 11, 172, "Continue"),
        (0.61, 1, 12, 172, "Fail"),
        (0.61, 1, 30, 11, "Continue"),
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
    assert "11 canaries and 172 devices on the stable revision with hardware like theirs" in (
        drop(0.61, n=11).message
    )


def test_devices_that_all_agree_make_an_interval_of_no_width() -> None:
    verdict = drop(0.61, sd=0.0)
    assert verdict.verdict == "Fail"
    assert verdict.lower == verdict.upper == pytest.approx(0.27)


def strata(**by_hardware: tuple[int, float, int, float]) -> tuple[Stratum, ...]:
    return tuple(
        Stratum(
            hardware=name,
            canary=Arm(devices=n, mean=canary, variance=1e-4),
            control=Arm(devices=m, mean=control, variance=1e-4),
        )
        for name, (n, canary, m, control) in by_hardware.items()
    )


def test_canaries_are_compared_with_controls_of_their_own_hardware() -> None:
    """Half the canaries are of a kind that few controls are of, and that is always lower."""
    found = judge(
        CONFIDENCE,
        Evidence(
            gate="c", look=1, strata=strata(old=(20, 0.60, 20, 0.60), new=(20, 0.9, 180, 0.9))
        ),
    )
    assert found.verdict == "Pass"
    assert found.estimate == pytest.approx(0.0)
    worse = judge(
        CONFIDENCE,
        Evidence(
            gate="c", look=1, strata=strata(old=(20, 0.40, 20, 0.60), new=(20, 0.9, 180, 0.9))
        ),
    )
    assert worse.verdict == "Fail"
    assert worse.estimate == pytest.approx(0.10)


def test_hardware_without_controls_says_nothing() -> None:
    parts = strata(old=(30, 0.40, 0, 0.0), new=(11, 0.9, 180, 0.9))
    found = judge(CONFIDENCE, Evidence(gate="c", look=1, strata=parts))
    assert found.verdict == "Continue"
    assert found.message.startswith("11 canaries and 180 devices")


def latency(canary: float):
    parts = strata(m4=(20, canary, 60, 10_000.0))
    spread = tuple(
        Stratum(
            hardware=s.hardware,
            canary=s.canary.model_copy(update={"variance": 500.0**2}),
            control=s.control.model_copy(update={"variance": 500.0**2}),
        )
        for s in parts
    )
    return judge(LATENCY, Evidence(gate="latency", look=1, strata=spread))


def test_a_rise_is_measured_against_the_controls_mean() -> None:
    slow = latency(14_000.0)
    assert (slow.verdict, slow.estimate) == ("Fail", pytest.approx(0.4))
    assert slow.message.startswith("mean latency of 20 canaries was 14.0 ms, 40 % above the 60")
    assert "20 % allowed" in slow.message
    assert latency(12_000.0).verdict == "Continue"
    assert latency(11_000.0).verdict == "Pass"
    fast = latency(5_000.0)
    assert "50 % below" in fast.message
    assert "not above with 95 % confidence" in fast.message


# --- the family -----------------------------------------------------------------------------------


@given(
    st.lists(st.integers(100, 4999), min_size=1, max_size=8),
    st.integers(400, 4999),
)
def test_gates_share_one_bound(alphas: list[int], bound: int) -> None:
    tests = [GateTest(good="1%", bad="10%", alpha=f"{a / 100:.2f}%") for a in alphas]
    gates = [Gate(name=f"g{n}", outcome="Confirmed", test=t) for n, t in enumerate(tests)]
    found = shared(gates, f"{bound / 100:.2f}%")
    hundredths = [round(fraction(g.test.alpha) * 10_000) for g in found]
    assert sum(hundredths) <= max(bound, sum(alphas) if sum(alphas) <= bound else 0)
    assert sum(hundredths) >= min(bound, sum(alphas)) - len(gates)
    if sum(alphas) <= bound:
        assert found == tuple(gates)
    for gate in found:
        Gate.model_validate(gate.model_dump())


def test_without_a_bound_gates_stay_as_they_are() -> None:
    assert shared([UPDATE, CONFIDENCE], None) == (UPDATE, CONFIDENCE)


@pytest.mark.parametrize(
    ("gate", "field"),
    [
        (Gate(name="g", outcome="Confirmed", test=GateTest(bad="10%")), "test.good"),
        (Gate(name="g", metric="ConfidenceMean", test=GateTest()), "test.maxDrop"),
        (Gate(name="g", metric="LatencyMean", test=GateTest()), "test.maxRise"),
    ],
)
def test_a_gate_that_lacks_a_rate_is_refused_by_name(gate: Gate, field: str) -> None:
    arm = Arm(devices=10, mean=0.5, variance=0.1)
    with pytest.raises(ValueError, match=f"gate 'g' needs {field}"):
        judge(gate, Evidence(gate="g", look=1, canary=arm, control=arm))
