"""Has the field moved? A sequential test on what devices report, with a stated false alarm rate.

Devices send histograms, never inputs, so two means are watched: of the confidence (a model that
meets something new is less sure) and of the input (a sensor that ages moves it at once).

Three traps shape the method. The reference from the evaluation set has an error of its own, which
all windows share; a chart against it drifts off by itself, and a model retrained for a moved field
would alarm for ever. So windows are compared with the windows before them, and the reference only
explains. Devices of a window resemble each other, so the spread between windows is measured, not
derived from the number of inferences. And a large fleet resolves changes that matter to nobody, so
the smallest step is bounded below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from scipy import optimize

from petiole.rollout.observed import Reference
from petiole.rollout.plan import Window

COMMISSIONING = 6  # windows that make the first baseline
_ALLOWANCE = 0.5  # standard deviations; tunes the chart to shifts of twice that
_RESOLUTION = 0.005 * 255.0  # half a point of full scale: less is not drift that matters
_SUSPECT = 3.0  # standard deviations; such a window is counted but not learned from
_YEAR_SECONDS = 365.25 * 86400.0
_CHARTS = 3  # confidence down, input down, input up


@dataclass(frozen=True, slots=True)
class DriftVerdict:
    """``score`` is the largest chart divided by its threshold: an alarm at 1."""

    state: Literal["Unknown", "Stable", "Drifted"]
    detected_at: datetime | None
    score: float
    message: str


def evaluate(
    reference: Reference,
    windows: Sequence[Window],
    *,
    false_alarms_per_year: float,
    interval_seconds: float,
) -> DriftVerdict:
    """Judge one artefact's windows, oldest first. Recomputed from all of them: nothing is kept.

    After an alarm the later windows are not looked at; a new revision starts a new series.
    """
    seen = [w for w in windows if w.count > 0]
    if len(seen) <= COMMISSIONING:
        text = f"{len(seen)} of {COMMISSIONING + 1} windows for a baseline have come in"
        return DriftVerdict("Unknown", None, 0.0, text)
    limit = threshold(false_alarms_per_year, interval_seconds)
    charts = (_Chart(_confidence, -1), _Chart(_input, -1), _Chart(_input, 1))
    score = 0.0
    for at, window in enumerate(seen):
        score = max(chart.add(window) for chart in charts) / limit
        if score >= 1.0:
            loudest = max(charts, key=lambda chart: chart.height)
            text = _explain(seen[: loudest.calm], seen[loudest.calm : at + 1])
            return DriftVerdict("Drifted", window.end, score, text)
    return DriftVerdict("Stable", None, score, _calm(reference, seen))


def threshold(false_alarms_per_year: float, interval_seconds: float) -> float:
    """Height at which one of three charts alarms falsely as often as asked, in standard deviations.

    Average run length of a one-sided CUSUM without drift, for allowance k and height h:
    ``(exp(2 k b) - 2 k b - 1) / (2 k^2)`` with ``b = h + 1.166`` (D. Siegmund, "Sequential
    Analysis", Springer 1985, section 10.2). Rates of several charts add up.
    """
    runs = _CHARTS * _YEAR_SECONDS / (interval_seconds * false_alarms_per_year)
    runs = max(runs, 10.0)  # the formula is for long runs; nobody wants an alarm every few windows

    def excess(height: float) -> float:
        x = 2.0 * _ALLOWANCE * (height + 1.166)
        return math.log(math.expm1(x) - x) - math.log(2.0 * _ALLOWANCE**2 * runs)

    return float(optimize.brentq(excess, 1e-6, 200.0))


# --- one chart ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Point:
    """Mean of a window in units of 0..255, its inferences, and their variance where it is known."""

    mean: float
    count: int
    variance: float


def _confidence(window: Window) -> _Point:
    mean = window.confidence_sum / window.count
    variance = window.confidence_squares / window.count - mean * mean
    return _Point(mean, window.count, max(variance, 0.0))


def _input(window: Window) -> _Point:
    return _Point(window.input_sum / window.count, window.count, 0.0)


@dataclass(slots=True)
class _Baseline:
    """Running weighted mean and spread of the windows learned from (West's update, CACM 1979)."""

    windows: int = 0
    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    within: float = 0.0

    def learn(self, point: _Point) -> None:
        self.windows += 1
        self.count += point.count
        step = point.mean - self.mean
        share = point.count / self.count
        self.mean += step * share
        self.squares += point.count * step * step * (1.0 - share)
        self.within += (point.variance - self.within) * share

    def deviation(self, point: _Point) -> float:
        """How far ``point`` lies off, in standard deviations of a normal variable.

        D. M. Hawkins, "Self-starting CUSUM charts for location and scale", The Statistician 36
        (1987), 299-316: the mean and spread of the windows before it make Student's t, which is
        exact from the first window on. Student's t to normal by D. L. Wallace, Ann. Math. Stat. 30
        (1959), 1124-1130.
        """
        freedom = self.windows - 1
        spread = max(self.squares / freedom, self.within)
        error = math.sqrt(spread * (1.0 / point.count + 1.0 / self.count))
        t = (point.mean - self.mean) / max(error, _RESOLUTION)
        normal = math.sqrt(freedom * math.log1p(t * t / freedom))
        return math.copysign(normal * (8 * freedom + 1) / (8 * freedom + 3), t)


@dataclass(slots=True)
class _Chart:
    """One-sided CUSUM of a window mean; ``direction`` is 1 for upwards and -1 for downwards."""

    measure: Callable[[Window], _Point]
    direction: int
    height: float = 0.0
    calm: int = 0  # windows up to the last one at which the chart stood at zero
    _seen: int = 0
    _baseline: _Baseline = field(default_factory=_Baseline)

    def add(self, window: Window) -> float:
        """Take one more window; return the chart's height in standard deviations."""
        point = self.measure(window)
        self._seen += 1
        deviation = 0.0
        if self._baseline.windows >= COMMISSIONING:
            deviation = self._baseline.deviation(point)
            self.height = max(0.0, self.height + self.direction * deviation - _ALLOWANCE)
        if self.height == 0.0:
            self.calm = self._seen
        if abs(deviation) < _SUSPECT:
            self._baseline.learn(point)
        return self.height


# --- words ----------------------------------------------------------------------------------------


def _explain(calm: Sequence[Window], moved: Sequence[Window]) -> str:
    """Say what moved, in numbers that a person can check."""
    before, after = _Summary.of(calm), _Summary.of(moved)
    return (
        f"since {moved[0].start:%Y-%m-%d %H:%M:%S} mean confidence {before.confidence:.2f} -> "
        f"{after.confidence:.2f}, mean input {before.input:.0f} -> {after.input:.0f} of 255, "
        f"answers below half confidence {100 * before.low:.0f} % -> {100 * after.low:.0f} %"
    )


def _calm(reference: Reference, seen: Sequence[Window]) -> str:
    now = _Summary.of(seen)
    text = f"mean confidence {now.confidence:.2f}"
    if reference.count:
        text += f", {reference.confidence_sum / reference.count / 255.0:.2f} at evaluation"
    return text


@dataclass(frozen=True, slots=True)
class _Summary:
    """Several windows in three numbers: fractions, and the mean input in units of 0..255."""

    confidence: float
    input: float
    low: float

    @classmethod
    def of(cls, windows: Sequence[Window]) -> _Summary:
        count = sum(w.count for w in windows)
        half = len(windows[0].confidence) // 2
        return cls(
            confidence=sum(w.confidence_sum for w in windows) / count / 255.0,
            input=sum(w.input_sum for w in windows) / count,
            low=sum(sum(w.confidence[:half]) for w in windows) / count,
        )
