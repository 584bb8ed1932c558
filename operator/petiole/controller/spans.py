"""Rounds and rollouts as spans: where each is, and which of them a status that was written ends.

Places come from uids, numbers and times in status, so an operator that was started again, and the
one that stood by, mean the same. A crash between the write and the telling loses a span, as it
loses a count; what is below it stays. Pure.

    round                       the pass that began it
      Querying ... Packing      a step of it; below it actions, and steps of the pipeline
      rollout                   of the version that it made, in one fleet
        stage                   below it plans, and what the gateway tells
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from petiole.api.devicefleet import DeviceFleetStatus, HistoryEntry, Kind
from petiole.api.tinymodel import RoundStatus, TinyModelStatus
from petiole.events.told import ROLLOUT_FINISHED, ROLLOUT_REVERTED, Teller, Told
from petiole.rollout.observed import FleetObserved
from petiole.rollout.planning import version
from petiole.rollout.tracks import current
from petiole.tracing import Done, Place, Value


def of_round(uid: str, number: int) -> Place:
    """Return the root of the trace of a model's round."""
    return Place.named(f"round/{uid}/{number}")


def of_step(uid: str, round_: RoundStatus) -> Place | None:
    """Return the place of a round's step; None at rest."""
    if round_.step == "Idle" or round_.since is None:
        return None
    name = f"{round_.step}/{round_.run}/{_mark(round_.since)}"
    return of_round(uid, round_.number).below(name)


def of_rollout(
    observed: FleetObserved, kind: Kind, number: int, began: datetime
) -> tuple[Place, Place | None]:
    """Return the place of a rollout and that of the round that made its version, where one did."""
    name = f"rollout/{observed.uid}/{kind}/{number}/{_mark(began)}"
    made = version(observed, number) if kind == "Model" else None
    if made is None:
        return Place.named(name), None
    parent = of_round(observed.model_uid, made.round)
    return parent.below(name), parent


def of_stage(observed: FleetObserved, status: DeviceFleetStatus) -> Place | None:
    """Return the place of the stage that ``status`` is in; None at rest."""
    found = _stage(observed, status)
    return None if found is None else found[0]


def _stage(observed: FleetObserved, status: DeviceFleetStatus) -> tuple[Place, Place] | None:
    """Return the places of a stage and of its rollout."""
    stage = status.stage
    if stage.started_at is None or status.started_at is None:
        return None
    target = current(status).target
    rollout, _ = of_rollout(observed, status.kind, target, status.started_at)
    return rollout.below(f"stage/{stage.index}/{_mark(stage.started_at)}"), rollout


def of_model(
    teller: Teller,
    before: TinyModelStatus,
    after: TinyModelStatus,
    now: datetime,
    written: datetime,
) -> Iterator[Done]:
    """Tell of a round that began, by a status decided ``now``, and of a step that is over."""
    was, is_ = before.round, after.round
    if is_.number != was.number:
        said = _of_round(teller, is_) | {"petiole.trigger": str(is_.trigger)}
        yield Done("round", of_round(teller.uid, is_.number), None, now, written, said)
    place = of_step(teller.uid, was)
    if place is None or was.since is None or place == of_step(teller.uid, is_):
        return
    said = _of_round(teller, was) | {"petiole.run": was.run} | _result(before, after)
    yield Done(was.step, place, of_round(teller.uid, was.number), was.since, now, said)


def _of_round(teller: Teller, round_: RoundStatus) -> dict[str, Value]:
    return {"petiole.model": f"{teller.namespace}.{teller.name}", "petiole.round": round_.number}


def _result(before: TinyModelStatus, after: TinyModelStatus) -> dict[str, Value]:
    """Say how the round ended, if it did with this step."""
    if after.round.step != "Idle":
        return {}
    if after.latest_version > before.latest_version:
        return {"petiole.result": "Accepted", "petiole.version": after.latest_version}
    return {"petiole.result": "Rejected"}


def of_fleet(
    observed: FleetObserved, after: DeviceFleetStatus, told: tuple[Told, ...], now: datetime
) -> Iterator[Done]:
    """Tell of a stage and of rollouts that are over."""
    before = observed.status
    found, began = _stage(observed, before), before.stage.started_at
    if found is not None and began is not None and found != _stage(observed, after):
        yield Done(
            f"stage {before.stage.name}",
            *found,
            began,
            now,
            _of_rollout(observed, before.kind, current(before).target)
            | {
                "petiole.stage": before.stage.name,
                "petiole.limit": before.stage.limit,
                "petiole.updated": after.counts.updated,
                "petiole.failed": after.counts.failed,
            },
        )
    for event in told:
        if event.type in (ROLLOUT_FINISHED, ROLLOUT_REVERTED):
            yield _rollout(observed, HistoryEntry.model_validate(event.data))


def _rollout(observed: FleetObserved, entry: HistoryEntry) -> Done:
    place, parent = of_rollout(observed, entry.kind, entry.revision, entry.started_at)
    said = _of_rollout(observed, entry.kind, entry.revision)
    said |= {"petiole.result": entry.result, "petiole.exposed": entry.exposed}
    return Done("rollout", place, parent, entry.started_at, entry.finished_at, said)


def _of_rollout(observed: FleetObserved, kind: Kind, number: int) -> dict[str, Value]:
    return {
        "petiole.fleet": f"{observed.namespace}.{observed.name}",
        "petiole.kind": kind,
        "petiole.revision": number,
    }


def _mark(at: datetime) -> int:
    return int(at.timestamp())
