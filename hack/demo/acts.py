"""The story, one function an act. Each waits on what the cluster says, with a deadline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .example import FLEET_FILE, MODEL_FILE, SHIFTED, Act
from .record import Failing
from .stage import Stage
from .watch import ActFailedError, Object, Snapshot, condition, is_true, status_of

ROLLOUT_SECONDS = 600.0
CALM_SECONDS = 12.0
"""Kept calm after the drift detector has found its footing: a false alarm would show here."""
AFTERMATH_SECONDS = 4.0
"""After the bad model, so that the charts show the devices back on the old one."""
DRIFT_SECONDS = 180.0
FAIL_SECONDS = 300.0
"""For a machine to be commissioned, or to come to the end of its recording."""
TOLD_SECONDS = 30.0
"""For what devices have seen to be in the fleet's windows."""


async def learn(stage: Stage) -> None:
    """Apply the objects; the first version is learned while devices connect."""
    await stage.apply(MODEL_FILE, FLEET_FILE)
    await stage.connect_devices()
    if stage.data.answers is not None:
        # What a query run has described is kept in the store: the reference need not do it again.
        await stage.cluster.wait("the first questions", pool_is_known, stage.example.model_seconds)
        stage.children.start_reference(reference_arguments(stage, stage.data.answers))
    await next_version(stage, "version 1", after=0)


async def promote(stage: Stage) -> None:
    """Canary, early, all."""
    version = status_of(stage.cluster.latest.model)["latestVersion"]
    await finished_as(stage, version, "Promoted")
    stage.mark(f"version {version} promoted")
    if stage.data.machines is not None:
        await commissioned(stage)


async def commissioned(stage: Stage) -> None:
    """Until each device knows its machine: a version that learns does so anew on each."""
    machines = stage.machines
    await stage.cluster.wait(
        "the machines' commissioning", lambda _: machines.learning == 0 or None, FAIL_SECONDS
    )


async def fail(stage: Stage) -> None:
    """The machines of one site fail, each as its recording did; the others run well.

    What devices say is counted, and what the fleet's telemetry says of it.
    """
    machines = stage.machines
    site = stage.example.sites[0]
    devices = [d.id for d in (*stage.posix, *stage.boards) if d.labels.get("site") == site]
    began, version = datetime.now(UTC), status_of(stage.cluster.latest.fleet)["revision"]["stable"]
    told = machines.fail(devices, stage.field_.phase)
    stage.mark(f"{len(told)} machines fail")
    await stage.cluster.wait(
        "the ends of the recordings", lambda _: machines.failing == 0 or None, FAIL_SECONDS
    )
    stage.mark("they were put right")
    failing = Failing(version, stage.field_.phase, told)
    stage.record.failures.append(failing)
    await told_by_telemetry(stage, failing, began)


async def told_by_telemetry(stage: Stage, failing: Failing, began: datetime) -> None:
    """Until the gateway's windows have the alarms; ActFailedError when devices raised some."""
    loop = asyncio.get_running_loop()
    end = loop.time() + TOLD_SECONDS
    while True:
        known = stage.record.version(failing.version).get("variants", [])
        windows = await stage.gateway.windows([variant["digest"] for variant in known])
        later = [w for w in windows if datetime.fromisoformat(w["start"]) >= began]
        failing.answers = sum(w["count"] for w in later)
        failing.alarms = sum(w["classes"][1] for w in later)
        if failing.alarms >= failing.raised:
            return
        if loop.time() > end:
            break
        await asyncio.sleep(1.0)
    if failing.raised and not failing.alarms:
        raise ActFailedError(
            f"devices raised {failing.raised} alarms and the fleet's windows have none"
        )


async def stay_calm(stage: Stage) -> None:
    """Long enough for the drift detector to know what calm is, and to raise false alarms."""
    await stage.cluster.wait("the drift detector's footing", drift_is_stable, DRIFT_SECONDS)
    await asyncio.sleep(CALM_SECONDS)
    if is_true(stage.cluster.latest.fleet, "Drifted"):
        raise ActFailedError("drift was reported before the field had shifted")


async def shift_field(stage: Stage) -> None:
    """Move the field; the operator has to notice by the devices' statistics."""
    stage.record.shifted_from = status_of(stage.cluster.latest.fleet)["revision"]["stable"]
    stage.show_field(SHIFTED)
    stage.record.injected_at = datetime.now(UTC)
    stage.mark("field shifted")
    found = await stage.cluster.wait("the Drifted condition", drifted, DRIFT_SECONDS)
    stage.record.detected_at = moment(status_of(stage.cluster.latest.fleet), found)
    stage.record.drift_message = str(found.get("message", ""))
    stage.mark("drift detected")
    if stage.data.machines is not None:
        await stage.cluster.wait(
            "the model's BaselineDrifted condition",
            lambda s: usual_has_moved(s) or None,
            DRIFT_SECONDS,
        )


async def answer_drift(stage: Stage) -> None:
    """A round starts by itself, from samples that devices sent up; a better model goes out.

    Where the model leaves it to a person, who has to look at the machines first, that one asks.
    """
    before = stage.record.shifted_from
    if not stage.manifests.model["spec"]["learning"]["triggers"]["drift"]:
        await stage.cluster.petiole("learn", stage.cluster.model.name)
    stage.record.answered_with = await next_version(
        stage, "a version that answers the drift", after=before
    )
    await promote(stage)


