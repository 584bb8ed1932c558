"""Many rollouts at once: which devices fail, when each begins, when each is heard of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bools, Floats = NDArray[np.bool_], NDArray[np.float64]

SUCCESS, CRASH = (
    (2.0, 1.0),
    (0.5, 0.5),
)  # minutes until a device reports: at least, mean of the rest


@dataclass(frozen=True, slots=True)
class Rollouts:
    """A row a rollout, a column a device in its order of beginning. Silent ones never report."""

    failing: Bools
    silent: Bools
    begin: Floats
    report: Floats
    sites: tuple[str, ...] | None = None
    timed: bool = False

    @property
    def runs(self) -> int:
        return self.failing.shape[0]

    @property
    def devices(self) -> int:
        return self.failing.shape[1]

    @property
    def known(self) -> Bools:
        """Failures that will ever be heard of."""
        return self.failing & ~self.silent


def one_by_one(
    rng: np.random.Generator,
    rates: float | Floats,
    runs: int,
    devices: int,
    *,
    silent: float = 0.0,
    sites: tuple[str, ...] | None = None,
) -> Rollouts:
    """Each device reports before the next begins; time is counted in devices."""
    failing = rng.random((runs, devices), dtype=np.float32) < np.broadcast_to(rates, devices)
    quiet = np.zeros((1, devices), bool)
    if silent:
        quiet = rng.random((runs, devices), dtype=np.float32) < silent
    times = np.broadcast_to(np.arange(1.0, devices + 1.0), (runs, devices))
    return Rollouts(failing, np.broadcast_to(quiet, (runs, devices)), times, times, sites)


def paced(
    rng: np.random.Generator, rate: float, runs: int, devices: int, in_flight: int
) -> Rollouts:
    """So many in flight; crashes are reported sooner than successes. Time in minutes."""
    failing = rng.random((runs, devices)) < rate
    least = np.where(failing, CRASH[0], SUCCESS[0])
    lasting = least + rng.exponential(1.0, (runs, devices)) * np.where(
        failing, CRASH[1], SUCCESS[1]
    )
    free = np.zeros((runs, in_flight))
    begin, row = np.empty((runs, devices)), np.arange(runs)
    for place in range(devices):
        slot = free.argmin(axis=1)
        begin[:, place] = free[row, slot]
        free[row, slot] += lasting[:, place]
    none = np.zeros((runs, devices), bool)
    return Rollouts(failing, none, begin, begin + lasting, timed=True)


def dark_site(rng: np.random.Generator, runs: int, devices: int, sites: int) -> Rollouts:
    """Devices of all sites in turn; at one, drawn for each rollout, all fail; elsewhere 1 %."""
    names = tuple(f"site-{n % sites}" for n in range(devices))
    calm = one_by_one(rng, 0.01, runs, devices, sites=names)
    dark = np.arange(devices)[None, :] % sites == rng.integers(sites, size=runs)[:, None]
    return Rollouts(calm.failing | dark, calm.silent, calm.begin, calm.report, names)
