"""Has the field moved? A sequential test on what devices report, with a stated false alarm rate.

Devices send histograms, never inputs. Four things are watched: the mean confidence (a model that
meets something new is less sure), the shape of the confidences, the shares of the classes, and the
mean input (a sensor that ages moves it at once). ``docs/drift.md`` explains the choice.

Three traps shape the method. The reference from the evaluation set has an error of its own, which
all windows share; a chart against it drifts off by itself, and a model retrained for a moved field
would alarm for ever. So windows are compared with the windows before them, and the reference only
explains. Devices of a window resemble each other, so the spread between windows is measured, not
derived from the number of inferences. And a large fleet resolves changes that matter to nobody, so
the smallest step is bounded below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Literal

import numpy as np

from petiole.rollout.observed import Reference
from petiole.rollout.plan import Window

from . import moved
from .chart import Chart, Point, threshold

COMMISSIONING = 6  # windows that make the first baseline, at least
CHARTS = 5  # confidence down, its shape, classes, input down, input up
_ENOUGH = 50  # inferences; smaller windows are joined until they have as many
_LATELY = 100  # windows
_EXPECTED = 5.0  # in each bin of a window, for its share to be nearly normal
_YEAR_SECONDS = 365.25 * 86400.0

Detector = Literal["ConfidenceMean", "ConfidenceShape", "Classes", "InputMean"]


@dataclass(frozen=True, slots=True)
class DriftVerdict:
    """``score`` is the largest chart divided by its threshold: an alarm at 1.

    ``since`` is when what alarmed began to move, ``detectors`` are those that alarmed, loudest
    first, and ``moved`` says in words which bins and classes did.
    """

    state: Literal["Unknown", "Stable", "Drifted"]
    detected_at: datetime | None
    score: float
    message: str
    since: datetime | None = None
    detectors: tuple[Detector, ...] = ()
    moved: tuple[str, ...] = ()


def evaluate(
    reference: Reference,
    windows: Sequence[Window],
    *,
    false_alarms_per_year: float,
    interval_seconds: float,
    baseline_seconds: float = 0.0,
    labels: Sequence[str] = (),
) -> DriftVerdict:
    """Judge one artefact's windows, oldest first. Recomputed from all of them: nothing is kept.

    The baseline begins with ``COMMISSIONING`` windows, or as many as ``baseline_seconds`` take.
    After an alarm the later windows are not looked at; a new revision starts a new series.
    ``labels`` name the classes.
    """
    seen = list(_joined(_same_devices(windows)))
    first = _footing(seen, baseline_seconds)
    if len(seen) <= first:
        text = f"{len(seen)} of {first + 1} windows for a baseline have come in"
        return DriftVerdict("Unknown", None, 0.0, text)
    limit = height(false_alarms_per_year, interval_seconds)
    charts = _charts(seen[:first], limit)
    for window in seen[:first]:
        for watched in charts:
            watched.chart.learn(watched.measure(window))
    for at, window in enumerate(seen[first:], first):
        for watched in charts:
            watched.chart.add(watched.measure(window))
        if any(watched.chart.height >= limit for watched in charts):
            return _alarm(charts, seen[: at + 1], labels)
    score = max(watched.chart.height for watched in charts) / limit
    return DriftVerdict("Stable", None, score, moved.calm(reference, seen))


def height(false_alarms_per_year: float, interval_seconds: float) -> float:
    """Height at which one of the charts alarms falsely as often as asked, in standard deviations.

    Rates of several charts add up at most (Bonferroni), whatever they have in common.
    """
    return threshold(CHARTS * _YEAR_SECONDS / (interval_seconds * false_alarms_per_year))


# --- which windows --------------------------------------------------------------------------------


def _same_devices(windows: Sequence[Window]) -> list[Window]:
    """Leave out windows of less than half the devices: a rollout's first or last ones.

    Devices differ from each other for ever; that is no drift, and no window shows how much. Lately
    is what counts: a fleet may shrink.
    """
    most = max((w.devices for w in windows[-_LATELY:]), default=0)
    return [w for w in windows if 2 * w.devices >= most]


def _joined(windows: Sequence[Window]) -> Iterator[Window]:
    """Join neighbours until each has ``_ENOUGH`` inferences; the last ones may have to wait."""
    whole: Window | None = None
    for window in windows:
        if window.count == 0:
            continue
        whole = window if whole is None else whole.plus(window)
        if whole.count >= _ENOUGH:
            yield whole
            whole = None


def _footing(seen: Sequence[Window], baseline_seconds: float) -> int:
    """Count the windows of the first baseline."""
    for at in range(COMMISSIONING, len(seen) + 1):
        if (seen[at - 1].end - seen[0].start).total_seconds() >= baseline_seconds:
            return at
    return max(COMMISSIONING, len(seen))


# --- what is measured -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Watched:
    detector: Detector
    measure: Callable[[Window], Point]
    chart: Chart


def _charts(calm: Sequence[Window], limit: float) -> list[_Watched]:
    """Begin a chart for everything that these windows can tell."""
    charts = [
        _Watched("ConfidenceMean", _confidence, Chart(limit, -1)),
        _Watched("InputMean", _input, Chart(limit, -1)),
        _Watched("InputMean", _input, Chart(limit, 1)),
    ]
    size = median(window.count for window in calm)
    whole = calm[0]
    for window in calm[1:]:
        whole = whole.plus(window)
    bins = _neighbours([size * n / whole.count for n in whole.confidence])
    if max(bins) > 0:
        charts.append(_Watched("ConfidenceShape", _shares("confidence", bins), Chart(limit)))
    classes = _frequent([size * n / whole.count for n in whole.classes])
    if max(classes) > 0:
        charts.append(_Watched("Classes", _shares("classes", classes), Chart(limit)))
    return charts


def _confidence(window: Window) -> Point:
    mean = window.confidence_sum / window.count / 255.0
    variance = window.confidence_squares / window.count / 255.0**2 - mean * mean
    return Point(np.array([mean]), window.count, max(variance, 0.0))


def _input(window: Window) -> Point:
    return Point(np.array([window.input_sum / window.count / 255.0]), window.count, 0.0)


def _shares(field: Literal["confidence", "classes"], groups: Sequence[int]) -> Callable[..., Point]:
    """Measure square roots of the shares of groups of bins: their variance is 1/4 an inference.

    F. J. Anscombe, "The transformation of Poisson, binomial and negative-binomial data", Biometrika
    35 (1948), 246-254. Squared distances between them are G up to terms of higher order, and a
    quarter of the population stability index.
    """
    parts = max(groups) + 1

    def measure(window: Window) -> Point:
        counts = getattr(window, field)
        known = [groups[n] if n < len(groups) else parts - 1 for n in range(len(counts))]
        sums = np.bincount(known, weights=counts, minlength=parts)
        free = parts - 1
        return Point(np.sqrt((sums + 0.375) / window.count), window.count, free / 4.0, free)

    return measure


def _neighbours(expected: Sequence[float]) -> list[int]:
    """Give each bin its group: neighbours that together are expected to have enough."""
    groups, group, filled = [], 0, 0.0
    rest = sum(expected)
    for n in expected:
        groups.append(group)
        filled, rest = filled + n, rest - n
        if filled >= _EXPECTED and rest >= _EXPECTED:
            group, filled = group + 1, 0.0
    return groups


def _frequent(expected: Sequence[float]) -> list[int]:
    """Give each class its group: alone when expected often enough, the rare ones together."""
    order = sorted(range(len(expected)), key=lambda n: -expected[n])
    ranked = _neighbours([expected[n] for n in order])
    groups = [0] * len(expected)
    for at, n in enumerate(order):
        groups[n] = ranked[at]
    return groups or [0]


# --- an alarm -------------------------------------------------------------------------------------


def _alarm(charts: list[_Watched], seen: Sequence[Window], labels: Sequence[str]) -> DriftVerdict:
    loud = sorted(charts, key=lambda watched: -watched.chart.height)
    limit, calm = loud[0].chart.limit, loud[0].chart.calm
    alarmed = dict.fromkeys(w.detector for w in loud if w.chart.height >= limit)
    since = seen[calm].start
    bins = moved.bins(seen[:calm], seen[calm:], labels)
    return DriftVerdict(
        state="Drifted",
        detected_at=seen[-1].end,
        score=loud[0].chart.height / limit,
        message=moved.explain(seen[:calm], seen[calm:], bins),
        since=since,
        detectors=tuple(alarmed),
        moved=bins,
    )
