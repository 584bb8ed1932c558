"""Drift by simulation: how often it alarms for nothing, how soon it sees a shift."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from petiole.learning import drift
from petiole.rollout.observed import Reference
from petiole.rollout.plan import Window

START = datetime(2026, 11, 2, tzinfo=UTC)
INTERVAL = timedelta(minutes=15)
Draw = Callable[[np.random.Generator, int], np.ndarray]


def confident(generator: np.random.Generator, n: int, unsure: float = 0.0) -> np.ndarray:
    """Top confidences as bytes: mostly high, a share ``unsure`` lower."""
    high = generator.beta(12, 1.2, n)
    return np.where(generator.random(n) < unsure, generator.beta(4, 2.5, n), high) * 255


CALM_SHARES = (0.4, 0.3, 0.2, 0.1)


def window(
    index: int, confidence: np.ndarray, inputs: np.ndarray, classes: tuple[int, ...] = (), **fields
) -> Window:
    whole = confidence.astype(np.int64)
    return Window(
        index=index,
        start=START + index * INTERVAL,
        end=START + (index + 1) * INTERVAL,
        digest="d",
        devices=fields.get("devices", 10),
        count=len(whole),
        confidence=tuple(np.bincount(whole // 16, minlength=16).tolist()),
        classes=classes or (len(whole),),
        confidence_sum=int(whole.sum()),
        confidence_squares=int((whole**2).sum()),
        input_sum=int(inputs.sum()),
        inputs=tuple(np.bincount(inputs.astype(np.int64) // 16, minlength=16).tolist()),
    )


def series(
    seed: int,
    windows: int,
    *,
    n: int = 300,
    shift_at: int | None = None,
    unsure: float = 0.0,
    gain: float = 0.0,
    spread: float = 0.0,
    calm: tuple[float, ...] = CALM_SHARES,
    shares: tuple[float, ...] = CALM_SHARES,
    lumps: float = 0.0,
    daily: float = 0.0,
) -> list[Window]:
    """Windows of a calm field that moves at ``shift_at``.

    ``spread`` is a common error a window, ``lumps`` how alike the classes of a window are (0 to 1),
    ``daily`` the height of a wave of confidence and input with a period of a day.
    """
    generator = np.random.default_rng(seed)
    made = []
    for index in range(windows):
        moved = shift_at is not None and index >= shift_at
        wave = daily * np.sin(2 * np.pi * index * INTERVAL / timedelta(days=1))
        together = generator.normal(0, spread) + wave
        confidence = confident(generator, n, unsure if moved else 0.0) + together
        inputs = generator.normal(80 + (gain if moved else 0.0) + together, 12, n)
        now = np.array(shares if moved else calm)
        if lumps:
            now = generator.dirichlet(now * (1 / lumps - 1))
        classes = tuple(generator.multinomial(n, now).tolist())
        made.append(window(index, np.clip(confidence, 0, 255), inputs, classes))
    return made


def reference() -> Reference:
    sample = confident(np.random.default_rng(99), 400).astype(np.int64)
    return Reference(
        count=400,
        confidence=tuple(np.bincount(sample // 16, minlength=16).tolist()),
        classes=(400,),
        confidence_sum=int(sample.sum()),
        confidence_squares=int((sample**2).sum()),
        input_sum=400 * 80,
    )


def evaluate(windows: list[Window], *, per_year: float = 1.0, **more) -> drift.DriftVerdict:
    return drift.evaluate(
        reference(),
        windows,
        false_alarms_per_year=per_year,
        interval_seconds=INTERVAL.total_seconds(),
        labels=("scab", "rot", "rust", "healthy"),
        **more,
    )


def per_year(run_length: float) -> float:
    """The false alarm rate at which a false alarm comes every ``run_length`` windows."""
    return 365.25 * 86400 / INTERVAL.total_seconds() / run_length


@pytest.mark.parametrize(
    ("spread", "fewest"), [(0.0, 0), (4.0, 6)], ids=["independent", "devices-move-together"]
)
def test_false_alarms_are_not_more_frequent_than_asked(spread: float, fewest: int) -> None:
    """At one in 400 windows, 60 calm series of 200 windows give about 24 alarms at most.

    Independent devices give fewer: there the smallest step that matters bounds the chart. Where
    that bound does not bite, a chart that hardly speaks would be too deaf for the asked rate.
    """
    alarms = sum(
        evaluate(series(seed, 200, spread=spread), per_year=per_year(400)).state == "Drifted"
        for seed in range(60)
    )
    assert fewest <= alarms <= 35  # 24 and three standard deviations


def test_a_calm_year_asked_for_one_alarm_stays_calm_for_weeks() -> None:
    assert all(evaluate(series(seed, 400)).state == "Stable" for seed in range(12))


@pytest.mark.parametrize(
    "shift",
    [{"unsure": 0.3}, {"gain": 12.0}, {"gain": -12.0}, {"shares": (0.2, 0.3, 0.2, 0.3)}],
    ids=["confidence falls", "input rises", "input falls", "classes change"],
)
@pytest.mark.parametrize("calm", [8, 40])
def test_a_shift_is_seen_within_a_few_windows(shift: dict[str, float], calm: int) -> None:
    for seed in range(10):
        verdict = evaluate(series(seed, calm + 12, shift_at=calm, **shift))
        assert verdict.state == "Drifted", verdict
        late = (verdict.detected_at - START) / INTERVAL - calm
        assert 1 <= late <= 6


def test_the_message_says_what_moved() -> None:
    verdict = evaluate(series(1, 60, shift_at=40, unsure=0.4, gain=30.0))
    assert verdict.message.startswith(
        "since 2026-11-02 10:00:00 the model is less sure (mean confidence 0.91 -> 0.79), "
        "inputs are higher (mean 80 -> 111 of 255); "
        "fewer answers with confidence 0.81-1.00 (88 % -> "
    )
    assert set(verdict.detectors) == {"ConfidenceMean", "InputMean", "ConfidenceShape"}
    assert verdict.since == START + 40 * INTERVAL
    assert verdict.message.endswith("; ".join(verdict.moved))
    assert "more answers with confidence 0.31-0.75 (5 % -> 33 %), PSI 1." in verdict.moved[0]
    assert verdict.moved[1].startswith("more inputs with a mean of 96-1")


def test_the_message_names_the_class_that_moved() -> None:
    verdict = evaluate(series(1, 60, shift_at=40, shares=(0.1, 0.3, 0.2, 0.4)))
    assert verdict.detectors == ("Classes",)
    assert "the model is as sure as before" in verdict.message
    assert verdict.message.endswith(verdict.moved[0])
    assert verdict.moved[0].startswith(
        "fewer answers 'scab' (40 % -> 10 %), more answers 'healthy' (10 % -> 36 %), PSI 0.7"
    )


def test_a_shape_that_keeps_its_mean_is_seen() -> None:
    """Half as sure as ever and half surer: no mean moves."""
    calm = series(2, 40)
    generator = np.random.default_rng(3)
    mean = calm[0].confidence_sum / calm[0].count
    split = [
        window(40 + n, mean + generator.choice([-18.0, 18.0], 300), np.full(300, 80.0), was.classes)
        for n, was in enumerate(calm[:6])
    ]
    assert evaluate([*calm, *split]).detectors == ("ConfidenceShape",)


def test_classes_that_come_in_lumps_are_no_drift() -> None:
    """A device that looks at one leaf for minutes says its class many times over."""
    assert all(evaluate(series(seed, 200, lumps=0.1)).state == "Stable" for seed in range(10))


def test_a_daily_wave_is_no_drift_when_the_baseline_covers_a_day() -> None:
    wave = [series(seed, 960, daily=20.0) for seed in range(3)]
    assert all(evaluate(w, baseline_seconds=86400.0).state == "Stable" for w in wave)
    moved = series(9, 480, daily=20.0, shift_at=400, gain=80.0)
    assert evaluate(moved, baseline_seconds=86400.0).detectors == ("InputMean",)


def test_two_classes_are_watched_too() -> None:
    """Their shares move in one direction only: at one in 400 windows about 12 of 30 at most."""
    two, moved = (0.7, 0.3), (0.5, 0.5)
    rate = per_year(400)
    calm = [evaluate(series(seed, 200, calm=two), per_year=rate) for seed in range(30)]
    assert sum(found.state == "Drifted" for found in calm) <= 20  # and three standard deviations
    found = evaluate(series(4, 60, calm=two, shares=moved, shift_at=40))
    assert (found.state, found.detectors) == ("Drifted", ("Classes",))
    assert found.detected_at is not None
    assert found.detected_at <= START + 43 * INTERVAL


def test_one_freak_window_makes_no_alarm() -> None:
    windows = series(3, 60)
    freak = series(4, 1, unsure=1.0, gain=100.0, shift_at=0)[0]
    assert evaluate([*windows[:40], freak, *windows[40:]]).state == "Stable"


def test_windows_of_few_devices_are_left_out() -> None:
    """Canaries of a rollout are not the fleet: what they differ by is no drift."""
    few = [w.model_copy(update={"devices": 4}) for w in series(5, 8, shift_at=0, unsure=0.5)]
    assert evaluate([*few, *series(6, 40)]).state == "Stable"


def test_a_fleet_that_shrank_is_judged_again() -> None:
    whole, rest = series(5, 20), series(6, 140, shift_at=60, unsure=0.4)
    fewer = [w.model_copy(update={"devices": 4}) for w in rest]
    assert evaluate([*whole, *fewer[:50]]).state == "Stable"
    assert evaluate([*whole, *fewer]).state == "Drifted"


def test_small_windows_are_joined_until_they_say_something() -> None:
    verdict = evaluate(series(7, 60, n=10))
    assert verdict.state == "Stable"
    assert evaluate(series(7, 34, n=10)).message == "6 of 7 windows for a baseline have come in"


def test_without_a_baseline_nothing_is_claimed() -> None:
    verdict = evaluate(series(1, drift.COMMISSIONING))
    assert (verdict.state, verdict.detected_at) == ("Unknown", None)
    assert verdict.message == "6 of 7 windows for a baseline have come in"


def test_an_alarm_stays_and_keeps_its_time() -> None:
    windows = series(3, 80, shift_at=30, unsure=0.4)
    first = evaluate(windows[:45])
    assert first.state == "Drifted"
    assert evaluate(windows) == first


def test_a_field_that_differs_from_the_evaluation_set_from_the_start_is_no_drift() -> None:
    """A model made for a moved field would otherwise alarm for ever."""
    windows = series(4, 120, shift_at=0, unsure=0.5, gain=40.0)
    verdict = evaluate(windows)
    assert verdict.state == "Stable"
    assert verdict.message == "mean confidence 0.76, 0.91 at evaluation"


def test_changes_that_matter_to_nobody_are_not_drift() -> None:
    """A huge fleet resolves a tenth of a percent; nobody retrains for that."""
    windows = series(5, 120, n=20_000, shift_at=60, gain=0.3)
    assert evaluate(windows).state == "Stable"


def test_empty_windows_are_passed_over() -> None:
    windows = series(6, 30)
    empty = window(99, np.zeros(0), np.zeros(0))
    assert evaluate([empty, *windows]).state == evaluate(windows).state == "Stable"


@pytest.mark.parametrize("run_length", [100.0, 1_000.0, 35_000.0])
def test_the_threshold_solves_for_the_asked_run_length(run_length: float) -> None:
    """The height solves Siegmund's formula, for five one-sided charts at an allowance of 0.5."""
    height = drift.height(per_year(run_length), INTERVAL.total_seconds())
    x = height + 1.166
    one_chart = 2 * (np.exp(x) - x - 1)
    assert one_chart / drift.CHARTS == pytest.approx(run_length, rel=1e-6)


def test_rarer_alarms_need_a_higher_threshold() -> None:
    heights = [drift.height(rate, 900.0) for rate in (365, 12, 1)]
    assert heights == sorted(heights)
    assert heights[-1] < 15
