"""A rule between fields, and changes of an example that keep it and that break it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from petiole.api import crd

from .limits import Path

SCHEMAS = {
    kind.name: crd.definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for kind in crd.KINDS
}


@dataclass(frozen=True)
class RuleCase:
    """One break of one rule. ``message``: how the rule's message begins, or a part of it."""

    kind: str
    message: str
    fieldname: str
    accepted: dict[Path, Any]
    refused: dict[Path, Any]
    update: bool = False  # of an object that is there already
    example: dict[str, Any] | None = None  # else the kind's


def rules(kind: str) -> list[dict[str, str]]:
    """All rules between fields of a kind's CRD, as they are written there."""
    return _below(SCHEMAS[kind])


def _below(schema: Any) -> list[dict[str, str]]:
    if isinstance(schema, list):
        return list(itertools.chain.from_iterable(map(_below, schema)))
    if not isinstance(schema, dict):
        return []
    if schema.get("format") == "date-time":
        return []  # a rule for the value alone: see test_limits.py
    below = itertools.chain.from_iterable(map(_below, schema.values()))
    return [*schema.get("x-kubernetes-validations", []), *below]
