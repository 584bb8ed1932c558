"""Strategies that keep the samples of one batch apart from each other."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist

from .doubt import doubt, margin
from .pool import Matrix, Pool, Query, Rows
from .typical import CLUSTER_DIMENSIONS, MOST_CLUSTERS

CANDIDATES = 10  # batches of doubtful samples that a batch is chosen from
MOST_CLUSTERED = 5000  # samples; linkage takes memory and time by their square


def cluster_margin(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Choose among the most doubtful samples, in turn from each cluster, the smallest first.

    G. Citovsky et al., "Batch active learning at scale", 2021. Average linkage over the pool, cut
    into as many clusters as labels there will be; of a large pool a random part is clustered.
    """
    wanted = max(count, min(CANDIDATES * count, MOST_CLUSTERED))
    candidates = np.array([q.row for q in margin(pool, wanted, generator)], dtype=np.int64)
    if len(candidates) == 0:
        return []
    names = _clusters(pool, candidates, int(pool.labelled.sum()) + count, generator)
    groups = [generator.permutation(candidates[names == name]) for name in np.unique(names)]
    turns = zip_longest(*sorted(groups, key=len))
    rows = [int(row) for turn in turns for row in turn if row is not None]
    doubts = doubt(pool.probabilities)
    return [Query(row, "ClusterMargin", float(doubts[row])) for row in rows[:count]]


def _clusters(
    pool: Pool, candidates: Rows, clusters: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return the cluster of every candidate."""
    others = np.setdiff1d(np.arange(len(pool.features)), candidates)
    room = max(MOST_CLUSTERED - len(candidates), 0)
    if len(others) > room:
        others = generator.choice(others, room, replace=False)
    features = pool.features[np.concatenate([candidates, others]), :CLUSTER_DIMENSIONS]
    if len(features) == 1:
        return np.zeros(1, dtype=np.int64)
    names = fcluster(linkage(features, "average"), min(clusters, MOST_CLUSTERS), "maxclust")
    return np.asarray(names[: len(candidates)], dtype=np.int64)


def badge(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Choose large and different gradients of the last layer, by k-means++.

    J. T. Ash et al., "Deep batch active learning by diverse, uncertain gradient lower bounds",
    2020. The gradient of a linear head, had its first answer been right, is
    ``(p - onehot(argmax p)) x features``; only its two factors are ever held.
    """
    rows = pool.open
    count = min(count, len(rows))
    slope, features = _slopes(pool.probabilities[rows]), pool.features[rows]
    norms = (slope**2).sum(1) * (features**2).sum(1)
    near, queries = norms.copy(), list[Query]()
    left = np.ones(len(rows), dtype=np.bool_)
    for turn in range(count):
        weight = np.where(left, near, 0.0)
        if weight.sum() <= 0:  # all that is left equals what was chosen
            weight = left.astype(np.float64)
        chosen = (
            int(np.argmax(weight))
            if turn == 0
            else int(generator.choice(len(rows), p=weight / weight.sum()))
        )
        queries.append(Query(int(rows[chosen]), "Badge", float(near[chosen])))
        left[chosen] = False
        product = (slope @ slope[chosen]) * (features @ features[chosen])
        near = np.minimum(near, np.maximum(norms + norms[chosen] - 2 * product, 0.0))
    return queries


def _slopes(probabilities: Matrix) -> Matrix:
    """Return the gradient of the loss by the logits, had the first answer been right, [n, k]."""
    first = np.eye(probabilities.shape[1])[probabilities.argmax(1)]
    return np.asarray(probabilities - first)


def k_center(pool: Pool, count: int, generator: np.random.Generator) -> list[Query]:
    """Choose what is farthest from all labelled and chosen samples, one after the other.

    O. Sener and S. Savarese, "Active learning for convolutional neural networks: a core-set
    approach", 2018, their greedy form. Without a label the first one falls by chance.
    """
    rows = pool.open
    count = min(count, len(rows))
    features = pool.features[rows]
    centres = pool.features[pool.labelled]
    near = np.full(len(rows), np.inf)
    for centre in centres:
        near = np.minimum(near, _distance(features, centre))
    queries: list[Query] = []
    for _ in range(count):
        farthest = np.flatnonzero(near == near.max())
        chosen = int(generator.choice(farthest))
        far = float(near[chosen])
        queries.append(Query(int(rows[chosen]), "KCenter", far if np.isfinite(far) else 0.0))
        near = np.minimum(near, _distance(features, features[chosen]))
        near[chosen] = -1.0  # below every distance: never chosen again
    return queries


def _distance(features: Matrix, centre: Matrix) -> Matrix:
    return np.asarray(cdist(features, centre[None, :])[:, 0])
