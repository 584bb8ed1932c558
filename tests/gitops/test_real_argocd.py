"""A real Argo CD brings the example digits from Git to devices, and leaves it in peace there.

``make test-argocd``. Nothing is played here: good and bad versions are learned, devices run them,
and Argo CD is built of its own modules.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hack.demo.example import FLEET_FILE, MODEL_FILE
from hack.demo.manifests import Manifests
from hack.testbed.controlplane import OPERATOR_USER
from hack.testbed.processes import ROOT
from petiole.api.base import seconds
from tests.loop.orchard import digests_of

from .delivery import NAME, Delivery, application, delivery

pytestmark = [pytest.mark.argocd, pytest.mark.timeout(3600)]

LONGEST, SOON = 1200, 120  # seconds: a learning round with its rollout; an answer
WATCHED = 60.0  # seconds without a write by Argo CD
OTHERS = "{digits/*,policies/*,*/*-misnamed.yaml,*/*-totals.yaml}"
WAY_ON = f"`petiole retry {NAME} -n {NAME}`"
# Another policy: canaries soak long, and only outcomes count.
PATIENT = {
    "spec.rollout.stages.canary.soak": "4m",
    "spec.rollout.gates": [
        {"name": "update", "outcome": "Confirmed", "test": {"good": "1%", "bad": "15%"}}
    ],
}


async def test_a_fleet_from_git(tmp_path: Path) -> None:
    async with delivery(tmp_path) as it:
        await first_version(it)
        await bad_version(it)
        await aborted_and_tried_again(it)
        await healed(it)
        await other_examples(it)
        await left_alone(it)
        await pruned(it)


async def first_version(it: Delivery) -> None:
    """Healthy is said once, when all devices run what was learned."""
    await it.until_health("Healthy", LONGEST)
    assert it.fleet()["revision"]["stable"] == 1
    assert it.fleet()["counts"]["updated"] == len(it.orchard.devices)
    assert "Progressing" in it.seen
    assert it.seen.index("Healthy") == len(it.seen) - 1


async def bad_version(it: Delivery) -> None:
    """Somebody commits data that were prepared wrongly: the canaries stop what is learned of it."""
    await asyncio.to_thread(it.example.spoil, it.manifests.data, it.manifests.task)
    before = len(it.seen)
    await it.commit("Data of this year", {MODEL_FILE: it.manifests.read(it.example.wrong)})
    await it.until_health("Degraded", LONGEST, told=WAY_ON)
    assert "Progressing" in it.seen[before:]
    said = it.health("DeviceFleet")[1]
    assert "Reverted revision 2: mean confidence of " in said
    assert it.health("TinyModel")[0] == "Healthy"
    assert revision(it) == {"stable": 1, "failed": 2}


async def aborted_and_tried_again(it: Delivery) -> None:
    """Actions do what they say, and wait for what the operator makes of them."""
    patient = Manifests(it.manifests.folder, it.manifests.data, {FLEET_FILE: PATIENT}).fleet
    await it.commit("Let canaries soak", {FLEET_FILE: patient})
    assert choices(it) == {"retry": True, "abort": False}
    await it.act("retry")
    first, second = (set(digests(it, version)) for version in (1, 2))
    await it.until(lambda: it.running() & second, SOON, "canaries on version 2")
    await it.until_health("Progressing", SOON)
    assert choices(it) == {"retry": False, "abort": True}
    await it.act("abort")
    await it.until_health("Degraded", SOON, told=WAY_ON)
    assert "Reverted revision 2: it was aborted by request" in it.health("DeviceFleet")[1]
    await it.until(lambda: it.running() <= first, SOON, "all devices back on version 1")

    await it.commit("As it was", {FLEET_FILE: it.manifests.fleet})
    tried, before = attempt(it), len(it.seen)
    await it.act("retry")
    await it.until(lambda: attempt(it) == tried + 1, SOON, "another attempt")
    await it.until_health("Degraded", LONGEST, told="mean confidence of ")
    await it.until_health("Degraded", SOON, told=WAY_ON)
    assert "Progressing" in it.seen[before:]
    assert revision(it) == {"stable": 1, "failed": 2}


async def healed(it: Delivery) -> None:
    """What a person edits past Git is put back."""
    cluster, wanted = it.orchard.testbed.cluster, it.read("devicefleets", NAME)["spec"]
    edit = '{"spec": {"rollout": {"noReportAfter": "31s"}}}'
    cluster.kubectl("patch", "devicefleet", NAME, "-n", NAME, "--type=merge", "-p", edit)
    await it.until(
        lambda: it.read("devicefleets", NAME)["spec"] == wanted and it.fleet(), SOON, "healing"
    )


async def other_examples(it: Delivery) -> None:
    """``examples/`` as it is in this checkout: who has not prepared the data is told so."""
    name = "examples"
    await asyncio.to_thread(it.repository.add, "Examples", ROOT / name)
    document = application(it.repository, name)
    # Digits are here already, the policies are to be simulated, the others have the same names.
    document["spec"]["source"]["directory"] = {"recurse": True, "exclude": OTHERS}
    it.orchard.testbed.cluster.apply(document)

    def told() -> bool:
        status = it.application(name).get("status", {})
        resources = status.get("resources", ())
        health = {(r["kind"], r["name"]): r.get("health", {}).get("status") for r in resources}
        models = {("TinyModel", name): "Degraded" for name in ("leaf-disease", "pump-anomaly")}
        fleets = {("DeviceFleet", name): "Progressing" for name in ("orchards", "pumps")}
        return status["sync"]["status"] == "Synced" and health == models | fleets

    await it.until(told, SOON, "the other examples synced")
    for model in ("leaf-disease", "pump-anomaly"):
        status = it.read("tinymodels", model, name)["status"]
        assert "${DATA}/pool" in status["message"], status
    history = it.application(name)["status"]["history"]
    await it.watch(10)
    assert it.application(name)["status"]["history"] == history
    it.orchard.testbed.cluster.kubectl("delete", "application", name, "-n", "argocd")


async def left_alone(it: Delivery) -> None:
    """A round is a Job, the fleet Degraded: status alone is written, and what was made stays."""
    testbed = it.orchard.testbed
    testbed.operator.stop()
    jobs = ("--runner", "job", "--pipelines-image", "localhost/pipelines:1")
    await asyncio.to_thread(testbed.start_operator, options=jobs)
    await it.act("learn", "TinyModel", "digits")
    await it.until(lambda: "Job" in it.nodes(), SOON, "the round's Job")
    await it.until_health("Degraded", SOON, told=WAY_ON)
    await it.watch(5)  # what there is to write of it

    began, made, seen = datetime.now(UTC), made_by_operator(it), len(it.seen)
    syncs = len(it.application()["status"]["history"])
    await it.watch(WATCHED)
    assert list(it.writes(since=began)) == []
    written = Counter(
        (event["objectRef"]["resource"], event["objectRef"].get("subresource"))
        for event in it.writes(OPERATOR_USER, began)
    )
    interval = seconds(it.read("devicefleets", NAME)["spec"]["monitoring"]["interval"])
    most = WATCHED / interval + 1  # figures move on: devices see 4 inputs a second
    assert all(what[1] == "status" and times <= most for what, times in written.items()), written
    status = it.application()["status"]
    assert (status["sync"]["status"], len(status["history"])) == ("Synced", syncs)
    assert it.seen[seen:] == []
    assert {name.partition("/")[0] for name in made} == {"event", "job.batch"}
    assert made <= made_by_operator(it)
    assert [e for e in it.writes() if e["verb"].startswith("delete")] == []


async def pruned(it: Delivery) -> None:
    """What leaves Git is pruned, and no more: the model stays, and its round."""
    made = made_by_operator(it)
    await it.commit("No more meters", {FLEET_FILE: None})
    await it.until(lambda: "DeviceFleet" not in it.nodes(), SOON, "the fleet pruned")
    deleted = {e["objectRef"]["resource"] for e in it.writes() if e["verb"] == "delete"}
    assert deleted == {"devicefleets"}
    assert it.read("tinymodels", "digits")["status"]["latestVersion"] == 2
    assert made <= made_by_operator(it)


def choices(it: Delivery) -> dict[str, bool]:
    offered = it.offered()
    return {action: offered[action] for action in ("retry", "abort")}


def digests(it: Delivery, version: int) -> list[str]:
    return digests_of(it.read("tinymodels", "digits")["status"], version)


def attempt(it: Delivery) -> int:
    return it.read("devicefleets", NAME)["status"].get("attempt", 0)


def revision(it: Delivery) -> dict[str, int]:
    found = it.fleet()["revision"]
    return {name: found[name] for name in ("stable", "failed")}


def made_by_operator(it: Delivery) -> set[str]:
    """Names of Events and Jobs in the fleet's namespace."""
    cluster = it.orchard.testbed.cluster
    return set(cluster.kubectl("get", "events,jobs", "-n", NAME, "-o", "name").split())
