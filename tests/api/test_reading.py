"""What ``kubectl explain`` and ``kubectl get`` say: every field, and an object nobody looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hack.testbed.controlplane import ControlPlane, KubectlError
from hack.testbed.waits import wait_until
from petiole.api import crd

from .examples import DEVICE_FLEET, TINY_MODEL

SCHEMAS = {
    kind.name: crd.definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for kind in crd.KINDS
}
PARTS = [(kind, part) for kind in SCHEMAS for part in ("spec", "status")]


def undescribed(schema: dict[str, Any], path: str) -> Iterator[str]:
    """Fields whose description says no more than their limits and default."""
    if not schema.get("description", "").partition("\n\n")[0]:
        yield path
    for name, child in schema.get("properties", {}).items():
        yield from undescribed(child, f"{path}.{name}")
    items = schema.get("items", {})
    if "properties" in items:
        yield from undescribed(items, f"{path}[]")


@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_every_field_is_described(kind: str, part: str) -> None:
    assert list(undescribed(SCHEMAS[kind]["properties"][part], part)) == []


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("devicefleet.spec.rollout.stages.soak", "How long gates watch it"),
        ("devicefleet.status.counts.silent", "stopped to answer"),
        ("tinymodel.spec.learning.labelBudget", "Labels that may be spent in all"),
        ("tinymodel.spec.securityCounter", "with a lower one. 0 or more."),
        ("tinymodel.spec.targets", "each with a variant. 1 to 8 items."),
        ("tinymodel.spec.learning.labels.labelStudio.project", "none. 3 to 50 characters."),
        ("devicefleet.spec.rollout.stages.size", "1 to 10,000,000 or a percent such as 2.5%."),
        ("devicefleet.spec.rollout.noReportAfter", "1h30m, not zero. Defaults to 30m."),
    ],
)
def test_kubectl_explains(control_plane: ControlPlane, field: str, words: str) -> None:
    def explained() -> str:
        try:
            return control_plane.kubectl("explain", field)
        except KubectlError:  # the schema is published a moment after the CRD is established
            return ""

    wait_until(explained, 20, f"the schema of {field} to be published")
    assert words in " ".join(explained().split())


@pytest.mark.parametrize("example", [TINY_MODEL, DEVICE_FLEET], ids=lambda e: e["kind"])
def test_an_object_that_nobody_looked_at_is_behind(
    control_plane: ControlPlane, namespace: str, example: dict[str, Any]
) -> None:
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(example))
    made = control_plane.get(example["kind"].lower(), example["metadata"]["name"], namespace)
    assert made["status"] == {"observedGeneration": -1}
    assert made["metadata"]["generation"] == 1
    assert made["spec"] == example["spec"], "a default was written into the spec"
