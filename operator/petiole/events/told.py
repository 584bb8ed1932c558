"""What an object's new status tells: one event for each thing that happened since the old one.

An event's id says what happened and nothing of when it was noticed. Whoever notices it again, after
a crash or a lost write, tells the same event, and a consumer that has seen source and id may drop
it (CloudEvents 1.0, section 3.1.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from petiole.api.base import GROUP, VERSION
from petiole.api.devicefleet import DeviceFleetStatus, HistoryEntry
from petiole.api.tinymodel import TinyModelStatus

_DOMAIN = ".".join(reversed(GROUP.split(".")))  # an event's type starts with a domain, reversed
LABELS_WANTED = f"{_DOMAIN}.labels.wanted"
ROUND_FINISHED = f"{_DOMAIN}.round.finished"
ROUND_REQUESTED = f"{_DOMAIN}.round.requested"
DRIFT_DETECTED = f"{_DOMAIN}.drift.detected"
ROLLOUT_FINISHED = f"{_DOMAIN}.rollout.finished"
ROLLOUT_REVERTED = f"{_DOMAIN}.rollout.reverted"
TYPES = (LABELS_WANTED, ROUND_FINISHED, DRIFT_DETECTED, ROLLOUT_FINISHED, ROLLOUT_REVERTED)  # out


@dataclass(frozen=True, slots=True)
class Teller:
    """The object that an event is about."""

    plural: Literal["tinymodels", "devicefleets"]
    namespace: str
    name: str
    uid: str

    @property
    def source(self) -> str:
        """The object's path at the API server, as the events' ``source``."""
        return f"/apis/{GROUP}/{VERSION}/namespaces/{self.namespace}/{self.plural}/{self.name}"


@dataclass(frozen=True, slots=True)
class Told:
    """One event; ``data`` is what the object's status says of it."""

    id: str
    type: str
    time: datetime
    data: dict[str, Any]


def of_model(
    teller: Teller, before: TinyModelStatus, after: TinyModelStatus, now: datetime
) -> tuple[Told, ...]:
    """Tell of a batch that waits for labels, and of a round that is over."""
    return (*_labels_wanted(teller, before, after, now), *_round(teller, before, after, now))


def _labels_wanted(
    teller: Teller, before: TinyModelStatus, after: TinyModelStatus, now: datetime
) -> Iterator[Told]:
    round_ = after.round
    if round_.step == "Labelling" and (before.round.step, before.round.run) != (
        "Labelling",
        round_.run,
    ):
        yield Told(
            f"{teller.uid}.{round_.run}.labels",
            LABELS_WANTED,
            now,
            {
                "round": round_.number,
                "run": round_.run,
                "wanted": after.labels.requested,
                "spent": after.labels.spent,
                "message": after.message,
            },
        )


def _round(
    teller: Teller, before: TinyModelStatus, after: TinyModelStatus, now: datetime
) -> Iterator[Told]:
    if before.round.step == "Idle" or after.round.step != "Idle":
        return
    accepted = after.latest_version > before.latest_version
    yield Told(
        f"{teller.uid}.round-{after.round.number}.finished",
        ROUND_FINISHED,
        now,
        {
            "round": after.round.number,
            "trigger": after.round.trigger,
            "result": "Accepted" if accepted else "Rejected",
            "version": after.latest_version if accepted else None,
            "labels": after.labels.spent,
            "message": after.message,
        },
    )


def of_fleet(
    teller: Teller, before: DeviceFleetStatus, after: DeviceFleetStatus, now: datetime
) -> tuple[Told, ...]:
    """Tell of drift that was detected, and of rollouts that ended."""
    return (*_drift(teller, before, after, now), *_rollouts(teller, before, after))


def _drift(
    teller: Teller, before: DeviceFleetStatus, after: DeviceFleetStatus, now: datetime
) -> Iterator[Told]:
    drift = after.drift
    if drift.state != "Drifted" or drift.detected_at in (None, before.drift.detected_at):
        return
    yield Told(
        f"{teller.uid}.drift-{drift.detected_at:%Y%m%dT%H%M%SZ}",
        DRIFT_DETECTED,
        now,
        drift.model_dump(mode="json", by_alias=True, exclude={"state"}),
    )


def _rollouts(
    teller: Teller, before: DeviceFleetStatus, after: DeviceFleetStatus
) -> Iterator[Told]:
    known = {_rollout_id(entry) for entry in before.history}
    for entry in after.history:
        if _rollout_id(entry) not in known:
            yield Told(
                f"{teller.uid}.{_rollout_id(entry)}",
                ROLLOUT_REVERTED if entry.result == "Reverted" else ROLLOUT_FINISHED,
                entry.finished_at,
                entry.model_dump(mode="json", by_alias=True),
            )


def _rollout_id(entry: HistoryEntry) -> str:
    return f"{entry.kind.lower()}-{entry.revision}-{entry.started_at:%Y%m%dT%H%M%SZ}"
