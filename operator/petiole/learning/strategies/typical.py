"""Strategies for the first labels: what is typical, whatever the teacher thinks."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.spatial.distance import cdist

from .doubt import margin
from .pool import Matrix, Pool, Query, Rows

TYPICAL_NEIGHBOURS = 20
CLUSTER_DIMENSIONS = 40  # the leading components carry the clusters; the rest is noise to k-means
MOST_CLUSTERS = 500


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
    distance = np.sort(cdist(features[rows], features[members]), axis=1)
    near = distance[:, 1 : TYPICAL_NEIGHBOURS + 1]  # the first one is the sample itself
    return np.asarray(1 / (near.mean(1) + 1e-12) if near.shape[1] else np.ones(len(rows)))


def typiclust_then_margin(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Start with typical samples; once there are labels, ask about the doubtful ones."""
    chosen = margin if pool.labelled.any() else typiclust
    return chosen(pool, count, generator)
