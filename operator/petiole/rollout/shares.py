"""Gates on a share: on how many inputs the new model disagrees with the one that answers.

Each device gives one number between 0 and 1, the share of its shadow run in which both models gave
different answers. The mean of these numbers over devices is tested by betting: no form of their
distribution is assumed, and looking as often as one likes costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from petiole.api.base import fraction
from petiole.api.rollout import Gate

from .plan import Evidence
from .verdict import Verdict, asked, percent

WHOLE = 1000  # shares are counted in thousandths
_STAKES = (1.0, 0.5, 0.25, 0.125)  # of what a bet can lose; half of each is the capital behind it
_STEPS = 40  # halvings of an interval that starts with length 1

Counted = tuple[tuple[int, int], ...]  # shares in thousandths, and how many devices have each


def judge_share(gate: Gate, evidence: Evidence) -> Verdict:
    """Judge a gate on Disagreement; ``lower`` and ``upper`` bound the mean share of the fleet.

    A gambler who bets that the mean is above (below) the limit, at odds that are fair or worse if
    it is not, multiplies the capital by 1/alpha (1/beta) with probability alpha (beta) at most, now
    or ever: Ville's inequality. I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random
    variables by betting", J. R. Stat. Soc. B 86 (2024), 1-27. The stakes are fixed, so the order of
    devices does not matter. What a fleet of known size can still become is a bound too.
    """
    allowed = asked(gate, "max")
    shares, devices = evidence.shares, sum(evidence.shares.values())
    if devices == 0:
        message = "no device has finished its shadow run yet"
        return Verdict("Continue", 0.0, 0.0, 1.0, message)
    total = sum(share * count for share, count in shares.items()) / WHOLE
    alpha, beta = fraction(gate.test.alpha), fraction(gate.test.beta)
    left = max(0, evidence.devices - devices)
    lower = _at_least(_counted(shares), alpha)
    upper = 1.0 - _at_least(_counted(_mirrored(shares)), beta)
    if evidence.devices:
        lower = max(lower, total / (devices + left))
        upper = min(upper, (total + left) / (devices + left))
    mean = total / devices
    facts = (
        f"the new model disagreed with the one that answers on {percent(mean)} of the inputs, "
        f"on average over {devices} device{'s' if devices > 1 else ''}"
    )
    limit = f"{percent(allowed)} allowed"
    if lower > allowed:
        sure = f"at least {percent(lower)} with {percent(1.0 - alpha)} confidence"
        return Verdict("Fail", mean, lower, upper, f"{facts} ({sure}; {limit})")
    if upper <= allowed:
        sure = f"at most {percent(upper)} with {percent(1.0 - beta)} confidence"
        return Verdict("Pass", mean, lower, upper, f"{facts} ({sure}; {limit})")
    between = f"between {percent(lower)} and {percent(upper)}"
    return Verdict("Continue", mean, lower, upper, f"{facts}; the mean is {between}, {limit}")


def _mirrored(shares: Mapping[int, int]) -> dict[int, int]:
    return {WHOLE - share: count for share, count in shares.items()}


def _counted(shares: Mapping[int, int]) -> Counted:
    return tuple(sorted(shares.items()))


@lru_cache(maxsize=64)  # a gate is looked at far more often than a device ends its shadow run
def _at_least(shares: Counted, error: float) -> float:
    """Return the largest mean that is excluded, from below, with probability ``1 - error``."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _capital(shares, middle) >= 1.0 / error else (low, middle)
    return low


def _capital(shares: Counted, mean: float) -> float:
    """Return what bets on more than ``mean`` made of a capital below 1; falls as ``mean`` rises.

    A bet with stake f multiplies its capital by ``1 - f + f * share / mean``: by 1 on average, if
    ``mean`` is right.
    """
    return math.fsum(
        stake / 2.0 * math.exp(min(700.0, _growth(shares, mean, stake))) for stake in _STAKES
    )


def _growth(shares: Counted, mean: float, stake: float) -> float:
    factors = ((1.0 - stake + stake * s / WHOLE / mean, n) for s, n in shares)
    return math.fsum(n * math.log(f) if f > 0.0 else -math.inf for f, n in factors)
