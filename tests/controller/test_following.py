"""Which fleets follow a model: those that can be read."""

from __future__ import annotations

import copy
from typing import Any

from petiole.controller.model_pass import _following
from tests.api.examples import DEVICE_FLEET


def fleet(name: str, *, model: str = "digits", stable: int = 0) -> dict[str, Any]:
    made = copy.deepcopy(DEVICE_FLEET)
    made["metadata"]["name"] = name
    made["spec"]["model"]["name"] = model
    return made | {"status": {"revision": {"stable": stable}}}


def test_a_fleet_that_cannot_be_read_holds_up_no_model() -> None:
    """As when the CRD is of another version than the operator: the fleet's own pass says it."""
    odd, strange = fleet("odd"), fleet("strange")
    odd["spec"]["rollout"]["onFailure"] = "Explode"
    strange["status"]["mode"] = "Flying"
    found = _following("digits", [odd, fleet("meters", stable=3), strange, fleet("x", model="y")])
    assert [(name, status.revision.stable) for name, status in found] == [("meters", 3)]
