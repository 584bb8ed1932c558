"""Gates on means: canaries against the devices that run the stable revision, at the same time.

Devices, not inferences, are the units: inferences of one device resemble each other. Canaries are
compared with controls of the same hardware, so that a canary with more of the slow boards is not
taken for a slow revision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from petiole.api.base import fraction
from petiole.api.rollout import Gate

from .plan import Arm, Evidence, Stratum
from .verdict import Verdict, asked, percent

MIN_ARM = 12  # devices an arm needs before a variance estimated from it means anything
_FEW = 6.0
_MIN_PART = 2  # and of one kind of hardware, before they can be compared at all


def judge_mean(gate: Gate, evidence: Evidence) -> Verdict:
    """Judge a metric gate.

    Every look costs error: look k of stage s (from 1) may spend ``alpha (6 / pi^2)^2 / (k s)^2``,
    which sums to ``alpha`` over all looks of all stages (union bound; the spending sequence of
    Even-Dar, Mannor and Mansour, JMLR 7 (2006), 1079-1105). ``alpha`` bounds wrong failures,
    ``beta`` wrong passes.
    """
    question = _drop(gate) if gate.metric == "ConfidenceMean" else _rise(gate)
    strata = _comparable(evidence)
    canary, control = _total([s.canary for s in strata]), _total([s.control for s in strata])
    if min(canary, control) < MIN_ARM or evidence.look < 1:
        return Verdict("Continue", 0.0, -1.0, 1.0, _too_few(canary, control))
    contrast = _contrast(strata, question)
    spent = (6.0 / (math.pi**2 * evidence.look * (evidence.stage + 1))) ** 2
    alpha, beta = fraction(gate.test.alpha), fraction(gate.test.beta)
    estimate = question.effect(contrast.estimate, contrast.baseline)
    lower = question.effect(contrast.below(alpha * spent), contrast.baseline)
    upper = question.effect(contrast.above(beta * spent), contrast.baseline)
    facts = question.facts(canary, control, contrast, estimate)
    allowed = f"{question.number(question.allowed)} allowed"
    if lower > question.allowed:
        sure = f"with {percent(1.0 - alpha)} confidence"
        words = f"{facts} (at least {question.number(lower)} {question.worse} {sure}; {allowed})"
        return Verdict("Fail", estimate, lower, upper, words)
    if upper < question.allowed:
        better = f"not {question.worse}"
        bound = f"at most {question.number(upper)} {question.worse}" if upper > 0.0 else better
        sure = f"with {percent(1.0 - beta)} confidence"
        return Verdict("Pass", estimate, lower, upper, f"{facts} ({bound} {sure}; {allowed})")
    between = f"between {question.number(lower)} and {question.number(upper)}"
    words = f"{facts}; the true {question.noun} lies {between}, {allowed}"
    return Verdict("Continue", estimate, lower, upper, words)


# --- what is asked --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Question:
    """Whether ``canary_factor * canary + control_factor * control`` is above zero, on average.

    The contrast is what is left of the effect above ``allowed``; of a rise, in units of the
    metric, so that the mean it is relative to is tested with it and not taken for known.
    """

    allowed: float
    canary_factor: float
    control_factor: float
    constant: float  # taken from the contrast
    relative: bool
    noun: str
    worse: str

    def effect(self, contrast: float, baseline: float) -> float:
        """Return what the gate's limit is stated in: full scale, or the control's mean."""
        return self.allowed + (contrast / baseline if self.relative else contrast)

    def number(self, value: float) -> str:
        return percent(value) if self.relative else f"{value:.2f}"

    def facts(self, canary: int, control: int, contrast: _Contrast, effect: float) -> str:
        others = f"the {control} devices on the stable revision"
        if self.relative:
            way = "above" if effect >= 0.0 else "below"
            return (
                f"mean latency of {canary} canaries was {contrast.canary / 1000.0:.1f} ms, "
                f"{self.number(abs(effect))} {way} {others}"
            )
        way = "below" if effect >= 0.0 else "above"
        return (
            f"mean confidence of {canary} canaries was {contrast.canary:.2f}, "
            f"{self.number(abs(effect))} {way} {others}"
        )


def _drop(gate: Gate) -> _Question:
    allowed = asked(gate, "max_drop")
    return _Question(allowed, -1.0, 1.0, allowed, False, "drop", "below")


def _rise(gate: Gate) -> _Question:
    allowed = asked(gate, "max_rise")
    return _Question(allowed, 1.0, -(1.0 + allowed), 0.0, True, "rise", "above")


# --- the estimate and its interval ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Contrast:
    """An estimate with its variance, degrees of freedom and skewness; means of both arms."""

    estimate: float
    variance: float
    freedom: float
    skewness: float
    canary: float
    baseline: float

    def below(self, error: float) -> float:
        return self.estimate - self._quantile(error, 1.0) * math.sqrt(self.variance)

    def above(self, error: float) -> float:
        return self.estimate + self._quantile(error, -1.0) * math.sqrt(self.variance)

    def _quantile(self, error: float, side: float) -> float:
        """Count standard errors to go: Student's, or Hall's where skewness asks for more.

        Hall's cubic transformation takes the skewness out of a studentised mean: P. Hall, "On the
        removal of skewness by transformation", J. R. Stat. Soc. B 54 (1992), 221-228. Student's
        quantile alone is wrong in 9 % instead of 5 % of cases with 10 devices of strongly skewed
        means. The interval is never narrower than Welch's.
        """
        if self.variance == 0.0:
            return 0.0
        student = float(special.stdtrit(self.freedom, 1.0 - error))
        skew = side * self.skewness
        if abs(skew) < 1e-9:
            return student
        hall = 3.0 / skew * (math.cbrt(1.0 + skew * (student - skew / 6.0)) - 1.0)
        return max(student, hall)


def _contrast(strata: Sequence[Stratum], question: _Question) -> _Contrast:
    """Sum over hardware of the canaries' share times the difference there.

    B. L. Welch, "The generalization of Student's problem when several different population
    variances are involved", Biometrika 34 (1947), 28-35; freedom by F. E. Satterthwaite,
    Biometrics Bulletin 2 (1946), 110-114.
    """
    canaries = _total([s.canary for s in strata])
    estimate, variance, spread, third, canary, baseline = (
        -question.constant,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
    )
    for stratum in strata:
        share = stratum.canary.devices / canaries
        canary += share * stratum.canary.mean
        baseline += share * stratum.control.mean
        for arm, factor in (
            (stratum.canary, share * question.canary_factor),
            (stratum.control, share * question.control_factor),
        ):
            n = arm.devices
            of_mean = factor**2 * arm.variance / n
            estimate += factor * arm.mean
            variance += of_mean
            spread += of_mean**2 / (n - 1)
            third += factor**3 * _third_cumulant(arm) / n**2
    freedom = variance**2 / spread if spread > 0.0 else math.inf
    skewness = third / variance**1.5 if variance > 0.0 else 0.0
    return _Contrast(estimate, variance, freedom, skewness, canary, baseline)


def _third_cumulant(arm: Arm) -> float:
    """Unbiased, and made larger where few devices hide how skewed they are (by simulation)."""
    n = arm.devices
    if n < 3:
        return 0.0
    return arm.third_moment * n * n / ((n - 1) * (n - 2)) * (1.0 + _FEW / n)


def _comparable(evidence: Evidence) -> tuple[Stratum, ...]:
    """Kinds of hardware with devices on both sides; others say nothing about the revision."""
    whole = (Stratum(hardware="", canary=evidence.canary, control=evidence.control),)
    return tuple(
        s for s in evidence.strata or whole if min(s.canary.devices, s.control.devices) >= _MIN_PART
    )


def _total(arms: Sequence[Arm]) -> int:
    return sum(arm.devices for arm in arms)


def _too_few(canary: int, control: int) -> str:
    return (
        f"{canary} canaries and {control} devices on the stable revision with hardware like theirs "
        f"have reported; {MIN_ARM} of each and one interval are needed"
    )
