"""When failures are too many: the stopping boundary that exposes fewest devices to a bad revision.

Devices take a revision one after another; each fails with probability ``good`` or ``bad``. A rule
says after each device whether to stop. Among all rules that stop a good revision with probability
``alpha`` at most, and a bad one with ``1 - beta`` where that can be had, the one made here exposes
fewest devices to a bad revision on average; a bad revision never stopped counts the whole horizon.

Method: the constrained problem is a Bayesian one with a price on each error (Lagrange multipliers;
Wald and Wolfowitz, Ann. Math. Stat. 19 (1948), 326-339), solved by backward induction over
(devices, failures) (Chow, Robbins and Siegmund, *Great Expectations*, 1971, chapter 3). A price is
found by search, and the error rates of the rule are then computed exactly, not bounded as in Wald's
approximation. Stopping as soon as a later stop is certain costs no error, so the best boundary
never falls: it is a table of places, "the k-th failure stops when it is among the first n".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

MAX_HORIZON = 1024
TAIL_SHARE = 0.1  # of alpha, for the devices beyond the horizon
_LEAST_HORIZON = 50
_SPANS = 16.0  # horizon, in times of what a bad revision needs on average to show itself
_PRICES = 24  # tried at once
_ROUNDS = 3
_FURTHER = 16  # devices that all places may be pushed out by, to spend what is left of alpha

_Array = NDArray[np.float64]
_Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Boundary:
    """A stopping rule and what it achieves.

    ``places[k - 1]`` is the place up to which the k-th failure stops, 0 when never; more failures
    than the table holds stop anywhere within ``horizon``. Beyond it, and in addition, the
    likelihood ratio of bad against good stops at ``exp(tail)``: by Ville's inequality a good
    revision gets there with probability ``exp(-tail)`` at most, in however many devices. None: the
    fleet ends at the horizon.

    ``alpha`` is the probability that a good revision is stopped (exact within the horizon, plus the
    tail's bound), ``power`` that a bad one is within the horizon, ``exposed`` the mean number of
    devices that a bad one gets.
    """

    good: float
    bad: float
    horizon: int
    places: tuple[int, ...]
    tail: float | None
    alpha: float
    power: float
    exposed: float

    def reach(self, failures: int) -> int:
        """Devices among which so many failures are too many; 0 when no number of them is."""
        if failures < 1:
            return 0
        within = self.places[failures - 1] if failures <= len(self.places) else self.horizon
        if self.tail is None:
            return within
        on_failure, on_success = weights(self.good, self.bad)
        beyond = failures + (failures * on_failure - self.tail) / on_success
        return max(within, math.floor(beyond + 1e-9))

    def crossed(self, failed_at: Sequence[int], failures: int, began: int) -> int:
        """Return how many failures are too many, or 0 while none are.

        ``failed_at`` are the places of the first failures, from 1 and rising; ``failures`` is their
        number when not all places are kept: the others lie somewhere within the ``began`` devices.

        This keeps ``alpha`` whatever the delay of reports, also when failures are reported sooner
        than successes. Let K(n) be the failures among the first n devices once all have answered.
        Known ones are some of them, so the k-th known failure lies at place p only if K(p) >= k;
        "p <= reach(k)" then implies K(p) >= k at p <= reach(k), where the rule stops a rollout that
        has all answers. We stop in fewer cases, never in others. The same holds for failures
        that are set aside, and for places not kept, which are at most ``began``.
        """
        for k, place in enumerate(failed_at, start=1):
            if place <= self.reach(k):
                return k
        if failures > len(failed_at) and began <= self.reach(failures):
            return failures
        return 0


def weights(good: float, bad: float) -> tuple[float, float]:
    """Return what a failure adds to the log likelihood ratio, and what a success takes from it."""
    return math.log(bad / good), math.log((1.0 - good) / (1.0 - bad))


def boundary(good: float, bad: float, alpha: float, beta: float, devices: int = 0) -> Boundary:
    """Return the best rule for a fleet of ``devices``; 0 when its size is unknown.

    Rates are fractions, ``0 < good < bad < 1``. Tens of milliseconds, seconds for rates near 1;
    kept once computed.
    """
    if not 0.0 < good < bad < 1.0:
        raise ValueError(f"good {good} and bad {bad} must be rates, 0 < good < bad < 1")
    horizon = _horizon(good, bad, alpha)
    whole = 0 < devices <= horizon
    return _boundary(good, bad, alpha, beta, devices if whole else horizon, whole)


@lru_cache(maxsize=256)
def _boundary(
    good: float, bad: float, alpha: float, beta: float, horizon: int, whole: bool
) -> Boundary:
    tail = None if whole else math.log(1.0 / (alpha * TAIL_SHARE))
    budget = alpha if whole else alpha * (1.0 - TAIL_SHARE)
    problem = _Problem(good, bad, horizon, _most_failures(good, bad, budget, horizon))
    places = problem.best(budget, beta)
    wrong, power, exposed = (float(v[0]) for v in problem.achieves(places[None, :]))
    beyond = 0.0 if whole else alpha * TAIL_SHARE
    table = tuple(int(p) for p in places)
    return Boundary(good, bad, horizon, table, tail, wrong + beyond, power, exposed)


def _horizon(good: float, bad: float, alpha: float) -> int:
    """Devices in which a bad revision has shown itself all but certainly.

    The likelihood ratio of a bad revision grows by its divergence from a good one at each device.
    """
    on_failure, on_success = weights(good, bad)
    divergence = bad * on_failure - (1.0 - bad) * on_success
    needed = math.ceil(_SPANS * math.log(1.0 / alpha) / divergence)
    return min(MAX_HORIZON, max(_LEAST_HORIZON, needed))


def _most_failures(good: float, bad: float, alpha: float, horizon: int) -> int:
    """Failures that are too many anywhere in the horizon.

    A likelihood ratio of e^4 / alpha, or what a good revision all but never has.
    """
    on_failure, on_success = weights(good, bad)
    unlikely = (math.log(1.0 / alpha) + 4.0 + horizon * on_success) / (on_failure + on_success)
    never = float(special.bdtrik(1.0 - 1e-4 * alpha, horizon, good)) + 2.0
    return min(horizon, math.ceil(min(unlikely, never)))


@dataclass(frozen=True, slots=True)
class _Problem:
    good: float
    bad: float
    horizon: int
    most: int  # failures in the table; one more always stops

    def best(self, alpha: float, beta: float) -> _Places:
        """Return the rule that exposes fewest; a miss gets a price where power asks for one."""
        places = self._cheapest(alpha, 0.0)
        if self.most_power(alpha) >= 1.0 - beta:
            for price in (1.0, 10.0, 100.0, 1000.0):
                if self._power(places) >= 1.0 - beta:
                    break
                places = self._cheapest(alpha, price * self.horizon)
        return self._spend(places, alpha)

    def _spend(self, places: _Places, alpha: float) -> _Places:
        """Push all places out by as much as what one price leaves of ``alpha`` allows."""
        by = np.arange(_FURTHER)[:, None]
        rules = np.where(places > 0, np.minimum(places + by, self.horizon), 0)
        allowed = self.achieves(rules)[0] <= alpha
        return rules[int(np.flatnonzero(allowed)[-1])] if allowed.any() else places

    def most_power(self, alpha: float) -> float:
        """Power of the fixed test at the horizon, which no sequential one exceeds (Neyman-Pearson).

        Of its randomised form, so that this is a bound for every rule.
        """
        n, k = self.horizon, np.arange(self.horizon + 1)
        wrong, right = (special.bdtrc(k - 1, n, p) for p in (self.good, self.bad))
        first = int(np.argmax(wrong <= alpha)) if wrong[-1] <= alpha else n
        share = (alpha - wrong[first]) / (wrong[first - 1] - wrong[first])
        return float(right[first] + share * (right[first - 1] - right[first]))

    def _power(self, places: _Places) -> float:
        return float(self.achieves(places[None, :])[1][0])

    def _cheapest(self, alpha: float, miss: float) -> _Places:
        """Return the rule with the smallest price of a wrong stop that keeps to ``alpha``."""
        low, high = math.log(0.1), math.log(1e3 * self.horizon / alpha)
        best = np.zeros(self.most, np.int64)
        for _ in range(_ROUNDS):
            prices = np.linspace(low, high, _PRICES)
            rules = self._rules(np.exp(prices), miss)
            allowed = self.achieves(rules)[0] <= alpha
            if not allowed.any():
                return best
            first = int(np.argmax(allowed))
            best = rules[first]
            low, high = prices[max(0, first - 1)], prices[first]
        return best

    def _rules(self, prices: _Array, miss: float) -> _Places:
        """Backward induction, for all prices at once: the best places, a row for each price.

        The value of (n, k) is what is still to be paid under a bad revision: a device each
        step, the miss at the end, or the price of a wrong stop weighed by how much likelier
        a good revision is to have come here.
        """
        on_failure, on_success = weights(self.good, self.bad)
        k = np.arange(self.most + 2)
        slope = -k * (on_failure + on_success)

        def stop_cost(n: int) -> _Array:
            cost: _Array = prices[:, None] * np.exp(np.minimum(slope + n * on_success, 600.0))
            return cost

        places = np.zeros((len(prices), self.most + 2), np.int64)
        value = np.minimum(stop_cost(self.horizon), miss)
        places[value < miss] = self.horizon
        for n in range(self.horizon - 1, 0, -1):
            stop = stop_cost(n)
            go_on = 1.0 + (1.0 - self.bad) * value
            go_on[:, :-1] += self.bad * value[:, 1:]
            stops = stop < go_on
            places[stops & (places == 0)] = n
            value = np.minimum(stop, go_on)
        return np.maximum.accumulate(places[:, 1:-1], axis=1)

    def achieves(self, rules: _Places) -> tuple[_Array, _Array, _Array]:
        """Exact chance to stop good and bad ones and the mean devices exposed to bad ones."""
        rate = np.array([self.good, self.bad])[:, None, None]
        reached = np.zeros((2, len(rules), self.most + 1))
        reached[:, :, 0] = 1.0
        stopped, exposed = np.zeros((2, len(rules))), np.zeros(len(rules))
        for n in range(1, self.horizon + 1):
            failing = reached * rate
            reached -= failing
            now = failing[:, :, -1].copy()
            arrived = np.where(rules >= n, failing[:, :, :-1], 0.0)
            now += arrived.sum(axis=2)
            reached[:, :, 1:] += failing[:, :, :-1] - arrived
            stopped += now
            exposed += n * now[1]
        return stopped[0], stopped[1], exposed + self.horizon * (1.0 - stopped[1])
