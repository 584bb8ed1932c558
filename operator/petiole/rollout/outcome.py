"""Gates on outcomes: how many devices took the revision, and how many gave it up.

Two questions with two tests. *Stop?* is asked whenever a failure is known, of all devices that have
begun, by a boundary (``boundary``). *Pass?* is asked when a stage is complete, of the devices that
finished, by a likelihood ratio.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import lru_cache

from scipy import special

from petiole.api.base import fraction
from petiole.api.rollout import Gate

from .boundary import Boundary, boundary, weights
from .plan import Evidence
from .verdict import STATED_CONFIDENCE, Verdict, asked, percent

FINITE = 1000  # fleets up to this size are counted, not taken for endless


def judge_outcome(gate: Gate, evidence: Evidence) -> Verdict:
    """Judge an outcome gate.

    A revision with the failure rate ``good`` is stopped with probability ``alpha`` at most, over
    the whole rollout and whatever the delay of reports. A bad one passes with ``beta`` at most
    (Ville's inequality for the likelihood ratio, however often one looks; J. Ville, *Etude critique
    de la notion de collectif*, 1939): see ``Passing`` for what bad means in a small fleet.
    """
    good, bad = asked(gate, "good"), asked(gate, "bad")
    alpha, beta = fraction(gate.test.alpha), fraction(gate.test.beta)
    rule = boundary(good, bad, alpha, beta, evidence.devices)
    n, k = evidence.canary.devices, evidence.canary.failures
    lower, upper = rate_interval(n, k, evidence.devices)
    estimate = k / n if n else 0.0
    many = _too_many(rule, evidence)
    if many:
        return Verdict("Fail", estimate, lower, upper, _stopped(rule, evidence, many, alpha))
    if n == 0:
        return Verdict("Continue", estimate, lower, upper, "no device has finished yet")
    passing = Passing(good, bad, beta, evidence.devices)
    if passing.holds(n, k):
        words = f"{k} of {n} devices failed ({percent(k / n)}); {passing.refuted()}"
        return Verdict("Pass", estimate, lower, upper, words)
    return Verdict("Continue", estimate, lower, upper, _open(passing, evidence, upper))


# --- stop -----------------------------------------------------------------------------------------


def _counted(evidence: Evidence) -> int:
    return max(len(evidence.failed_at), evidence.canary.failures - evidence.set_aside)


def _too_many(rule: Boundary, evidence: Evidence) -> int:
    began = max(evidence.began, evidence.canary.devices)
    return rule.crossed(evidence.failed_at, _counted(evidence), began)


def _stopped(rule: Boundary, evidence: Evidence, many: int, alpha: float) -> str:
    """Name the deciding failure and its place, which later reports do not change."""
    began = max(evidence.began, evidence.canary.devices)
    place = evidence.failed_at[many - 1] if many <= len(evidence.failed_at) else began
    return (
        f"{many} of the first {place} devices failed; at a rate of {percent(rule.good)} there "
        f"would be fewer, in all but {percent(alpha)} of rollouts"
    )


# --- pass -----------------------------------------------------------------------------------------


class Passing:
    """The likelihood ratio of a good revision against a bad one, on devices that finished.

    An endless fleet: independent failures at ``bad`` against ``good``. A fleet of known size, up to
    ``FINITE``: the devices are drawn from it without putting back, and bad means that at least
    ``ceil(bad * devices)`` of these devices would fail (hypergeometric). The larger share of a
    small fleet is known, the surer: the whole fleet needs no test. The number of failing devices
    most in favour of a bad revision is the least one as long as fewer than its share failed.
    """

    def __init__(self, good: float, bad: float, beta: float, devices: int) -> None:
        self.good, self.bad, self.beta = good, bad, beta
        self.devices = devices if 0 < devices <= FINITE else 0
        self.failing = math.ceil(bad * devices - 1e-9) if self.devices else 0

    def holds(self, n: int, k: int) -> bool:
        if not self.devices:
            on_failure, on_success = weights(self.good, self.bad)
            return k * on_failure - (n - k) * on_success <= math.log(self.beta)
        n = min(n, self.devices)
        if k * self.devices >= self.failing * n:
            return False
        left = self.devices - n
        if self.failing - k > left:
            return True  # not enough devices are left to make it bad
        as_good = k * math.log(self.good) + (n - k) * math.log1p(-self.good)
        as_bad = _log_choose(left, self.failing - k) - _log_choose(self.devices, self.failing)
        return as_bad - as_good <= math.log(self.beta)

    def needed(self, n: int, k: int) -> int:
        """Devices that must have finished to pass without another failure; 0 when none suffice."""
        low, high = n, self.devices or 2 * max(n, 1)
        while not self.holds(high, k):
            if self.devices:
                return 0
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.holds(middle, k) else (middle, high)
        return high

    def refuted(self) -> str:
        if not self.devices:
            return f"at a rate of {percent(self.bad)} there would be more"
        return f"if {self.failing} of the fleet's {self.devices} devices failed there would be more"


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


# --- words ----------------------------------------------------------------------------------------


def _open(passing: Passing, evidence: Evidence, upper: float) -> str:
    """Say what is missing. While devices are in flight, nothing that changes with each of them."""
    n, k = evidence.canary.devices, evidence.canary.failures
    needed = passing.needed(n, k)
    in_flight = evidence.began - n - evidence.silent
    parts = [_aside(evidence)] if evidence.set_aside else []
    if needed == 0:
        parts.append(
            f"{k} failed; with {passing.failing} of the fleet's {passing.devices} devices it is bad"
        )
    elif in_flight > 0:
        so_far = "no failure" if k == 0 else f"the {k} failures so far" if k > 1 else "one failure"
        parts.append(f"to pass it takes {needed} devices with {so_far}")
    else:
        parts.append(_excludes(n, k, upper))
        parts.append(f"to pass it takes {needed - n} more without a failure")
    return "; ".join(parts)


def _aside(evidence: Evidence) -> str:
    failures = "failure" if evidence.set_aside == 1 else "failures"
    return (
        f"{evidence.set_aside} {failures} of one cluster, which the others do not bear out, do not "
        "count towards a stop"
    )


def _excludes(n: int, k: int, upper: float) -> str:
    """Say what a canary of this size proves, so that nobody takes it for more."""
    sure = f"with {percent(STATED_CONFIDENCE)} confidence"
    if k == 0:
        clean = "1 clean device excludes" if n == 1 else f"{n} clean devices exclude"
        return f"{clean} failure rates >= {percent(upper)} {sure}"
    return f"{k} of {n} devices failed, which excludes failure rates >= {percent(upper)} {sure}"


@lru_cache(maxsize=1024)
def rate_interval(n: int, k: int, devices: int = 0) -> tuple[float, float]:
    """One-sided bounds of a failure rate, each at the stated confidence.

    Clopper and Pearson, Biometrika 26 (1934), 404-413; in a fleet of known size up to ``FINITE``
    the same with the hypergeometric distribution, of the fleet's own rate: ``upper`` is the
    smallest rate that is excluded, or 1.
    """
    if n == 0:
        return 0.0, 1.0
    tail = 1.0 - STATED_CONFIDENCE
    if n <= devices <= FINITE:
        return _fleet_interval(n, k, devices, tail + 1e-12)  # a tie is one in floating point too
    lower = 0.0 if k == 0 else float(special.betaincinv(k, n - k + 1, tail))
    upper = 1.0 if k == n else float(special.betaincinv(k + 1, n - k, 1.0 - tail))
    return lower, upper


def _fleet_interval(n: int, k: int, devices: int, tail: float) -> tuple[float, float]:
    """Bounds of the share of the fleet that fails: from k devices to all but the sound ones."""
    failing = range(k, devices - (n - k) + 1)

    def likely(d: int) -> bool:
        return k == 0 or 1.0 - _at_most(k - 1, d, n, devices) > tail

    def excluded(d: int) -> bool:
        return _at_most(k, d, n, devices) <= tail

    lower = k + bisect_left(failing, True, key=likely)
    upper = k + bisect_left(failing, True, key=excluded)
    return lower / devices, min(1.0, upper / devices)


def _at_most(k: int, failing: int, n: int, devices: int) -> float:
    """Hypergeometric: at most ``k`` of ``n`` drawn devices are among the ``failing`` ones."""
    least = max(0, n - (devices - failing))
    if k < least:
        return 0.0
    chance = math.exp(
        _log_choose(failing, least)
        + _log_choose(devices - failing, n - least)
        - _log_choose(devices, n)
    )
    total = chance
    for j in range(least, min(k, n, failing)):
        chance *= (failing - j) * (n - j) / ((j + 1) * (devices - failing - n + j + 1))
        total += chance
    return total
