"""Flux's view: the rules that kstatus documents for objects with conditions, over the same data.

https://github.com/kubernetes-sigs/cli-utils, pkg/kstatus/README.md: a deletion timestamp is
Terminating, a generation not observed is InProgress, then the first true one of Reconciling
(InProgress) and Stalled (Failed), then Ready: True is Current, anything else InProgress. An object
with none of them is Current.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .lua import run
from .objects import CUSTOMIZATIONS

DATA = sorted(CUSTOMIZATIONS.glob("*/testdata/*.yaml"))
SAME = {
    "Healthy": {"Current"},
    "Progressing": {"InProgress", "Terminating"},
    "Suspended": {"InProgress"},
    "Degraded": {"Failed"},
}
# While a bad revision is being taken back, Argo CD shows it as Degraded already.
UNDER_WAY = {"reverting"}


def kstatus(obj: dict[str, Any]) -> tuple[str, str]:
    """Return status and message, as ``kstatus.Compute`` of an object that it has no rules for."""
    meta, status = obj["metadata"], obj.get("status", {})
    if meta.get("deletionTimestamp"):
        return "Terminating", ""
    if "observedGeneration" in status and status["observedGeneration"] != meta["generation"]:
        return "InProgress", "the newest generation is not observed"
    conditions = status.get("conditions", [])
    for condition in conditions:
        word = {"Reconciling": "InProgress", "Stalled": "Failed"}.get(condition["type"])
        if word and condition["status"] == "True":
            return word, condition["message"]
    for condition in conditions:
        if condition["type"] == "Ready":
            word = "Current" if condition["status"] == "True" else "InProgress"
            return word, condition["message"]
    return "Current", ""


@pytest.mark.parametrize("path", DATA, ids=lambda path: f"{path.parents[1].name} {path.stem}")
def test_flux_and_argo_cd_see_the_same(path: Path) -> None:
    obj = yaml.safe_load(path.read_text())
    word, message = kstatus(obj)
    shown = run(path.parents[1] / "health.lua", obj)["status"]
    assert word in ({"InProgress"} if path.stem in UNDER_WAY else SAME[shown])
    assert message or word == "Terminating", "it says nothing"


def test_a_fleet_that_was_rolled_back_has_failed_and_says_what_to_do() -> None:
    obj = yaml.safe_load((CUSTOMIZATIONS / "DeviceFleet/testdata/reverted.yaml").read_text())
    word, message = kstatus(obj)
    assert word == "Failed"
    assert "`petiole retry meters -n default`" in message
    degraded = next(c for c in obj["status"]["conditions"] if c["type"] == "Degraded")
    assert degraded["status"] == "True"
    assert "mean confidence of 40 canaries" in degraded["message"]
