"""Features of small images: kernel PCA over a distance that forgives small moves and slants.

Slant is what differs most between hands and, between sensors, mounting. Fitted on unlabelled
training inputs only; whitening is left out because it ruins few-label accuracy
(B. Schoelkopf et al., "Nonlinear component analysis as a kernel eigenvalue problem", 1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

Images = NDArray[np.uint8]  # [n, h, w, c]
Matrix = NDArray[np.float64]

WIDTH = 2.0  # kernel exp(-WIDTH * d / median d)
COMPONENTS = 300
SLANTS = (-0.4, -0.2, 0.2, 0.4)  # pixels sideways a row
LANDMARKS = 1500  # kernel matrices stay below about 20 MB


class Kernel:
    """Extractor ``Kernel``, for inputs of a few hundred pixels."""

    identity = ""  # nothing is known of an image before the pool is

    def describe(self, x: Images) -> NDArray[np.generic]:
        return x

    def fit(self, x: NDArray[np.generic], seed: int) -> KernelFeatures:
        return KernelFeatures.fit(x.astype(np.uint8, copy=False), seed)


@dataclass(frozen=True, slots=True)
class KernelFeatures:
    """A fitted map from images to features [n, <= COMPONENTS]."""

    landmarks: Matrix  # [m, h, w, c], normalised
    scale: float
    mean: Matrix  # [m], column means of the kernel matrix
    projection: Matrix  # [m, components]

    @staticmethod
    def fit(x: Images, seed: int) -> KernelFeatures:
        """Fit on images [n, h, w, c]; at most LANDMARKS of them carry the kernel."""
        if len(x) > LANDMARKS:
            chosen = np.random.default_rng(seed).choice(len(x), LANDMARKS, replace=False)
            x = x[np.sort(chosen)]
        landmarks = normalise(x)
        distance = _distance(landmarks, landmarks)
        scale = WIDTH / max(float(np.median(distance)), 1e-9)
        kernel = np.exp(-scale * distance)
        mean = kernel.mean(0)
        values, vectors = np.linalg.eigh(kernel - mean - mean[:, None] + mean.mean())
        order = np.argsort(-values)[:COMPONENTS]
        order = order[values[order] > 1e-6]
        projection = vectors[:, order] / np.sqrt(values[order])
        return KernelFeatures(landmarks, scale, mean, projection)

    def transform(self, x: NDArray[np.generic]) -> Matrix:
        """Features [n, components] of images [n, h, w, c]."""
        kernel = np.exp(
            -self.scale * _distance(normalise(x.astype(np.uint8, copy=False)), self.landmarks)
        )
        centred = kernel - self.mean - kernel.mean(1, keepdims=True) + self.mean.mean()
        return np.asarray(centred @ self.projection, dtype=np.float64)


def normalise(x: Images) -> Matrix:
    """Take out offset and gain of each image: minimum 0, Euclidean norm 1."""
    values = x.astype(np.float64)
    values = values - values.min(axis=(1, 2, 3), keepdims=True)
    norm = np.sqrt((values**2).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(values / np.maximum(norm, 1e-9), dtype=np.float64)


def _distance(a: Matrix, b: Matrix) -> Matrix:
    """Squared distance [n, m], the least over small deformations of either image."""
    return np.minimum(_least(a, _deformed(b)), _least(b, _deformed(a)).T)


def _least(a: Matrix, variants: list[Matrix]) -> Matrix:
    flat = a.reshape(len(a), -1)
    squares = (flat**2).sum(1)[:, None]
    best = np.full((len(a), len(variants[0])), np.inf)
    for variant in variants:
        other = variant.reshape(len(variant), -1)
        distance = squares + (other**2).sum(1)[None, :] - 2 * flat @ other.T
        best = np.minimum(best, distance)
    return np.asarray(np.maximum(best, 0.0), dtype=np.float64)


def _deformed(images: Matrix) -> list[Matrix]:
    """Return the images, moved by one pixel each way, and slanted to both sides."""
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    moved = [
        padded[:, down : down + height, right : right + width]
        for down, right in ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
    ]
    return moved + [_slanted(images, slant) for slant in SLANTS]


def _slanted(images: Matrix, slant: float) -> Matrix:
    """Move every row sideways by ``slant`` pixels a row, about the middle; norm 1 again."""
    matrix = np.eye(4)
    matrix[2, 1] = slant
    offset = np.array([0, 0, -slant * (images.shape[1] - 1) / 2, 0])
    out = affine_transform(images, matrix, offset=offset, order=1)
    norm = np.sqrt((out**2).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(out / np.maximum(norm, 1e-9), dtype=np.float64)
