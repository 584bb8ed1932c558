"""Synthetic light: what photos look like when it gets darker and warmer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]  # [n, h, w, 3]

GAMMA = (1.5, 2.1)  # of a photo, drawn evenly
WARMTH = (1.1, 1.0, 0.8)  # gain of red, green and blue
NOISE = 4 / 255  # standard deviation, of values 0..1


def darker_and_warmer(photos: Images, seed: int) -> Images:
    """Each photo in a light of its own. Same photos and seed, same bytes."""
    random = np.random.default_rng(seed)
    return np.stack([relit(photo, random) for photo in photos])


def relit(photo: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """One photo [h, w, 3] in a light that is drawn."""
    values = (photo / 255.0) ** random.uniform(*GAMMA) * np.array(WARMTH)
    return as_bytes(values + random.normal(0, NOISE, values.shape))


def as_bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Values 0..1 as bytes; what is beyond is cut off."""
    return np.asarray(np.round(np.clip(values, 0, 1) * 255), dtype=np.uint8)
