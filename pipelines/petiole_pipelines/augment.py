"""Batches that a student learns from: samples drawn by weight, each changed a little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .networks import Shape, is_small

Images = NDArray[np.uint8]  # [n, h, w, c]
Matrix = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a student learns: images uint8, soft labels [n, k] and the weight of each sample."""

    x: Images
    soft: Matrix
    weight: Matrix  # [n]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long a student learns, and how its inputs vary."""

    steps: int
    batch: int
    shift: int  # pixels each way
    noise: float = 0.0  # standard deviation, on inputs 0..1
    turns: bool = False  # mirrored and turned by quarters; of square inputs
    light: float = 0.0  # gain of an image, up and down
    tint: float = 0.0  # gain of a channel beside it


SMALL = Recipe(steps=1500, batch=64, shift=1, noise=0.03)
LARGE = Recipe(steps=3000, batch=48, shift=3, light=0.15)
COLOUR = Recipe(steps=3000, batch=48, shift=3, light=0.15, tint=0.03, turns=True)


def recipe_of(shape: Shape) -> Recipe:
    """Choose by the input: glyphs stay upright; photos in colour may be turned and relit."""
    if is_small(shape):
        return SMALL
    height, width, channels = shape
    return COLOUR if channels == 3 and height == width else LARGE


def batches(
    lesson: Lesson, recipe: Recipe, steps: int, seed: int
) -> Iterator[tuple[Floats, Floats]]:
    """Yield ``steps`` batches of inputs [b, h, w, c], values 0..1, and soft labels [b, k]."""
    random = np.random.default_rng(seed)
    share = lesson.weight / lesson.weight.sum()
    height, width, channels = lesson.x.shape[1:]
    edge = recipe.shift
    padded = np.pad(lesson.x, ((0, 0), (edge, edge), (edge, edge), (0, 0)), mode="edge")
    pixels = padded.reshape(-1, channels)
    down, right = _places(height, width, turns=recipe.turns)
    across = width + 2 * edge
    places = (down * across + right).reshape(len(down), -1)
    for _ in range(steps):
        rows = random.choice(len(share), recipe.batch, p=share)
        moves = random.integers(0, 2 * edge + 1, (2, recipe.batch, 1, 1))
        turn = random.integers(0, len(down), recipe.batch)
        corner = (rows * (height + 2 * edge) + moves[0].ravel()) * across + moves[1].ravel()
        taken = np.take(pixels, corner[:, None] + places[turn], axis=0, mode="clip")  # the fast one
        images = taken.reshape(-1, height, width, channels).astype(np.float32)
        images /= np.float32(255)
        _vary(images, recipe, random)
        yield images, lesson.soft[rows].astype(np.float32)


def _places(height: int, width: int, *, turns: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column that each output pixel is taken from, [1 or 8, h, w]."""
    grids = np.mgrid[:height, :width]
    if not turns:
        return grids[0][None], grids[1][None]
    turned = [np.rot90(grids, times, axes=(1, 2)) for times in range(4)]
    every = np.stack([*turned, *(grid[:, :, ::-1] for grid in turned)], axis=1)
    return every[0], every[1]


def _vary(images: Floats, recipe: Recipe, random: np.random.Generator) -> None:
    """Relight, tint and disturb images in place."""
    count, _, width, channels = images.shape
    if recipe.light or recipe.tint:
        light = 1 + random.uniform(-recipe.light, recipe.light, (count, 1, 1, 1))
        tint = 1 + random.uniform(-recipe.tint, recipe.tint, (count, 1, 1, channels))
        gain = (light * tint).astype(np.float32)
        rows = images.reshape(count, -1, width * channels)  # a row at once: channels are few
        rows *= np.tile(gain, (1, 1, width, 1)).reshape(count, 1, -1)
    if recipe.noise:
        images += recipe.noise * random.standard_normal(images.shape, dtype=np.float32)
    np.clip(images, 0, 1, out=images)
