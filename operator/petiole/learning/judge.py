"""Is a candidate good enough? Every target has to reach the bar, as int8, on data never queried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from petiole.api.base import fraction
from petiole.api.tinymodel import TinyModelSpec, VersionStatus


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
    reached = {str(v["target"]): float(v["accuracy"]) for v in document.get("variants", ())}
    missing = [t.name for t in spec.targets if t.name not in reached]
    if missing:
        names = ", ".join(missing)
        return Judgement(False, "VariantMissing", f"the candidate has no variant for {names}")
    asked = fraction(spec.acceptance.accuracy or "100%")
    low = [f"{t.name} {percent(reached[t.name])}" for t in spec.targets if reached[t.name] < asked]
    if low:
        text = f"accuracy {', '.join(low)}; {percent(asked)} is asked of every target"
        return Judgement(False, "AccuracyTooLow", text)
    worse = _regressions(spec, reached, field_version)
    if worse:
        text = f"{', '.join(worse)}; at most {spec.acceptance.max_regression} less is allowed"
        return Judgement(False, "Regressed", text)
    return Judgement(True)


def _regressions(
    spec: TinyModelSpec, reached: Mapping[str, float], field_version: VersionStatus | None
) -> list[str]:
    if field_version is None:
        return []
    allowed = fraction(spec.acceptance.max_regression)
    before = {v.target: fraction(v.accuracy) for v in field_version.variants}
    return [
        f"accuracy of {t.name} fell from {percent(before[t.name])} in version "
        f"{field_version.version} to {percent(reached[t.name])}"
        for t in spec.targets
        if t.name in before and reached[t.name] < before[t.name] - allowed - 1e-9
    ]


def percent(share: float) -> str:
    """``0.9325`` -> ``"93.25%"``."""
    return f"{100.0 * share:.2f}%"
