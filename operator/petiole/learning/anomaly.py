"""Anomalies on one machine: scores as its device computes them, alarms, and which detector to take.

Windows of sensor readings go into a network; its outputs become a score (``firmware/core/distance``
and ``anomaly``, in the same single precision, so that figures made here are the device's). A score
counts in 1/256, as on the wire. Runs are times of one machine from one start on: readings of a run
depend on each other, so whatever is chosen is chosen on some runs and holds for others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Readings = NDArray[np.float64]  # [seconds, channels]
Bytes = NDArray[np.uint8]
Features = NDArray[np.int8]  # [n, features]
Scores = NDArray[np.uint32]  # [n], in 1/256
Counts = NDArray[np.int64]  # [..., 4]: hits, false alarms, misses, quiet and right

SCORE_MAX = 2**32 - 1
MIDDLE = 128  # the byte of a channel's usual reading
# The least spread of a channel, as a share of its level: one that stands still has none of its own.
LEAST_SPREAD = 1e-3

_float = np.float32
_ROUNDING_VARIANCE = _float(1.0) / _float(12.0)
_FLOAT_LIMIT = _float(4294967040.0)  # the largest single-precision number below 2^32


@dataclass(frozen=True, slots=True)
class Scale:
    """How a sensor turns readings into bytes, set once for each machine at commissioning."""

    middle: Readings  # [channels], becomes MIDDLE
    step: Readings  # [channels], readings a byte

    @classmethod
    def of(cls, readings: Readings, spreads: float) -> Scale:
        """Reach ``spreads`` standard deviations of some first readings to each side."""
        middle = readings.mean(axis=0)
        least = LEAST_SPREAD * np.abs(middle) + 1e-6
        return cls(middle, np.maximum(readings.std(axis=0), least) * spreads / (MIDDLE - 1))

    def bytes(self, readings: Readings) -> Bytes:
        """Return bytes of the same shape; what lies beyond the reach becomes its end."""
        steps = np.round((readings - self.middle) / self.step)
        return np.clip(steps + MIDDLE, 0, 255).astype(np.uint8)


def wandering(runs: Sequence[Readings], width: int) -> NDArray[np.bool_]:
    """Tell which sensors wander: what they show depends more on when than on what happens.

    Most of their variance in normal ``runs`` is still there in means of ``width`` readings: that of
    a temperature, say, which never comes to rest. Returns [channels].
    """
    return np.asarray(np.mean([_slow(run, width) for run in runs], axis=0) > 0.5)


def _slow(readings: Readings, width: int) -> Readings:
    sums = np.cumsum(np.vstack([np.zeros_like(readings[:1]), readings]), axis=0)
    means = (sums[width:] - sums[:-width]) / width
    return np.asarray(means.var(axis=0) / np.maximum(readings.var(axis=0), 1e-12))


def windows(values: Bytes, width: int) -> Bytes:
    """Return each window of ``width`` seconds [n - width + 1, 1, width, channels], newest last."""
    views = np.lib.stride_tricks.sliding_window_view(values, width, axis=0)
    return np.ascontiguousarray(views.transpose(0, 2, 1))[:, None]


def distances(features: Features, inputs: int) -> Scores:
    """Score all vectors behind the first ``inputs``, from which the device learns what is usual.

    Squared Mahalanobis distance, bit for bit that of ``firmware/core/distance.c``: Welford's
    recurrences, then L D L', with the same operations in the same order in single precision.
    Returns [n - inputs]. Raises ValueError when there is less than ``inputs``, or those are < 2.
    """
    if not 2 <= inputs <= len(features):
        raise ValueError(f"a device cannot learn from {inputs} of {len(features)} inputs")
    mean, lower = _learn(features[:inputs].astype(_float))
    return _distances(features[inputs:].astype(_float), mean, lower)


_Floats = NDArray[np.float32]


def _learn(vectors: _Floats) -> tuple[_Floats, _Floats]:
    """Return the mean and the factors of the covariance: L below the diagonal, D on it."""
    size = vectors.shape[1]
    mean, pairs = np.zeros(size, _float), np.zeros((size, size), _float)
    for count, vector in enumerate(vectors, 1):
        before = vector - mean
        mean += before / _float(count)
        pairs += np.outer(vector - mean, before)
    pairs /= _float(len(vectors) - 1)
    pairs[np.diag_indices(size)] += _ROUNDING_VARIANCE
    return mean, _factor(pairs)


def _factor(a: _Floats) -> _Floats:
    for i in range(len(a)):
        for j in range(i + 1):
            left = a[i, j]
            for k in range(j):
                left -= a[i, k] * a[j, k] * a[k, k]
            a[i, j] = max(left, _ROUNDING_VARIANCE) if i == j else left / a[j, j]
    return a


def _distances(vectors: _Floats, mean: _Floats, lower: _Floats) -> Scores:
    y = vectors - mean
    total = np.zeros(len(vectors), _float)
    for i in range(y.shape[1]):
        for j in range(i):
            y[:, i] -= lower[i, j] * y[:, j]
        total += y[:, i] * y[:, i] / lower[i, i]
    scores = total * _float(256.0)
    return np.where(scores < _FLOAT_LIMIT, scores, SCORE_MAX).astype(np.uint32)


def differences(inputs: Bytes, outputs: Features, step: int, zero: int) -> Scores:
    """Mean squared difference of inputs [n, m] and what a network made of them, int8 [n, m].

    ``step`` is that of the outputs in 1/65536 of an input's. In the integers of
    ``anomaly_difference`` in ``firmware/core/anomaly.c``. Returns [n].
    """
    restored = (step * (outputs.astype(np.int64) - zero)) >> 8
    apart = (inputs.astype(np.int64) << 8) - restored
    mean = (apart * apart).sum(axis=1) // inputs.shape[1] >> 8
    scores: Scores = np.minimum(mean, SCORE_MAX).astype(np.uint32)
    return scores


def levels(scores: Scores) -> Bytes:
    """Return what stands for scores [n] in statistics: 16 steps for each doubling, at most 255.

    As ``anomaly_level`` in ``firmware/core/anomaly.c``.
    """
    steps = np.floor(16.0 * np.log2(scores.astype(np.float64) + 1.0) + 1e-9)
    return np.minimum(steps, 255.0).astype(np.uint8)


def alarms(scores: Scores, threshold: int, release: int) -> NDArray[np.bool_]:
    """Raise the alarm at ``threshold`` or more, until a score is below ``release``; in 1/256."""
    decided = (scores >= threshold) | (scores < release)
    last = np.maximum.accumulate(np.where(decided, np.arange(len(scores)), -1))
    raised: NDArray[np.bool_] = (scores >= threshold)[last] & (last >= 0)
    return raised


def counted(raised: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Counts:
    """Compare alarms with the truth, second by second; both [n]."""
    return np.array(
        [
            np.count_nonzero(raised & truth),
            np.count_nonzero(raised & ~truth),
            np.count_nonzero(~raised & truth),
            np.count_nonzero(~raised & ~truth),
        ]
    )


def f1(counts: Counts) -> NDArray[np.float64]:
    """Harmonic mean of precision and recall, 0 to 1; 0 where there was nothing to find."""
    hits = counts[..., 0]
    return np.asarray(2 * hits / np.maximum(2 * hits + counts[..., 1] + counts[..., 2], 1))


def false_alarms(counts: Counts) -> NDArray[np.float64]:
    """Share of normal seconds with an alarm, 0 to 1."""
    return np.asarray(counts[..., 1] / np.maximum(counts[..., 1] + counts[..., 3], 1))


@dataclass(frozen=True, slots=True)
class Choice:
    """The option to take, and what runs that had no part in choosing it would have seen."""

    option: int
    nominal: float  # the limit asked of the runs that it was chosen on
    expected: float  # share of false alarms in runs left out


STEPS = 20  # nominal limits tried, equally apart


def choose(counts: Counts, limit: float) -> Choice | None:
    """Choose among options (a detector with a threshold and a release) by runs with known faults.

    ``counts`` is [options, runs, 4]. The best option has the highest F1 of those within a limit of
    false alarms. But the best on some runs does worse on others, the more so the more there is to
    choose from; so the limit is only raised as long as the *whole choice*, made again without each
    run in turn and tried on that run, keeps to ``limit`` (cross-validation of the choice itself:
    M. Stone, "Cross-validatory choice and assessment of statistical predictions", J. R. Stat. Soc.
    B 36 (1974), 111-147). None when no option does.
    """
    total = counts.sum(axis=1)
    others = [(counts[:, run], total - counts[:, run]) for run in range(counts.shape[1])]
    ranks = [(own, f1(rest), false_alarms(rest)) for own, rest in others]
    best: Choice | None = None
    for nominal in np.linspace(0.0, limit, STEPS + 1)[1:]:
        option = _best(f1(total), false_alarms(total), nominal)
        picks = [(own, _best(good, wrong, nominal)) for own, good, wrong in ranks]
        left_out = [own[pick] for own, pick in picks if pick is not None]
        expected = float(false_alarms(np.sum(left_out, axis=0))) if left_out else 0.0
        if expected > limit:
            break
        if option is not None:
            best = Choice(option, float(nominal), expected)
    return best


def _best(good: NDArray[np.float64], wrong: NDArray[np.float64], limit: float) -> int | None:
    allowed = np.flatnonzero(wrong <= limit)
    return int(allowed[good[allowed].argmax()]) if len(allowed) else None
