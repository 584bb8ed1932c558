"""What the evidence says about one gate: a verdict with stated error rates, in words and numbers.

Two kinds of gate exist. An *outcome* gate counts devices that took the revision or gave it up and
decides by Wald's sequential probability ratio test. A *metric* gate compares the canaries with the
devices that still run the stable revision, at the same time, by Welch's interval for the drop.

Neither knows where the rollout stands. ``Continue`` means "not enough evidence yet"; whether more
can still come is the rollout's business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic.alias_generators import to_camel
from scipy import special

from petiole.api.base import fraction
from petiole.api.rollout import Gate

from .plan import Arm, Evidence

MIN_ARM = 8  # devices an arm needs before a variance estimated from it means anything
_STATED_CONFIDENCE = 0.95  # of intervals that are shown but decide nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    """``estimate``, ``lower``, ``upper`` are fractions: a failure rate or a drop of confidence."""

    verdict: Literal["Pass", "Fail", "Continue", "NotApplicable"]
    estimate: float
    lower: float
    upper: float
    message: str


def judge(gate: Gate, evidence: Evidence) -> Verdict:
    """Judge ``gate`` by all the evidence there is so far."""
    if gate.outcome is not None:
        return _outcome(gate, evidence.canary)
    return _drop(gate, evidence)


def shared(gates: Sequence[Gate], false_stop: str | None) -> tuple[Gate, ...]:
    """Return the gates with so little ``alpha`` each that all together keep to ``false_stop``.

    The chance that any gate stops a good revision is at most the sum of their alphas (Bonferroni),
    however the gates depend on each other. A sum above ``false_stop`` is scaled down, each gate by
    the same factor; a smaller one, or no bound, leaves the gates as they are.
    """
    if false_stop is None:
        return tuple(gates)
    bound, total = fraction(false_stop), math.fsum(fraction(g.test.alpha) for g in gates)
    if total <= bound:
        return tuple(gates)
    return tuple(_with_alpha(g, fraction(g.test.alpha) * bound / total) for g in gates)


def _with_alpha(gate: Gate, alpha: float) -> Gate:
    """Round down to what a percent string can say, so that the sum stays below its bound."""
    hundredths = max(1, math.floor(alpha * 10_000 + 1e-9))
    test = gate.test.model_copy(update={"alpha": f"{hundredths / 100:.2f}%"})
    return gate.model_copy(update={"test": test})


# --- outcome: Wald's test -------------------------------------------------------------------------


def _outcome(gate: Gate, canary: Arm) -> Verdict:
    """Sequential probability ratio test of a failure rate, ``good`` against ``bad``.

    A. Wald, "Sequential Tests of Statistical Hypotheses", Ann. Math. Stat. 16 (1945), 117-186:
    stop for *bad* when the log likelihood ratio reaches ``ln((1-beta)/alpha)``, for *good* when it
    falls to ``ln(beta/(1-alpha))``. A good revision fails with probability of about ``alpha`` at
    most, a bad one passes with about ``beta`` at most, whenever one looks.
    """
    n, k = canary.devices, canary.failures
    lower, upper = _rate_interval(n, k)
    if n == 0:
        return Verdict("Continue", 0.0, lower, upper, "no device has finished yet")
    good, bad = _asked(gate, "good"), _asked(gate, "bad")
    alpha, beta = fraction(gate.test.alpha), fraction(gate.test.beta)
    on_failure = math.log(bad / good)
    on_success = math.log((1.0 - bad) / (1.0 - good))
    ratio = k * on_failure + (n - k) * on_success
    accept = math.log(beta / (1.0 - alpha))
    facts = f"{k} of {n} devices failed ({_percent(k / n)})"
    if ratio >= math.log((1.0 - beta) / alpha):
        return Verdict(
            "Fail",
            k / n,
            lower,
            upper,
            f"{facts}; at a rate of {_percent(good)} there would be fewer",
        )
    if ratio <= accept:
        return Verdict(
            "Pass",
            k / n,
            lower,
            upper,
            f"{facts}; at a rate of {_percent(bad)} there would be more",
        )
    more = math.ceil((accept - ratio) / on_success)
    return Verdict(
        "Continue",
        k / n,
        lower,
        upper,
        f"{_excludes(n, k, upper)}; to pass it takes {more} more without a failure",
    )


def _excludes(n: int, k: int, upper: float) -> str:
    """Say what a canary of this size proves, so that nobody takes it for more."""
    sure = f"with {_percent(_STATED_CONFIDENCE)} confidence"
    if k == 0:
        clean = "1 clean device excludes" if n == 1 else f"{n} clean devices exclude"
        return f"{clean} failure rates >= {_percent(upper)} {sure}"
    return f"{k} of {n} devices failed, which excludes failure rates >= {_percent(upper)} {sure}"


def _rate_interval(n: int, k: int) -> tuple[float, float]:
    """One-sided Clopper-Pearson bounds of a failure rate, each at the stated confidence."""
    if n == 0:
        return 0.0, 1.0
    tail = 1.0 - _STATED_CONFIDENCE
    lower = 0.0 if k == 0 else float(special.betaincinv(k, n - k + 1, tail))
    upper = 1.0 if k == n else float(special.betaincinv(k + 1, n - k, 1.0 - tail))
    return lower, upper


# --- metric: Welch's interval ---------------------------------------------------------------------


def _drop(gate: Gate, evidence: Evidence) -> Verdict:
    """Decide whether the canaries' mean is below the control's by more than ``maxDrop``.

    Devices, not inferences, are the units: inferences of one device resemble each other. Every look
    costs error: look k may spend ``6 alpha / (pi^2 k^2)``, which sums to ``alpha`` over all looks
    (union bound; the spending sequence of Even-Dar, Mannor and Mansour, JMLR 7 (2006), 1079-1105).
    ``alpha`` bounds wrong failures, ``beta`` wrong passes.
    """
    canary, control = evidence.canary, evidence.control
    estimate = control.mean - canary.mean
    short = min(canary.devices, control.devices)
    if short < MIN_ARM or evidence.look < 1:
        return Verdict("Continue", estimate, -1.0, 1.0, _too_few(canary, control))
    allowed = _asked(gate, "max_drop")
    spent = 6.0 / (math.pi * evidence.look) ** 2
    fail_error, pass_error = fraction(gate.test.alpha) * spent, fraction(gate.test.beta) * spent
    lower = estimate - _margin(canary, control, fail_error)
    upper = estimate + _margin(canary, control, pass_error)
    facts = (
        f"mean confidence of {canary.devices} canaries was {canary.mean:.2f}, "
        f"{_against(estimate)} the {control.devices} devices on the stable revision"
    )
    if lower > allowed:
        sure = f"with {_percent(1.0 - fraction(gate.test.alpha))} confidence"
        return Verdict(
            "Fail",
            estimate,
            lower,
            upper,
            f"{facts} (at least {lower:.2f} below {sure}; {allowed:.2f} allowed)",
        )
    if upper < allowed:
        bound = f"at most {upper:.2f} below" if upper > 0.0 else "not below"
        sure = f"with {_percent(1.0 - fraction(gate.test.beta))} confidence"
        return Verdict(
            "Pass",
            estimate,
            lower,
            upper,
            f"{facts} ({bound} {sure}; {allowed:.2f} allowed)",
        )
    return Verdict(
        "Continue",
        estimate,
        lower,
        upper,
        f"{facts}; the true drop lies between {lower:.2f} and {upper:.2f}, {allowed:.2f} allowed",
    )


def _margin(canary: Arm, control: Arm, error: float) -> float:
    """Half width of Welch's one-sided interval for a difference of means.

    B. L. Welch, "The generalization of Student's problem when several different population
    variances are involved", Biometrika 34 (1947), 28-35.
    """
    a, b = canary.variance / canary.devices, control.variance / control.devices
    if a + b == 0.0:
        return 0.0
    freedom = (a + b) ** 2 / (a * a / (canary.devices - 1) + b * b / (control.devices - 1))
    return float(special.stdtrit(freedom, 1.0 - error)) * math.sqrt(a + b)


def _too_few(canary: Arm, control: Arm) -> str:
    return (
        f"{canary.devices} canaries and {control.devices} devices on the stable revision have "
        f"reported; {MIN_ARM} of each and one interval are needed"
    )


def _asked(gate: Gate, field: str) -> float:
    """Return a fraction that this kind of gate needs; the CRD refuses objects without it."""
    value = getattr(gate.test, field)
    if value is None:
        raise ValueError(f"gate {gate.name!r} needs test.{to_camel(field)}")
    return fraction(value)


def _against(drop: float) -> str:
    return f"{drop:.2f} below" if drop >= 0.0 else f"{-drop:.2f} above"


def _percent(value: float) -> str:
    """``0.122`` -> ``"12.2 %"``, ``0.05`` -> ``"5 %"``."""
    return f"{100.0 * value:.1f}".removesuffix(".0") + " %"
