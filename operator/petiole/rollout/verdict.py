"""What a gate says, and the words that all gates share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic.alias_generators import to_camel

from petiole.api.base import fraction
from petiole.api.rollout import Gate

STATED_CONFIDENCE = 0.95  # of intervals that are shown but decide nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    """``estimate``, ``lower``, ``upper`` are fractions: a failure rate, a drop or a rise."""

    verdict: Literal["Pass", "Fail", "Continue", "NotApplicable"]
    estimate: float
    lower: float
    upper: float
    message: str


def asked(gate: Gate, field: str) -> float:
    """Return a fraction that this kind of gate needs; the CRD refuses objects without it."""
    value = getattr(gate.test, field)
    if value is None:
        raise ValueError(f"gate {gate.name!r} needs test.{to_camel(field)}")
    return fraction(value)


def percent(value: float) -> str:
    """``0.122`` -> ``"12.2 %"``, ``0.05`` -> ``"5 %"``, ``0.0025`` -> ``"0.25 %"``."""
    digits = 1 if value >= 0.01 or value == 0.0 else 2
    return f"{100.0 * value:.{digits}f}".rstrip("0").removesuffix(".") + " %"
