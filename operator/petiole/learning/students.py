"""What status says of a candidate's students: bounded, whatever a candidate holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from petiole.api.student import FRONT, FrontPoint, StudentStatus

from .judge import percent

_TARGETS, _CHOICE = 8, 512


def described(document: Mapping[str, Any]) -> tuple[StudentStatus, ...]:
    """Describe the variants of a ``candidate.json`` that say which network they are."""
    said = [variant for variant in document.get("variants", ()) if variant.get("network")]
    return tuple(_student(variant) for variant in said[:_TARGETS])


def _student(variant: Mapping[str, Any]) -> StudentStatus:
    recall = variant.get("recall", {})
    worst = min(recall, key=lambda label: float(recall[label]), default="")
    return StudentStatus(
        target=variant["target"],
        network=variant["network"],
        choice=variant.get("choice", "")[:_CHOICE],
        flash=variant.get("flash", 0),
        arena=variant["arena"],
        instructions=variant.get("instructions", 0),
        accuracy=percent(variant["accuracy"]),
        worst_class=f"{worst} {percent(float(recall[worst]))}" if worst else "",
        front=tuple(
            FrontPoint.model_validate({**point, "accuracy": percent(point["accuracy"])})
            for point in variant.get("front", ())[:FRONT]
        ),
    )
