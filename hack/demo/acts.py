"""The story, one function an act. Each waits on what the cluster says, with a deadline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from .data import wrongly_prepared
from .stage import Stage
from .summary import SHIFTED
from .watch import ActFailedError, Object, Snapshot, condition, is_true, status_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "digits"
FIRST_MODEL_SECONDS = 900.0
NEXT_MODEL_SECONDS = 600.0
ROLLOUT_SECONDS = 300.0
CALM_SECONDS = 12.0
"""Kept calm after the drift detector has found its footing: a false alarm would show here."""
AFTERMATH_SECONDS = 4.0
"""After the bad model, so that the charts show the devices back on the old one."""
DRIFT_SECONDS = 120.0


async def learn(stage: Stage) -> None:
    """Apply the objects; the first version is learned while devices connect."""
    stage.children.start_reference(reference_arguments(stage))
    await stage.cluster.apply(
        manifest(stage, "tinymodel.yaml"), manifest(stage, "devicefleet.yaml")
    )
    await stage.connect_devices()
    await stage.cluster.wait("version 1", lambda s: version_since(s, 0), FIRST_MODEL_SECONDS)
    accepted(stage, 1)


async def promote_first(stage: Stage) -> None:
    """Canary, early, all."""
    await stage.cluster.wait(
        "the promotion of version 1", lambda s: finished(s, 1, "Promoted"), ROLLOUT_SECONDS
    )
    stage.mark("version 1 promoted")


async def stay_calm(stage: Stage) -> None:
    """Long enough for the drift detector to know what calm is, and to raise false alarms."""
    await stage.cluster.wait("the drift detector's footing", drift_is_stable, DRIFT_SECONDS)
    await asyncio.sleep(CALM_SECONDS)
    if is_true(stage.cluster.latest.fleet, "Drifted"):
        raise ActFailedError("drift was reported before the field had shifted")


async def shift_field(stage: Stage) -> None:
    """Tilt and dim the sensors; the operator has to notice by the devices' statistics."""
    stage.show_field(SHIFTED)
    stage.record.injected_at = datetime.now(UTC)
    stage.mark("field shifted")
    found = await stage.cluster.wait("the Drifted condition", drifted, DRIFT_SECONDS)
    stage.record.detected_at = moment(status_of(stage.cluster.latest.fleet), found)
    stage.record.drift_message = str(found.get("message", ""))
    stage.mark("drift detected")


async def answer_drift(stage: Stage) -> None:
    """A round starts by itself, from samples that devices sent up; a better model goes out."""
    version = await stage.cluster.wait(
        "a version that answers the drift", lambda s: version_since(s, 1), NEXT_MODEL_SECONDS
    )
    accepted(stage, version)
    await stage.cluster.wait(
        f"the promotion of version {version}",
        lambda s: finished(s, version, "Promoted"),
        ROLLOUT_SECONDS,
    )
    stage.mark(f"version {version} promoted")


async def publish_bad(stage: Stage) -> None:
    """Evaluation data prepared wrongly let a bad model pass; the canaries must stop it."""
    before = status_of(stage.cluster.latest.model)["latestVersion"]
    await asyncio.to_thread(wrongly_prepared, stage.data_folder)
    await stage.cluster.apply(manifest(stage, "digits-wrong-data.yaml"))
    version = await stage.cluster.wait(
        "the bad version", lambda s: version_since(s, before), NEXT_MODEL_SECONDS
    )
    accepted(stage, version)
    await stage.cluster.wait(
        f"version {version} to be taken back",
        lambda s: finished(s, version, "Reverted"),
        ROLLOUT_SECONDS,
    )
    stage.mark(f"bad version {version} taken back")
    await asyncio.sleep(AFTERMATH_SECONDS)


def accepted(stage: Stage, version: int) -> None:
    """Note it, and have the version's variants compared with tflite-micro beside the story."""
    stage.mark(f"version {version} accepted")
    stage.children.start_exactness(stage.cluster.latest.model or {}, version)


def manifest(stage: Stage, name: str) -> Path:
    """An example with this run's data folder in the place of the example's."""
    text = (EXAMPLES / name).read_text()
    rendered = stage.folder / "manifests" / name
    rendered.parent.mkdir(exist_ok=True)
    rendered.write_text(text.replace("${DATA}", str(stage.data_folder)))
    return rendered


def reference_arguments(stage: Stage) -> list[str]:
    """The same task, data and targets as the model's, for runs with all and with random labels."""
    spec = example("tinymodel.yaml")["spec"]
    given = {
        "--pool-uri": stage.data.pool_uri,
        "--evaluation-uri": stage.data.evaluation_uri,
        "--labels": str(stage.data.labels_path),
        "--task": json.dumps(spec["task"]),
        "--targets": json.dumps(spec["targets"]),
        "--spend": str(spec["learning"]["labelBudget"]),
        "--batch": str(spec["learning"]["batchSize"]),
        "--seed": str(spec["learning"].get("seed", 0)),
    }
    return [word for pair in given.items() for word in pair]


def fleet_labels() -> dict[str, str]:
    """The labels that the example's fleet selects devices by."""
    labels: dict[str, str] = example("devicefleet.yaml")["spec"]["selector"]["matchLabels"]
    return labels


def example(name: str) -> Object:
    found: Object = yaml.safe_load((EXAMPLES / name).read_text())
    return found


def version_since(snapshot: Snapshot, before: int) -> int | None:
    """The latest version once it is above ``before``; a rejection or a stall ends the wait."""
    for type_ in ("Rejected", "Stalled"):
        found = condition(snapshot.model, type_)
        if found is not None and found["status"] == "True":
            raise ActFailedError(
                f"TinyModel/digits is {type_}: {found['reason']}: {found.get('message', '')}"
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
    if is_true(snapshot.fleet, "Drifted"):
        raise ActFailedError("drift was reported before the field had shifted")
    return status_of(snapshot.fleet).get("drift", {}).get("state") == "Stable" or None


def drifted(snapshot: Snapshot) -> Object | None:
    return condition(snapshot.fleet, "Drifted") if is_true(snapshot.fleet, "Drifted") else None


def moment(status: Object, drift_condition: Object) -> datetime:
    """When the operator says that it noticed."""
    said = status.get("drift", {}).get("detectedAt") or drift_condition["lastTransitionTime"]
    return datetime.fromisoformat(said)


Act = Callable[[Stage], Awaitable[None]]

STORY: tuple[tuple[str, Act], ...] = (
    ("few labels are asked for while devices connect", learn),
    ("version 1 goes out by stages", promote_first),
    ("the field is calm", stay_calm),
    ("the field shifts", shift_field),
    ("a better model goes out by itself", answer_drift),
    ("a bad model is published and taken back", publish_bad),
)
