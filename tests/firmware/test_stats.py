"""Numbers that a device works out by itself, against numpy."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from hack.testbed.processes import ROOT

PROGRAM = ROOT / "build" / "firmware" / "test" / "probe_stats"
BINS = 16


@pytest.fixture(autouse=True)
def built(made):
    made("test-programs")


def drift(*pairs: tuple[np.ndarray, np.ndarray]) -> list[int]:
    """What the device says of each (seen, reference)."""
    numbers = [str(n) for pair in pairs for histogram in pair for n in histogram]
    command = [PROGRAM, "drift", *numbers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [int(line) for line in done.stdout.split()]


def index(seen: np.ndarray, reference: np.ndarray) -> float:
    """Population stability index x 1000, less what chance makes of it."""
    used = (seen > 0) | (reference > 0)
    n, m, bins = seen.sum(), reference.sum(), used.sum()
    p, q = (seen[used] + 0.5) / (n + bins / 2), (reference[used] + 0.5) / (m + bins / 2)
    whole = float(((p - q) * np.log(p / q)).sum())
    return max(0.0, 1000 * whole - 1000 * (bins - 1) * (1 / n + 1 / m))


def test_drift_is_the_population_stability_index():
    rng, pairs = np.random.default_rng(1), []
    for _ in range(200):
        n, m = (int(10 ** rng.uniform(0, 6)) for _ in range(2))
        shape = rng.dirichlet(np.full(BINS, rng.uniform(0.1, 3.0)))
        other = rng.dirichlet(np.full(BINS, rng.uniform(0.1, 3.0)))
        near = rng.random() < 0.5
        pairs.append((rng.multinomial(n, shape), rng.multinomial(m, shape if near else other)))
    for said, pair in zip(drift(*pairs), pairs, strict=True):
        assert said == pytest.approx(index(*pair), abs=3)


def test_two_samples_of_one_distribution_do_not_drift():
    rng = np.random.default_rng(2)
    shape = rng.dirichlet(np.ones(BINS))
    pairs = [(rng.multinomial(n, shape), rng.multinomial(1000, shape)) for n in (50, 300) * 100]
    said = drift(*pairs)
    assert np.mean(said[::2]) < 100  # of 50 inputs; chance alone would make 315 of it
    assert np.mean(said[1::2]) < 30
    moved = np.roll(shape, 4)
    assert min(drift(*((rng.multinomial(300, moved), b) for _, b in pairs))) > 250


def test_the_largest_and_the_smallest_counts():
    most, none, one = np.full(BINS, 2**32 - 1), np.zeros(BINS, int), np.eye(BINS, dtype=int)
    assert drift((none, most), (most, none), (most, most)) == [0, 0, 0]
    far, near = drift((most * one[0], most * one[15]), (one[0], most * one[0]))
    assert far == pytest.approx(index(most * one[0], most * one[15]), rel=1e-3)
    assert near == 0
