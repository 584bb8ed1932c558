"""Strategies that read the teacher's probabilities only, and chance, which reads nothing."""

from __future__ import annotations

import numpy as np

from .pool import Matrix, Pool, Query, Why


def random(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Choose uniformly: the honest arm, and what every strategy must beat."""
    rows = generator.choice(pool.open, min(count, len(pool.open)), replace=False)
    return [Query(int(row), "Random", 0.0) for row in rows]


def margin(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Choose where the teacher's first and second class are closest (T. Scheffer et al., 2001)."""
    return _most(pool, doubt(pool.probabilities), "Margin", count, generator)


def entropy(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Choose where the teacher's answer has the largest entropy (C. E. Shannon, 1948)."""
    p = pool.probabilities
    nats = -(p * np.log(np.maximum(p, 1e-300))).sum(1)
    return _most(pool, nats / np.log(max(p.shape[1], 2)), "Entropy", count, generator)


def doubt(probabilities: Matrix) -> Matrix:
    """Return 1 less the gap between the first and the second class, [n]."""
    ordered = np.sort(probabilities, axis=1)
    return np.asarray(1 - (ordered[:, -1] - ordered[:, -2]))


def _most(
    pool: Pool, scores: Matrix, why: Why, count: int, generator: np.random.Generator
) -> list[Query]:
    rows = generator.permutation(pool.open)  # ties fall by chance, not by row number
    best = rows[np.argsort(-scores[rows], kind="stable")[:count]]
    return [Query(int(row), why, float(scores[row])) for row in best]
