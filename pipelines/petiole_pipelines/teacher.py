"""The teacher: few labels, many unlabelled samples, soft answers for all of them.

Two views are multiplied: label spreading over a neighbour graph of all samples (D. Zhou et al.,
"Learning with local and global consistency", 2004) and logistic regression on the labelled ones.
A second regression, trained on the product (self-training), answers for inputs outside the pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, eye_array
from scipy.sparse.linalg import cg

from . import regression

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]  # [n], -1 for "no label"

NEIGHBOURS = 8
SPREADING = 0.99
STRENGTH = 100.0  # inverse regularisation
PSEUDO_WEIGHT = 0.3  # weight of a certain pseudo-label; a true one counts 1
TOLERANCE = 1e-8  # of label spreading
ROWS_AT_ONCE = 1000  # of the distance matrix
DOUBT = 1e-6  # what a class that no label names yet may still be


@dataclass(frozen=True, slots=True)
class Answers:
    """Class probabilities: of the samples taught with [n, k] and of other inputs [m, k]."""

    samples: Matrix
    others: Matrix


def teach(
    features: Matrix, y: Labels, classes: int, others: Matrix, graph: csr_array | None = None
) -> Answers:
    """Learn from the labelled rows (y >= 0) and all features [n, d]; answer for both sets.

    ``graph`` is ``neighbours(features)``, for whoever teaches with the same features again. With
    labels of fewer than two classes nothing can be learned: every answer is uniform.
    """
    labelled = np.flatnonzero(y >= 0)
    if len(np.unique(y[labelled])) < 2:
        return Answers(*(np.full((len(part), classes), 1 / classes) for part in (features, others)))
    ones = np.ones(len(labelled))
    first = regression.fit(features[labelled], y[labelled], classes, ones, STRENGTH)
    graph = neighbours(features) if graph is None else graph
    samples = _product(_spread(graph, y, classes), first.probabilities(features))
    samples[labelled] = np.eye(classes)[y[labelled]]
    weights = np.where(y >= 0, 1.0, PSEUDO_WEIGHT * samples.max(1) ** 2)
    second = regression.fit(features, samples.argmax(1), classes, weights, STRENGTH)
    return Answers(samples, second.probabilities(others))


def neighbours(features: Matrix) -> csr_array:
    """Symmetric weights of neighbours [n, n] among features [n, d], scaled to the local density.

    L. Zelnik-Manor and P. Perona, "Self-tuning spectral clustering", 2004.
    """
    count = len(features)
    nearest, near = _nearest(features, min(NEIGHBOURS, count - 1))
    reach = np.maximum(near[:, -1], 1e-12)
    weights = np.exp(-near / np.sqrt(reach[:, None] * reach[nearest]))
    rows = np.repeat(np.arange(count), nearest.shape[1])
    graph = csr_array((weights.ravel(), (rows, nearest.ravel())), shape=(count, count))
    return graph.maximum(graph.T)


def _product(a: Matrix, b: Matrix) -> Matrix:
    product = (a + DOUBT) * (b + DOUBT)
    return np.asarray(product / product.sum(1, keepdims=True), dtype=np.float64)


def _spread(graph: csr_array, y: Labels, classes: int) -> Matrix:
    """Label spreading with classes of equal mass, [n, classes]."""
    count = len(y)
    root = diags_array(1 / np.sqrt(np.asarray(graph.sum(1)).ravel()))
    system = eye_array(count) - SPREADING * (root @ graph @ root)
    seeds = np.zeros((count, classes))
    labelled = np.flatnonzero(y >= 0)
    seeds[labelled, y[labelled]] = 1
    seeds /= np.maximum(seeds.sum(0), 1)
    # positive definite, with a condition number below 2 / (1 - SPREADING): about 100 turns
    mass = np.stack([cg(system, seed, rtol=TOLERANCE)[0] for seed in seeds.T], axis=1)
    mass = np.maximum(mass, 1e-12)
    return np.asarray(mass / mass.sum(1, keepdims=True), dtype=np.float64)


def _nearest(features: Matrix, count: int) -> tuple[NDArray[np.int64], Matrix]:
    """Nearest other rows of each row [n, count], nearest first, and their squared distances."""
    norms = (features**2).sum(1)
    nearest = np.empty((len(features), count), dtype=np.int64)
    near = np.empty((len(features), count))
    for start in range(0, len(features), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(features)))
        squares = norms[rows, None] + norms[None, :] - 2 * features[rows] @ features.T
        squares = np.maximum(squares, 0)
        squares[np.arange(len(rows)), rows] = np.inf
        found = np.argpartition(squares, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(squares, found, axis=1), axis=1, kind="stable")
        nearest[rows] = np.take_along_axis(found, order, axis=1)
        near[rows] = np.take_along_axis(squares, nearest[rows], axis=1)
    return nearest, near
