"""Is a candidate good enough? Every target has to reach the bars, as int8, on data never queried.

Without ``acceptance.confidence`` shares count as they were measured. With it a share must reach its
bar by a one-sided lower bound (C. Clopper and E. Pearson, "The use of confidence or fiducial limits
...", 1934), and it must be shown that the candidate is not worse than the version in the field by
more than is allowed, sample by sample (T. Tango, "Equivalence test and confidence interval for the
difference in proportions for the paired-sample design", 1998).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import special

from petiole.api.base import fraction
from petiole.api.tinymodel import TinyModelSpec, VersionStatus

NAMED = 6  # shortcomings that a message names; it says how many more there are
ROUNDING = 1e-9
WRITTEN = 0.5e-4  # status says shares in hundredths of a percent: so much may be lost by that

Variant = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """``reason`` is CamelCase; ``message`` has the numbers. Both are empty when accepted."""

    accepted: bool
    reason: str = ""
    message: str = ""


def judge(
    spec: TinyModelSpec, document: Mapping[str, Any], field_version: VersionStatus | None
) -> Judgement:
    """Judge a ``candidate.json`` against the acceptance and the version it would replace.

    A target that is new in the spec has nothing to regress from.
    """
    variants = by_target(spec, document)
    if isinstance(variants, Judgement):
        return variants
    bars, sure = spec.acceptance, _confidence(spec)
    least = fraction(bars.accuracy or "100%")
    if low := list(_low_accuracies(variants, least, sure)):
        text = f"accuracy {_listed(low)}; {percent(least)} is asked of every target"
        return Judgement(False, "AccuracyTooLow", text)
    if bars.recall is not None and (low := list(_low_recalls(spec, variants, sure))):
        text = f"recall {_listed(low)}; {percent(fraction(bars.recall))} is asked of every class"
        return Judgement(False, "RecallTooLow", text)
    if worse := list(_regressions(spec, variants, field_version, sure)):
        text = f"{_listed(worse)}; at most {bars.max_regression} less is allowed"
        return Judgement(False, "Regressed", text)
    return Judgement(True)


def by_target(spec: TinyModelSpec, document: Mapping[str, Any]) -> dict[str, Variant] | Judgement:
    """Return the variant of each target of the spec, or which of them has none."""
    found = {str(variant["target"]): variant for variant in document.get("variants", ())}
    missing = [target.name for target in spec.targets if target.name not in found]
    if missing:
        names = ", ".join(missing)
        return Judgement(False, "VariantMissing", f"the candidate has no variant for {names}")
    return {target.name: found[target.name] for target in spec.targets}


def lower_bound(share: float, count: int, confidence: float) -> float:
    """Bound from below what a share of ``count`` samples stands for; 0..1."""
    right = round(share * count)
    if right == 0:
        return 0.0
    return float(special.betaincinv(right, count - right + 1, 1 - confidence))


def not_worse(lost: int, gained: int, count: int, allowed: float, confidence: float) -> bool:
    """Whether it is shown that fewer than ``allowed`` of all samples are lost on balance.

    Of ``count`` samples the candidate answers ``lost`` wrongly that the version in the field
    answers rightly, and ``gained`` the other way round. The score test of Tango.
    """
    excess = lost - gained - count * allowed
    linear = (2 * count - lost + gained) * allowed - lost - gained
    constant = -gained * allowed * (1 - allowed)
    one_way = (math.sqrt(linear**2 - 8 * count * constant) - linear) / (4 * count)
    variance = count * (2 * one_way + allowed * (1 - allowed))
    if variance <= 0:  # nothing may be lost, and the two answer alike
        return excess <= 0
    return bool(excess / math.sqrt(variance) <= -special.ndtri(confidence))


def _confidence(spec: TinyModelSpec) -> float | None:
    asked = spec.acceptance.confidence
    return None if asked is None else fraction(asked)


def _low_accuracies(
    variants: Mapping[str, Variant], asked: float, confidence: float | None
) -> Iterator[str]:
    for name, variant in variants.items():
        words = _short(float(variant["accuracy"]), variant.get("samples", 0), asked, confidence)
        if words:
            yield f"{name} {words}"


def _low_recalls(
    spec: TinyModelSpec, variants: Mapping[str, Variant], confidence: float | None
) -> Iterator[str]:
    asked = fraction(spec.acceptance.recall or "0%")
    for name, variant in variants.items():
        recall, counts = variant.get("recall", {}), variant.get("counts", {})
        for label in spec.task.labels:
            if label not in recall:
                yield f"{name} of {label} unknown: the evaluation set has no sample of it"
            elif words := _short(float(recall[label]), counts.get(label, 0), asked, confidence):
                yield f"{name} of {label} {words}"


def _short(share: float, count: int, asked: float, confidence: float | None) -> str:
    """Say how a share falls short of what is asked, or nothing."""
    if confidence is None:
        return percent(share) if share < asked else ""
    bound = lower_bound(share, count, confidence)
    if bound >= asked:
        return ""
    return f"{percent(share)} of {count} samples, {percent(bound)} by a bound of {confidence:.0%}"


def _regressions(
    spec: TinyModelSpec,
    variants: Mapping[str, Variant],
    field_version: VersionStatus | None,
    confidence: float | None,
) -> Iterator[str]:
    allowed = fraction(spec.acceptance.max_regression)
    known = () if field_version is None else field_version.variants
    before = {variant.target: fraction(variant.accuracy) for variant in known}
    for name, variant in variants.items():
        reached, compared = float(variant["accuracy"]), variant.get("field")
        if compared:
            yield from _lost(name, variant, allowed, confidence)
        elif field_version is not None and reached < before.get(name, 0.0) - allowed - WRITTEN:
            yield _fell(name, before[name], field_version.version, reached)


def _lost(name: str, variant: Variant, allowed: float, confidence: float | None) -> Iterator[str]:
    """Compare with the version in the field on the same samples."""
    reached, compared, count = float(variant["accuracy"]), variant["field"], int(variant["samples"])
    version, lost, gained = (int(compared[key]) for key in ("version", "lost", "gained"))
    if (lost - gained) / count > allowed + ROUNDING:
        yield _fell(name, reached + (lost - gained) / count, version, reached)
    elif confidence is not None and not not_worse(lost, gained, count, allowed, confidence):
        yield (
            f"that {name} is no worse than version {version} is not shown with {confidence:.0%}: "
            f"of {count} samples it loses {lost} and gains {gained}"
        )


def _fell(name: str, before: float, version: int, reached: float) -> str:
    return (
        f"accuracy of {name} fell from {percent(before)} in version {version} to {percent(reached)}"
    )


def _listed(words: Sequence[str]) -> str:
    more = len(words) - NAMED
    return ", ".join(words[:NAMED]) + (f" and {more} more" if more > 0 else "")


def percent(share: float) -> str:
    """``0.9325`` -> ``"93.25%"``."""
    return f"{100.0 * share:.2f}%"
