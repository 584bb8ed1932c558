"""What a strategy sees and what it says. Pure: arrays in, row numbers out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Rows = NDArray[np.int64]
Why = Literal["Random", "Margin", "Entropy", "TypiClust", "ClusterMargin", "Badge", "KCenter"]


@dataclass(frozen=True, slots=True)
class Pool:
    """What a strategy may look at."""

    features: Matrix  # [n, d]
    probabilities: Matrix  # [n, k], the teacher's; equal ones where it knows nothing
    labelled: NDArray[np.bool_]  # [n]
    device: NDArray[np.str_] | None = None  # [n], who sent it; "" and None for nobody

    @property
    def open(self) -> Rows:
        """Rows without a label."""
        return np.flatnonzero(~self.labelled)

    def only(self, rows: Rows) -> Pool:
        """Return the pool of these rows; its row i is ``rows[i]`` here."""
        device = None if self.device is None else self.device[rows]
        return Pool(self.features[rows], self.probabilities[rows], self.labelled[rows], device)

    def with_labels(self, rows: list[int]) -> Pool:
        """Return the pool as it will be when these rows have labels."""
        labelled = self.labelled.copy()
        labelled[rows] = True
        return Pool(self.features, self.probabilities, labelled, self.device)


@dataclass(frozen=True, slots=True)
class Query:
    """One question. A higher score was more urgent; it compares within one ``why`` only."""

    row: int
    why: Why
    score: float


# The pool, how many rows to choose, and where chance comes from. As many different open rows as
# there are, at most; the most urgent first.
Strategy = Callable[[Pool, int, np.random.Generator], list[Query]]
