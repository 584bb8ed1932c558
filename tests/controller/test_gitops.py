"""What a sync would meet: spec, labels and finalizers stay as they were applied."""

from hack.testbed import audit
from hack.testbed.controlplane import OPERATOR_USER
from hack.testbed.rights import READS


def test_the_operator_writes_nothing_but_status(shared, gateway, model):
    gateway.register(f"{model.name}-device", {"site": model.name})
    applied = {"tinymodel": model.manifest(labelBudget=4), "devicefleet": model.fleet()}
    shared.cluster.apply(*applied.values())
    shared.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1")
    target = {"target": 1}
    shared.until(
        "devicefleet", model.name, lambda s: target.items() <= s["revision"].items(), "a target"
    )
    for kind, document in applied.items():
        there = shared.get(kind, model.name)
        assert there["spec"] == document["spec"]
        meta = there["metadata"]
        assert (meta["generation"], set(meta)) == (1, _UNTOUCHED)
    written = list(writes(shared.cluster, model))
    assert written
    assert {where for where in written if where[1] != "status"} == set()


_UNTOUCHED = {
    *("name", "namespace", "uid", "generation", "resourceVersion", "creationTimestamp"),
}


def writes(control_plane, model):
    """Resource and subresource of each of the operator's writes of this model and fleet."""
    for event in audit.events(control_plane.folder, f'"{OPERATOR_USER}"'):
        what = event.get("objectRef", {})
        ours = (what.get("namespace"), what.get("name")) == (model.namespace, model.name)
        wrote = event["user"]["username"] == OPERATOR_USER and event["verb"] not in READS
        if ours and wrote:
            yield what["resource"], what.get("subresource", "")
