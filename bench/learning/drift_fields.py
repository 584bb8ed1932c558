"""Simulated fields: what a fleet's devices would report, window by window, calm or moved.

An inference's confidence is drawn from a beta distribution, a lower one for the share of inputs
that the model is unsure of. In a plain field all devices draw alike. In a field of sites, windows
vary by more than their number of inferences says: the weather of a window is like that of the one
before it, and a device looks at the same thing many times over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy import stats

from petiole.rollout.observed import Reference
from petiole.rollout.plan import Window

START = datetime(2026, 1, 1, tzinfo=UTC)
SURE, UNSURE = (12.0, 1.2), (4.0, 2.5)  # beta distributions of the confidence
LEVELS = np.arange(256)
CHUNK = 500  # windows drawn at a time
CLASSES = np.array([0.28, 0.2, 0.15, 0.12, 0.1, 0.06, 0.04, 0.03, 0.015, 0.005])


def _bytes(a: float, b: float) -> np.ndarray:
    edges = stats.beta.cdf(np.arange(257) / 256, a, b)
    return np.diff(edges)


CALM, LOW = _bytes(*SURE), _bytes(*UNSURE)


@dataclass(frozen=True)
class Field:
    """A fleet. ``weather`` is how much windows vary, ``memory`` how much of it stays for the next.

    ``lumps`` is the share of a window's class counts that comes from what devices look at for long,
    ``daily`` the height of a wave with the period of a day. Each of ``sites`` has weather of its
    own, and as many devices as the others.
    """

    devices: int
    inferences: int  # of a device in a window
    minutes: float
    weather: float = 0.0
    memory: float = 0.0
    lumps: float = 0.0
    daily: float = 0.0
    sites: int = 1

    @property
    def count(self) -> int:
        return self.devices * self.inferences


def play(
    field: Field,
    rng: np.random.Generator,
    windows: int,
    *,
    moved_at: int | None = None,
    severity: float = 0.0,
) -> Iterator[Window]:
    """Draw windows one after another; from ``moved_at`` on a share ``severity`` is unsure."""
    weather = np.zeros(field.sites)
    for first in range(0, windows, CHUNK):
        index = np.arange(first, min(first + CHUNK, windows))
        state = np.empty((len(index), field.sites))
        for n, more in enumerate(rng.normal(size=state.shape) * np.sqrt(1 - field.memory**2)):
            weather = field.memory * weather + more
            state[n] = weather
        wave = np.sin(2 * np.pi * index * field.minutes / 1440.0) * field.daily
        sky = field.weather * state + wave[:, None]
        unsure = 0.05 + 0.02 * sky
        if moved_at is not None:
            unsure += np.where(index >= moved_at, severity, 0.0)[:, None]
        unsure = np.clip(unsure, 0.0, 1.0)[..., None]
        shares = (1 - unsure) * CALM + unsure * LOW
        levels = rng.multinomial(field.count // field.sites, shares).sum(axis=1)
        inputs = rng.normal(90 + 2 * sky.mean(axis=1), 20 / np.sqrt(field.count))
        yield from _windows(field, index, levels, inputs, _classes(field, rng, len(index)))


def reference(rng: np.random.Generator, count: int = 2000) -> Reference:
    """What the calm model showed on an evaluation set."""
    levels = rng.multinomial(count, 0.95 * CALM + 0.05 * LOW)
    return Reference(
        count=count,
        confidence=tuple(levels.reshape(16, 16).sum(axis=1).tolist()),
        classes=tuple(rng.multinomial(count, CLASSES).tolist()),
        confidence_sum=int(levels @ LEVELS),
        confidence_squares=int(levels @ LEVELS**2),
        input_sum=90 * count,
    )


def _classes(field: Field, rng: np.random.Generator, windows: int) -> np.ndarray:
    if not field.lumps:
        return rng.multinomial(field.count, CLASSES, size=windows)
    shares = rng.dirichlet(CLASSES * (1 / field.lumps - 1) * field.devices, size=windows)
    return rng.multinomial(field.count, shares)


def _windows(
    field: Field, index: np.ndarray, levels: np.ndarray, inputs: np.ndarray, classes: np.ndarray
) -> Iterator[Window]:
    step = timedelta(minutes=field.minutes)
    bins = levels.reshape(len(index), 16, 16).sum(axis=2).tolist()
    sums, squares = levels @ LEVELS, levels @ LEVELS**2
    for n, at in enumerate(index.tolist()):
        yield Window.model_construct(
            index=at,
            start=START + at * step,
            end=START + (at + 1) * step,
            digest="d",
            devices=field.devices,
            count=field.count,
            confidence=tuple(bins[n]),
            classes=tuple(classes[n].tolist()),
            confidence_sum=int(sums[n]),
            confidence_squares=int(squares[n]),
            input_sum=int(np.clip(inputs[n], 0, 255) * field.count),
        )
