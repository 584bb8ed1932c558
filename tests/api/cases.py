"""All limits and rules of both CRDs, as whole objects that have to be accepted or refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from petiole.api import crd

from . import fleet_rules, model_rules
from .examples import ANOMALY_MODEL, DEVICE_FLEET, LABELLED_MODEL, RAMPED_FLEET, TINY_MODEL
from .limits import MISSING, Limit, Path, limits, sample, with_value, with_values
from .rules import SCHEMAS, RuleCase

Part = Literal["spec", "status"]
EXAMPLES = {"TinyModel": TINY_MODEL, "DeviceFleet": DEVICE_FLEET}
MODELS: dict[tuple[str, Part], type[BaseModel]] = {
    (kind.name, part): model
    for kind in crd.KINDS
    for part, model in (("spec", kind.spec), ("status", kind.status))
}
RULES = [*model_rules.RULES, *fleet_rules.RULES]

# A value at its limit may break a rule between fields; these are set before it.
BESIDE: dict[tuple[str, Any], dict[Path, Any]] = {
    ("spec.learning.batchSize", 10_000): {("spec", "learning", "labelBudget"): 10_000},
    ("spec.learning.batchSize", 9_999): {("spec", "learning", "labelBudget"): 10_000},
    ("spec.learning.labelBudget", 1): {("spec", "learning", "batchSize"): 1},
    ("spec.learning.labelBudget", 2): {("spec", "learning", "batchSize"): 1},
    ("spec.learning.student.search", "Widest"): {("spec", "learning", "student", "tries"): MISSING},
    ("spec.learning.labels.source", "LabelStudio"): {
        ("spec", "learning", "labels"): LABELLED_MODEL["spec"]["learning"]["labels"]
    },
    ("spec.rollout.retries.reasons[0]", "flash-error"): {
        ("spec", "rollout", "retries", "reasons"): ["timeout"]
    },
    ("spec.task.type", "AnomalyDetection"): {("spec",): ANOMALY_MODEL["spec"]},
    ("spec.rollout.gates[1].metric", "LatencyMean"): {
        (*fleet_rules.METRIC, "test"): {"maxRise": "5%"}
    },
    ("spec.rollout.gates[1].metric", "Disagreement"): {
        (*fleet_rules.METRIC, "test"): {"max": "5%"},
        (*fleet_rules.METRIC, "baseline"): MISSING,
    },
}

# What excludes another field is tried in an example that has it.
_ELSEWHERE: dict[str, list[tuple[Path, dict[str, Any]]]] = {
    "TinyModel": [
        (("learning", "labels", "labelStudio"), LABELLED_MODEL),
        (("task", "commissioning"), ANOMALY_MODEL),
        (("task", "input", "channels"), ANOMALY_MODEL),  # images have fewer than its limit
        (("acceptance", "f1"), ANOMALY_MODEL),
        (("acceptance", "falseAlarms"), ANOMALY_MODEL),
    ],
    "DeviceFleet": [(("rollout", "ramp"), RAMPED_FLEET)],
}


@dataclass(frozen=True, slots=True)
class Case:
    """An object by one limit or rule: ``accepted``, or refused with a cause at ``field``.

    ``message`` is set where a rule refuses; ``update``: of ``example``, which is there already.
    """

    kind: str
    part: Part
    field: str
    limit: str  # keyword, or "rule"
    document: dict[str, Any]
    accepted: bool
    example: dict[str, Any]
    message: str = ""
    update: bool = False

    def __str__(self) -> str:
        word = "accepted" if self.accepted else "refused"
        return f"{self.kind} {self.field} ({self.message or self.limit}) {word}"

    def holds(self, causes: list[dict[str, str]]) -> bool:
        """Whether the API server's answer is the one that the schema documents."""
        return any(map(self._documented, causes)) if not self.accepted else causes == []

    def reads(self) -> bool:
        """Whether pydantic takes its part; it knows no rules between fields."""
        try:
            MODELS[self.kind, self.part].model_validate(self.document.get(self.part))
        except ValidationError:
            return False
        return True

    @property
    def agrees(self) -> bool:
        """Whether pydantic says what the schema says; whoever wrote a status, it must be read."""
        strict = self.part == "spec" and self.limit != "rule"
        return self.reads() == self.accepted if strict else self.reads() or not self.accepted

    def _documented(self, cause: dict[str, str]) -> bool:
        if self.limit == "rule":
            return self.message in cause["message"] and self.field in cause["field"]
        if self.limit in ("x-kubernetes-list-map-keys", "unique"):
            twice = cause["reason"] == "FieldValueDuplicate"
            return twice and cause["field"].startswith(f"{self.field}[")
        return cause["field"] == self.field


def spec_limits(kind: str) -> Iterator[tuple[dict[str, Any], Limit]]:
    """Each limit of a spec with the example that it is tried in."""
    schema = copy.deepcopy(SCHEMAS[kind]["properties"]["spec"])
    for path, example in _ELSEWHERE[kind]:
        found, given = _popped(schema, path), example["spec"]
        for name in path:
            given = given[name]
        yield from ((example, limit) for limit in limits(found, given, ("spec", *path)))
    example = EXAMPLES[kind]
    yield example, Limit(("spec",), "required", (example["spec"],), (MISSING,))
    yield from ((example, limit) for limit in limits(schema, example["spec"], ("spec",)))


def status_limits(kind: str) -> Iterator[tuple[dict[str, Any], Limit]]:
    """Each limit of a status, with an example made of the schema: no rule binds it."""
    schema = SCHEMAS[kind]["properties"]["status"]
    example = EXAMPLES[kind] | {"status": sample(schema)}
    yield from ((example, limit) for limit in limits(schema, example["status"], ("status",)))


def cases() -> Iterator[Case]:
    """Every value at, below and above every limit, and every rule kept and broken."""
    for kind in EXAMPLES:
        for example, limit in spec_limits(kind):
            yield from of_limit(kind, "spec", example, limit)
        for example, limit in status_limits(kind):
            yield from of_limit(kind, "status", example, limit)
    for rule in RULES:
        yield from of_rule(rule)


def of_limit(kind: str, part: Part, example: dict[str, Any], limit: Limit) -> Iterator[Case]:
    for value in limit.accepted:
        beside = BESIDE.get((limit.field, value), {}) if isinstance(value, str | int) else {}
        document = with_values(example, beside | {limit.path: value})
        yield Case(kind, part, limit.field, limit.keyword, document, True, example)
    for value in limit.refused:
        document = with_value(example, limit.path, value)
        yield Case(kind, part, limit.field, limit.keyword, document, False, example)


def of_rule(rule: RuleCase) -> Iterator[Case]:
    example = rule.example or EXAMPLES[rule.kind]
    for changes, accepted in ((rule.accepted, True), (rule.refused, False)):
        yield Case(
            rule.kind, "spec", rule.fieldname, "rule", with_values(example, changes), accepted,
            example, rule.message, rule.update,
        )  # fmt: skip


def _popped(schema: dict[str, Any], path: Path) -> dict[str, Any]:
    """Take a field's schema out of a larger one."""
    for name in path[:-1]:
        schema = schema["properties"][name]
    found: dict[str, Any] = schema["properties"].pop(path[-1])
    return found
