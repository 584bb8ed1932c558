"""How few devices a bad build can reach at all: computed here, apart from the product's code.

A cohort takes a build one device at a time. ``limit`` is a lower bound for every rule, randomised
ones included: by Lagrangian duality the least of (devices exposed + price x wrong stops), less
price x A, is below what any rule with at most A wrong stops exposes, at every price. ``best_rule``
is the best rule that such a price yields within A.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rule:
    """``stop[n, k]``: stop when k of n failed."""

    stop: NDArray[np.bool_]
    wrong: float
    power: float
    exposed: float


def solve(good: float, bad: float, devices: int, price: float) -> tuple[NDArray[np.bool_], float]:
    """Least of exposed devices + price x wrong stops, in weights of whole paths; and the rule."""
    k = np.arange(devices + 2)
    stop = np.zeros((devices + 1, devices + 2), bool)
    value = np.zeros(devices + 2)
    for n in range(devices - 1, 0, -1):
        inside = k <= n
        likely_bad = np.where(inside, bad**k * (1.0 - bad) ** (n - np.minimum(k, n)), 0.0)
        likely_good = np.where(inside, good**k * (1.0 - good) ** (n - np.minimum(k, n)), 0.0)
        go_on = likely_bad + value + np.append(value[1:], 0.0)
        halt = price * likely_good
        stop[n] = inside & (halt < go_on)
        value = np.where(stop[n], halt, np.where(inside, go_on, 0.0))
    return stop, 1.0 + value[0] + value[1]


def achieves(stop: NDArray[np.bool_], rate: float) -> tuple[float, float]:
    """Chance to be stopped, and mean devices exposed (all, when never stopped)."""
    devices = stop.shape[0] - 1
    reached = np.zeros(devices + 2)
    reached[0] = 1.0
    stopped = exposed = 0.0
    for n in range(1, devices + 1):
        reached = reached * (1.0 - rate) + np.append(0.0, reached[:-1] * rate)
        now = reached[stop[n]].sum()
        stopped, exposed = stopped + now, exposed + n * now
        reached[stop[n]] = 0.0
    return float(stopped), float(exposed + devices * (1.0 - stopped))


def limit(good: float, bad: float, devices: int, wrong: float) -> float:
    prices = np.geomspace(5.0, 50_000.0, 400)
    return float(max(solve(good, bad, devices, p)[1] - p * wrong for p in prices))


def best_rule(good: float, bad: float, devices: int, wrong: float) -> Rule:
    rules = []
    for price in np.geomspace(5.0, 50_000.0, 400):
        stop, _ = solve(good, bad, devices, price)
        chance = achieves(stop, good)[0]
        if chance <= wrong:
            power, exposed = achieves(stop, bad)
            rules.append(Rule(stop, chance, power, exposed))
    return min(rules, key=lambda rule: rule.exposed)
