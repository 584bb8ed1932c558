"""Which fleets follow a model: those that can be read."""

from __future__ import annotations

import copy
from typing import Any

from hack.testbed.controlplane import ControlPlane
from petiole.controller.cluster import Cluster
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


async def test_a_model_asks_for_its_own_fleets_only(
    control_plane: ControlPlane, namespace: str
) -> None:
    for name, model in (("a", "digits"), ("b", "digits"), ("c", "leaves")):
        document = fleet(name, model=model)
        document["metadata"] = {"name": name, "namespace": namespace}
        control_plane.apply(document)
    async with Cluster.connect(control_plane.kubeconfig) as cluster:
        found = await cluster.all("devicefleets", (namespace,), "spec.model.name=digits")
        assert [body["metadata"]["name"] for body in found] == ["a", "b"]
        assert len(await cluster.all("devicefleets", (namespace,))) == 3