async def publish_bad(stage: Stage) -> None:
    """Evaluation data prepared wrongly let a bad model pass; the canaries must stop it."""
    before = status_of(stage.cluster.latest.model)["latestVersion"]
    await asyncio.to_thread(stage.example.spoil, stage.data_folder, stage.manifests.task)
    await stage.apply(stage.example.wrong)
    version = await next_version(stage, "the bad version", after=before)
    await finished_as(stage, version, "Reverted")
    stage.mark(f"bad version {version} taken back")
    await asyncio.sleep(AFTERMATH_SECONDS)


async def mend(stage: Stage) -> None:
    """The model gets its right data again, and what it learns from them goes out."""
    before = status_of(stage.cluster.latest.model)["latestVersion"]
    await stage.apply(MODEL_FILE)
    await next_version(stage, "a version from the right data", after=before)
    await promote(stage)


async def next_version(stage: Stage, what: str, *, after: int) -> int:
    """Wait for it, and have its variants compared with tflite-micro beside the story."""
    version = await stage.cluster.wait(
        what, lambda s: version_since(s, after), stage.example.model_seconds
    )
    stage.mark(f"version {version} accepted")
    stage.children.start_exactness(stage.cluster.latest.model or {}, version)
    return version


async def finished_as(stage: Stage, version: int, result: str) -> None:
    """Wait for the end of a version's rollout."""
    await stage.cluster.wait(
        f"version {version} to be {result}",
        lambda s: finished(s, version, result),
        ROLLOUT_SECONDS,
    )


def reference_arguments(stage: Stage, answers: Path) -> list[str]:
    """The same task, data and targets as the model's, for runs with all and with random labels."""
    spec = stage.manifests.model["spec"]
    learning = spec["learning"]
    given = {
        "--pool-uri": spec["data"]["pool"]["uri"],
        "--evaluation-uri": spec["data"]["evaluation"]["uri"],
        "--store-uri": stage.testbed.store.as_uri(),
        "--labels": str(answers),
        "--task": json.dumps(spec["task"]),
        "--targets": json.dumps(spec["targets"]),
        "--features": learning.get("features", "Kernel"),
        "--spend": str(learning["labelBudget"]),
        "--batch": str(learning["batchSize"]),
        "--seed": str(learning.get("seed", 0)),
    }
    return [word for pair in given.items() for word in pair]


def pool_is_known(snapshot: Snapshot) -> bool | None:
    """Whether the first query run is through; a model that cannot go on ends the wait."""
    version_since(snapshot, 0)
    return status_of(snapshot.model).get("labels", {}).get("pool", 0) > 0 or None


def version_since(snapshot: Snapshot, before: int) -> int | None:
    """The latest version once it is above ``before``; a rejection or a stall ends the wait."""
    for type_ in ("Rejected", "Stalled"):
        found = condition(snapshot.model, type_)
        if found is not None and found["status"] == "True":
            raise ActFailedError(
                f"the TinyModel is {type_}: {found['reason']}: {found.get('message', '')}"
            )
    latest: int = status_of(snapshot.model).get("latestVersion", 0)
    return latest if latest > before else None


def finished(snapshot: Snapshot, revision: int, result: str) -> dict[str, Any] | None:
    """The history entry of a revision; any other result than the expected ends the wait."""
    for entry in status_of(snapshot.fleet).get("history", []):
        if entry["revision"] == revision:
            if entry["result"] != result:
                raise ActFailedError(
                    f"revision {revision} was {entry['result']}, not {result}: {entry['message']}"
                )
            return dict(entry)
    return None


def drift_is_stable(snapshot: Snapshot) -> bool | None:
    """Whether calm is known, of the revision that is stable now."""
    if is_true(snapshot.fleet, "Drifted"):
        raise ActFailedError("drift was reported before the field had shifted")
    status = status_of(snapshot.fleet)
    drift, stable = status.get("drift", {}), status.get("revision", {}).get("stable", 0)
    return (drift.get("state") == "Stable" and drift.get("version", 0) == stable) or None


def drifted(snapshot: Snapshot) -> Object | None:
    return condition(snapshot.fleet, "Drifted") if is_true(snapshot.fleet, "Drifted") else None


def usual_has_moved(snapshot: Snapshot) -> bool:
    """Whether the model says that its machines are no longer what their devices learned."""
    found = condition(snapshot.model, "BaselineDrifted") or {}
    return (found.get("status"), found.get("reason")) == ("True", "FleetMoved")


def moment(status: Object, drift_condition: Object) -> datetime:
    """When the operator says that it noticed."""
    said = status.get("drift", {}).get("detectedAt") or drift_condition["lastTransitionTime"]
    return datetime.fromisoformat(said)


@dataclass(frozen=True, slots=True)
class Scene:
    """An act: what is shown of it, and what plays it."""

    title: str
    play: Callable[[Stage], Awaitable[None]]


SCENES: Mapping[Act, Scene] = MappingProxyType(
    {
        Act.LEARN: Scene("version 1 is learned while devices connect", learn),
        Act.PROMOTE: Scene("version 1 goes out by stages", promote),
        Act.FAIL: Scene("machines of one site fail", fail),
        Act.CALM: Scene("the field is calm", stay_calm),
        Act.SHIFT: Scene("the field shifts", shift_field),
        Act.ANSWER: Scene("a new version answers the drift", answer_drift),
        Act.SPOIL: Scene("a bad model is published and taken back", publish_bad),
        Act.MEND: Scene("the data are put right", mend),
    }
)
