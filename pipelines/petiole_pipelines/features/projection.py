"""Principal components of descriptions, fitted on the pool, not whitened.

Whitening blows up the components that say least and ruins few-label accuracy; one common scale
keeps the components' own weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

Matrix = NDArray[np.float64]

COMPONENTS = 256
ROWS_AT_ONCE = 1000  # that are unpacked
LANDMARKS = 3000  # inputs that are fitted on: the Gram matrix stays below 75 MB


@dataclass(frozen=True, slots=True)
class Projection:
    """A fitted map from descriptions [n, ...] to components [n, <= COMPONENTS]."""

    mean: Matrix  # [d]
    basis: Matrix  # [d, components]; standardises, turns and scales

    @staticmethod
    def fit(x: NDArray[Any], seed: int, *, standardise: bool) -> Projection:
        """Fit on descriptions; ``standardise`` gives every value the same spread first."""
        flat = _flat(x)
        if len(flat) > LANDMARKS:
            chosen = np.random.default_rng(seed).choice(len(flat), LANDMARKS, replace=False)
            flat = flat[np.sort(chosen)]
        mean = flat.mean(0)
        spread = flat.std(0) + 1e-6 if standardise else np.ones(flat.shape[1])
        centred = (flat - mean) / spread
        directions = _directions(centred)
        values = centred @ directions
        scale = np.sqrt(max(float((values**2).sum(1).mean()), 1e-12))
        return Projection(mean, directions / spread[:, None] / scale)

    def transform(self, x: NDArray[Any]) -> Matrix:
        """Components [n, <= COMPONENTS] of descriptions [n, ...]."""
        parts = (x[start : start + ROWS_AT_ONCE] for start in range(0, len(x), ROWS_AT_ONCE))
        found = [(_flat(part) - self.mean) @ self.basis for part in parts]
        return np.concatenate([np.empty((0, self.basis.shape[1])), *found])


def _directions(centred: Matrix) -> Matrix:
    """Orthonormal leading directions [d, k], from the smaller of the two Gram matrices."""
    tall = centred.shape[0] > centred.shape[1]
    gram = centred.T @ centred if tall else centred @ centred.T
    least = max(0, len(gram) - COMPONENTS)
    values, vectors = eigh(gram, subset_by_index=(least, len(gram) - 1))
    kept = np.flatnonzero(values > 1e-9 * max(float(values[-1]), 1e-12))[::-1]
    found = vectors[:, kept] if tall else centred.T @ (vectors[:, kept] / np.sqrt(values[kept]))
    return np.asarray(found, dtype=np.float64)


def _flat(x: NDArray[Any]) -> Matrix:
    return x.reshape(len(x), -1).astype(np.float64)
