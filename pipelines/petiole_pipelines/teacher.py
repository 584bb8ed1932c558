"""The teacher: few labels, many unlabelled samples, soft answers for all of them.

Two views are multiplied: label spreading over a neighbour graph of all samples (D. Zhou et al.,
"Learning with local and global consistency", 2004) and logistic regression on the labelled ones.
A second regression, trained on the product (self-training), answers for inputs outside the pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import regression

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]  # [n], -1 for "no label"

NEIGHBOURS = 8
SPREADING = 0.99
STRENGTH = 100.0  # inverse regularisation
PSEUDO_WEIGHT = 0.3  # weight of a certain pseudo-label; a true one counts 1
DOUBT = 1e-6  # what a class that no label names yet may still be


@dataclass(frozen=True, slots=True)
class Answers:
    """Class probabilities: of the samples taught with [n, k] and of other inputs [m, k]."""

    samples: Matrix
    others: Matrix


def teach(features: Matrix, y: Labels, classes: int, others: Matrix) -> Answers:
    """Learn from the labelled rows (y >= 0) and all features [n, d]; answer for both sets.

    With labels of fewer than two classes nothing can be learned: every answer is uniform.
    """
    labelled = np.flatnonzero(y >= 0)
    if len(np.unique(y[labelled])) < 2:
        return Answers(*(np.full((len(part), classes), 1 / classes) for part in (features, others)))
    ones = np.ones(len(labelled))
    first = regression.fit(features[labelled], y[labelled], classes, ones, STRENGTH)
    samples = _product(_spread(features, y, classes), first.probabilities(features))
    samples[labelled] = np.eye(classes)[y[labelled]]
    weights = np.where(y >= 0, 1.0, PSEUDO_WEIGHT * samples.max(1) ** 2)
    second = regression.fit(features, samples.argmax(1), classes, weights, STRENGTH)
    return Answers(samples, second.probabilities(others))


def _product(a: Matrix, b: Matrix) -> Matrix:
    product = (a + DOUBT) * (b + DOUBT)
    return np.asarray(product / product.sum(1, keepdims=True), dtype=np.float64)


def _spread(features: Matrix, y: Labels, classes: int) -> Matrix:
    """Label spreading with classes of equal mass; closed form, [n, classes]."""
    count = len(features)
    graph = _graph(features)
    root = 1 / np.sqrt(graph.sum(1))
    normalised = root[:, None] * graph * root[None, :]
    seeds = np.zeros((count, classes))
    labelled = np.flatnonzero(y >= 0)
    seeds[labelled, y[labelled]] = 1
    seeds /= np.maximum(seeds.sum(0), 1)
    mass = np.linalg.solve(np.eye(count) - SPREADING * normalised, seeds)
    mass = np.maximum(mass, 1e-12)
    return np.asarray(mass / mass.sum(1, keepdims=True), dtype=np.float64)


def _graph(features: Matrix) -> Matrix:
    """Symmetric neighbour weights [n, n], scaled to the local density.

    L. Zelnik-Manor and P. Perona, "Self-tuning spectral clustering", 2004.
    """
    count = len(features)
    norms = (features**2).sum(1)
    squares = np.maximum(norms[:, None] + norms[None, :] - 2 * features @ features.T, 0)
    np.fill_diagonal(squares, np.inf)
    nearest = np.argsort(squares, axis=1)[:, : min(NEIGHBOURS, count - 1)]
    near = np.take_along_axis(squares, nearest, axis=1)
    reach = np.maximum(near[:, -1], 1e-12)
    graph = np.zeros((count, count))
    weights = np.exp(-near / np.sqrt(reach[:, None] * reach[nearest]))
    np.put_along_axis(graph, nearest, weights, axis=1)
    return np.maximum(graph, graph.T)
