"""Rules that others use on the same windows, each against the evaluation set's histogram."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from petiole.rollout.observed import Reference
from petiole.rollout.plan import Window

Rule = Callable[[Reference, Sequence[Window]], "int | None"]  # place of the first alarm


def psi(reference: Reference, windows: Sequence[Window]) -> int | None:
    """Population stability index above 0.25, "a major shift" of credit scoring's rule of thumb."""
    p = _shares(reference.confidence)
    for at, window in enumerate(windows):
        q = _shares(window.confidence)
        if float(((q - p) * np.log(q / p)).sum()) > 0.25:
            return at
    return None


def kolmogorov_smirnov(reference: Reference, windows: Sequence[Window]) -> int | None:
    """Two-sample Kolmogorov-Smirnov on the bins, p below 0.001 by the asymptotic quantile."""
    p = np.cumsum(reference.confidence) / reference.count
    for at, window in enumerate(windows):
        gap = np.abs(np.cumsum(window.confidence) / window.count - p).max()
        both = window.count * reference.count / (window.count + reference.count)
        if gap * math.sqrt(both) > math.sqrt(-0.5 * math.log(0.001 / 2)):
            return at
    return None


def page_hinkley(reference: Reference, windows: Sequence[Window]) -> int | None:
    """Page-Hinkley downwards on the mean confidence; delta and threshold as commonly tuned.

    D. V. Hinkley, "Inference about the change-point from cumulative sum tests", Biometrika 58
    (1971), 509-523; delta 0.005 and a threshold of 0.15, 15 windows at least.
    """
    del reference
    mean = total = highest = 0.0
    for at, window in enumerate(windows):
        value = window.confidence_sum / window.count / 255.0
        mean += (value - mean) / (at + 1)
        total += value - mean + 0.005
        highest = max(highest, total)
        if at >= 15 and highest - total > 0.15:
            return at
    return None


def _shares(counts: Sequence[int]) -> np.ndarray:
    padded = np.asarray(counts) + 0.5
    return padded / padded.sum()


PEERS: dict[str, Rule] = {
    "PSI > 0.25": psi,
    "Kolmogorov-Smirnov, p < 0.001": kolmogorov_smirnov,
    "Page-Hinkley": page_hinkley,
}
