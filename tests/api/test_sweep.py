"""The sweep of bench/operator: that it finds nothing, and that it would."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from bench.operator import decisions, schema
from hack.testbed.controlplane import ControlPlane

from .cases import Case
from .examples import DEVICE_FLEET, TINY_MODEL
from .limits import with_value
from .server import Api

STAGES = ("spec", "rollout", "stages")


def case(path: tuple[str | int, ...], value: Any, *, accepted: bool, **more: Any) -> Case:
    field = ".".join(map(str, path))
    document = with_value(DEVICE_FLEET, path, value)
    given = {"limit": "maximum"} | more
    return Case(
        "DeviceFleet", "spec", field, given.pop("limit"), document, accepted, DEVICE_FLEET, **given
    )


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_leaf_is_as_documented(control_plane: ControlPlane) -> None:
    found = schema.sweep(Api.of(control_plane), Console(quiet=True))
    assert found.figures()["cases"] > 9000
    assert found.wrong == []


def test_an_answer_holds_only_with_the_field_and_the_rule() -> None:
    cause = {"field": "spec.model.version", "message": "too large", "reason": "FieldValueInvalid"}
    path = ("spec", "model", "version")
    refused = case(path, 2**31, accepted=False)
    assert refused.holds([cause])
    assert not refused.holds([])
    assert not refused.holds([cause | {"field": "spec.model"}])
    assert not case(path, 3, accepted=True).holds([cause])
    rule = case(path, 3, accepted=False, limit="rule", message="too large")
    assert rule.holds([cause])
    assert not rule.holds([cause | {"message": "another rule"}])
    twice = case(STAGES, [], accepted=False, limit="unique")
    assert not twice.holds([{"field": "spec.rollout.stages", "message": "", "reason": "x"}])


def test_pydantic_differs_where_it_reads_what_is_refused_or_not_what_is_accepted() -> None:
    path = ("spec", "monitoring", "samplesPerDay")
    assert case(path, 3, accepted=True).agrees
    assert not case(path, 3, accepted=False).agrees
    assert not case(path, "3", accepted=True).agrees
    assert case(path, "3", accepted=False).agrees


def test_decisions_that_break_are_found() -> None:
    assert decisions.problem("DeviceFleet", DEVICE_FLEET["spec"]) == ""
    assert decisions.problem("TinyModel", TINY_MODEL["spec"]) == ""
    broken = with_value(TINY_MODEL, ("spec", "learning", "randomShare"), "much")
    assert "randomShare" in decisions.problem("TinyModel", broken["spec"])


class Forgetful(Api):
    """Refuses with a word and keeps what it refused all the same."""

    def __init__(self) -> None:
        self.held: dict[str, Any] = {}

    def create(self, document: dict[str, Any]) -> list[dict[str, str]]:
        self.held = document | {"status": {}}
        self.held["metadata"] = document["metadata"] | {"resourceVersion": "1"}
        return []

    def get(self, document: dict[str, Any]) -> dict[str, Any]:
        return self.held

    def update(self, document: dict[str, Any]) -> list[dict[str, str]]:
        metadata = self.held["metadata"] | {"resourceVersion": "2"}
        self.held = self.held | {"spec": document["spec"], "metadata": metadata}
        return [{"field": "spec", "message": "no", "reason": "no"}]


def test_a_refusal_that_changes_the_object_is_found() -> None:
    path = ("spec", "monitoring", "samplesPerDay")
    places = schema.Places(Forgetful())
    assert places.visit(case(path, "3", accepted=False)).startswith("refused, yet changed")
    assert places.visit(case(path, 3, accepted=True)).startswith("refused in place")
