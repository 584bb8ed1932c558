"""Which samples to ask labels for. Pure: features and probabilities in, row numbers out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

Matrix = NDArray[np.float64]
Rows = NDArray[np.int64]
Why = Literal["TypiClust", "Margin", "Random"]

TYPICAL_NEIGHBOURS = 20
CLUSTER_DIMENSIONS = 40  # the leading components carry the clusters; the rest is noise to k-means
MOST_CLUSTERS = 500


@dataclass(frozen=True, slots=True)
class Pool:
    """What a strategy may look at."""

    features: Matrix  # [n, d]
    probabilities: Matrix  # [n, k], the teacher's
    labelled: NDArray[np.bool_]  # [n]

    @property
    def open(self) -> Rows:
        """Rows without a label."""
        return np.flatnonzero(~self.labelled)


@dataclass(frozen=True, slots=True)
class Query:
    """One question. A higher score was more urgent; it compares within one ``why`` only."""

    row: int
    why: Why
    score: float


def random(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Choose uniformly: the honest arm, and what every strategy must beat."""
    rows = generator.choice(pool.open, min(count, len(pool.open)), replace=False)
    return [Query(int(row), "Random", 0.0) for row in rows]


def margin(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Choose where the teacher's first and second class are closest (T. Scheffer et al., 2001)."""
    rows = generator.permutation(pool.open)  # ties fall by chance, not by row number
    ordered = np.sort(pool.probabilities[rows], axis=1)
    gap = ordered[:, -1] - ordered[:, -2]
    best = np.argsort(gap, kind="stable")[:count]
    return [Query(int(rows[i]), "Margin", float(1 - gap[i])) for i in best]


def typiclust(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Choose the most typical sample of each of the largest clusters without a label.

    G. Hacohen et al., "Active learning on a budget: opposite strategies suit high and low
    budgets", 2022. As many clusters as labels there will be.
    """
    count = min(count, len(pool.open))
    if count == 0:
        return []
    clusters = min(int(pool.labelled.sum()) + count, MOST_CLUSTERS, len(pool.features))
    features = pool.features[:, :CLUSTER_DIMENSIONS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer clusters than asked for is no trouble here
        _, names = kmeans2(features, clusters, iter=50, minit="++", rng=generator)
    covered = np.bincount(names[pool.labelled], minlength=clusters)
    sizes = np.bincount(names, minlength=clusters)
    taken = pool.labelled.copy()
    queries: list[Query] = []
    while len(queries) < count:
        # fewest labels first, then the largest: every cluster is asked once before any is twice
        for name in np.lexsort((-sizes, covered)):
            members = np.flatnonzero(names == name)
            members_open = members[~taken[members]]
            if len(members_open) == 0 or len(queries) == count:
                continue
            typical = _typicality(features, members_open, members)
            best = int(np.argmax(typical))
            taken[members_open[best]] = True
            covered[name] += 1
            queries.append(Query(int(members_open[best]), "TypiClust", float(typical[best])))
    return queries


def _typicality(features: Matrix, rows: Rows, members: Rows) -> Matrix:
    """Inverse mean distance to the nearest cluster members, [len(rows)]."""
    difference = features[rows][:, None, :] - features[members][None, :, :]
    distance = np.sort(np.sqrt((difference**2).sum(-1)), axis=1)
    near = distance[:, 1 : TYPICAL_NEIGHBOURS + 1]  # the first one is the sample itself
    return np.asarray(1 / (near.mean(1) + 1e-12) if near.shape[1] else np.ones(len(rows)))


def typiclust_then_margin(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Start with typical samples; once there are labels, ask about the doubtful ones."""
    chosen = margin if pool.labelled.any() else typiclust
    return chosen(pool, count, generator)


Strategy = Callable[[Pool, int, np.random.Generator], list[Query]]
STRATEGIES: dict[str, Strategy] = {
    "TypiClustThenMargin": typiclust_then_margin,
    "Margin": margin,
    "Random": random,
}


def select(
    pool: Pool, strategy: str, count: int, random_share: float, generator: np.random.Generator
) -> list[Query]:
    """Choose ``count`` different unlabelled rows, ``random_share`` (0..1) of them by chance.

    Fewer when the pool runs out. Raises ValueError for an unknown strategy.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"unknown strategy {strategy!r}: one of {', '.join(STRATEGIES)}")
    count = min(count, len(pool.open))
    by_chance = round(count * random_share)
    if not pool.labelled.any():
        by_chance = 0  # a cold start has nothing to be honest about yet
    queries = STRATEGIES[strategy](pool, count - by_chance, generator)
    labelled = pool.labelled.copy()
    labelled[[query.row for query in queries]] = True
    return queries + random(Pool(pool.features, pool.probabilities, labelled), by_chance, generator)
