"""The rules that are compared: when each stops a rollout. Times as in the rollouts' own unit."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import insort
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from petiole.api.base import fraction
from petiole.api.rollout import Gate, GateTest
from petiole.rollout.boundary import boundary
from petiole.rollout.clusters import counted
from petiole.rollout.gates import judge
from petiole.rollout.outcome import Passing
from petiole.rollout.plan import Arm, Evidence

from .fields import Bools, Floats, Rollouts

Ints = NDArray[np.int64]


class Rule(ABC):
    name: str

    @abstractmethod
    def stops(self, rollouts: Rollouts) -> Floats:
        """Time of the stop; infinite when there is none."""

    def enough(self, n: Ints, k: Ints) -> Bools:
        """Tell whether the evidence lets the build pass. Rules without a verdict wait for all."""
        return np.zeros(np.broadcast(n, k).shape, bool)


class Counting(Rule):
    """Rules that look at how many devices reported and how many of them failed."""

    @abstractmethod
    def too_many(self, n: Ints, k: Ints, devices: int) -> Bools:
        """Tell whether k failures of n devices heard of are too many."""

    def stops(self, rollouts: Rollouts) -> Floats:
        failing, report = rollouts.known, rollouts.report
        report = np.where(rollouts.silent, np.inf, report)
        if rollouts.timed or rollouts.silent.any():
            order = np.argsort(report, axis=1, kind="stable")
            failing = np.take_along_axis(failing, order, axis=1)
            report = np.take_along_axis(report, order, axis=1)
        n = np.arange(1, rollouts.devices + 1)[None, :]
        k = np.cumsum(failing, axis=1)
        passed = np.logical_or.accumulate(self.enough(n, k), axis=1)
        hits = self.too_many(n, k, rollouts.devices) & ~passed & np.isfinite(report)
        return first(hits, report)


def first(hits: Bools, times: Floats) -> Floats:
    at = np.argmax(hits, axis=1)
    row = np.arange(len(hits))
    return np.where(hits[row, at], times[row, at], np.inf)


@dataclass
class Hawkbit(Counting):
    """Eclipse hawkBit's error threshold: failed devices in percent of the whole group."""

    name: str = "hawkbit"
    percent: float = 5.0

    def too_many(self, n: Ints, k: Ints, devices: int) -> Bools:
        return k * 100.0 > self.percent * devices + 0.0 * n


@dataclass
class Aws(Counting):
    """AWS IoT Jobs' abort criterion: failed in percent of the executed, after some of them."""

    name: str = "aws"
    percent: float = 5.0
    executed: int = 10

    def too_many(self, n: Ints, k: Ints, devices: int) -> Bools:  # noqa: ARG002
        return (n >= self.executed) & (k * 100.0 > self.percent * n)


@dataclass
class FlightControl(Rule):
    """Flight Control's batches: at the end of each, enough must have succeeded.

    Those that never report time out and count as not successful.
    """

    name: str = "flightctl"
    percent: float = 90.0
    batches: tuple[float, ...] = (0.1, 0.5, 1.0)

    def stops(self, rollouts: Rollouts) -> Floats:
        lost = np.cumsum(rollouts.failing | rollouts.silent, axis=1)
        found, begun = np.full(rollouts.runs, np.inf), 0
        for share in self.batches:
            end = max(1, round(share * rollouts.devices))
            inside = lost[:, end - 1] - (lost[:, begun - 1] if begun else 0)
            bad = (end - begun - inside) * 100.0 < self.percent * (end - begun)
            found = np.where(np.isinf(found) & bad, float(end), found)
            begun = end
        return found


@dataclass
class Sprt(Counting):
    """Wald's test on the devices that finished, with his approximate limits."""

    name: str = "sprt"
    good: float = 0.01
    bad: float = 0.10
    alpha: float = 0.05
    beta: float = 0.05

    def _ratio(self, n: Ints, k: Ints) -> Floats:
        on_success = math.log((1 - self.bad) / (1 - self.good))
        return k * math.log(self.bad / self.good) + (n - k) * on_success

    def too_many(self, n: Ints, k: Ints, devices: int) -> Bools:  # noqa: ARG002
        return self._ratio(n, k) >= math.log((1 - self.beta) / self.alpha)

    def enough(self, n: Ints, k: Ints) -> Bools:
        return self._ratio(n, k) <= math.log(self.beta / (1 - self.alpha))


@dataclass
class Optimum(Counting):
    """The best rule for the cohort, from ``optimum``."""

    stop: Bools
    name: str = "optimum"

    def too_many(self, n: Ints, k: Ints, devices: int) -> Bools:  # noqa: ARG002
        return self.stop[n, np.minimum(k, self.stop.shape[1] - 1)]


@dataclass
class Petiole(Rule):
    """The product's own gate, fed with evidence as the gateway gathers it."""

    fleet: int
    alpha: float
    clusters: bool = True
    name: str = "petiole"
    checked: int = 200  # rollouts whose stop is compared with the verdicts of ``judge``
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        test = GateTest(good="1%", bad="10%", alpha=f"{100.0 * self.alpha:.2f}%", beta="5%")
        self.gate = Gate(name="update", outcome="Confirmed", test=test)
        self.boundary = boundary(0.01, 0.10, fraction(test.alpha), 0.05, self.fleet)
        passing = Passing(0.01, 0.10, 0.05, self.fleet)
        self.needed = np.array([passing.needed(k, k) or 10**9 for k in range(self.fleet_failures)])

    @property
    def fleet_failures(self) -> int:
        return min(self.fleet + 1, 200) if self.fleet else 200

    def enough(self, n: Ints, k: Ints) -> Bools:
        return n >= self.needed[np.minimum(k, len(self.needed) - 1)]

    def stops(self, rollouts: Rollouts) -> Floats:
        found = np.full(rollouts.runs, np.inf)
        runs, places = np.nonzero(rollouts.known)
        starts = np.searchsorted(runs, np.arange(rollouts.runs + 1))
        for run in range(rollouts.runs):
            failed = places[starts[run] : starts[run + 1]]
            if len(failed):
                found[run] = self._stop(rollouts, run, failed)
        return found

    def _stop(self, rollouts: Rollouts, run: int, failed: Ints) -> float:
        report, begin = rollouts.report[run], rollouts.begin[run]
        known: list[tuple[int, str]] = []
        sites = rollouts.sites if self.clusters else None
        for place in sorted(failed.tolist(), key=lambda p: report[p]):
            now = float(report[place])
            insort(known, (place + 1, sites[place] if sites else ""))
            began = int(np.searchsorted(begin, now, side="right"))
            begun = Counter(sites[:began]) if sites else {"": began}
            failed_at, aside = counted(known, begun)
            stopped = self.boundary.crossed(failed_at, len(known) - aside, began) > 0
            if run < self.checked:
                heard = (report <= now) & ~rollouts.silent[run]
                self._agree(stopped, heard, len(known), began, failed_at, aside)
            if stopped:
                return now
        return math.inf

    def _agree(
        self,
        stopped: bool,
        heard: Bools,
        failures: int,
        began: int,
        at: tuple[int, ...],
        aside: int,
    ) -> None:
        canary = Arm(devices=int(heard.sum()), failures=failures)
        evidence = Evidence(
            gate="update",
            look=1,
            canary=canary,
            began=began,
            failed_at=at,
            set_aside=aside,
            devices=self.fleet,
        )
        verdict = judge(self.gate, evidence).verdict
        if (verdict == "Fail") != stopped:
            raise AssertionError(f"judge says {verdict}, the boundary says {stopped}: {evidence}")
