"""Where each object stands, for Prometheus: what its status said when it was written last.

The numbers are made when they are asked for, so that those of an object that is gone, or of a wait
that is over, are gone too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from petiole.api.base import Condition
from petiole.api.devicefleet import DeviceFleetStatus, GateStatus
from petiole.api.tinymodel import Step, TinyModelStatus

from .keys import Key

MODES = get_args(DeviceFleetStatus.model_fields["mode"].annotation)
VERDICTS = get_args(GateStatus.model_fields["verdict"].annotation)
_CONDITION = {"True": 1.0, "False": 0.0}

# Name behind `petiole_`: what it says, labels.
_FAMILIES = {
    "fleet_mode": ("1 for what goes on, 0 for the other modes", ("fleet", "mode")),
    "fleet_stage": ("Number of the stage in progress, from 0", ("fleet",)),
    "fleet_stage_limit_devices": ("Devices that the stage allows", ("fleet",)),
    "fleet_revision": (
        "Number of the revision that is target, stable, or failed last",
        ("fleet", "kind", "role"),
    ),
    "fleet_condition": ("1 where the condition is True, 0 where False", ("fleet", "type")),
    "fleet_waiting_since_timestamp_seconds": (
        "Since when it waits, and for what; absent while it does not",
        ("fleet", "reason"),
    ),
    "fleet_reported_timestamp_seconds": ("When counts were as status has them", ("fleet",)),
    "fleet_gate_verdict": (
        "1 for the gate's verdict, 0 for the others",
        ("fleet", "gate", "verdict"),
    ),
    "fleet_drift_score": ("Of the loudest detector; 1 is an alarm; absent: not known", ("fleet",)),
    "model_step": ("1 for the step in progress, 0 for the others", ("model", "step")),
    "model_step_since_timestamp_seconds": ("When the step began", ("model",)),
    "model_version": ("The newest accepted version; 0: none", ("model",)),
    "model_accuracy_ratio": ("int8 accuracy of the newest version's worst target", ("model",)),
    "model_f1_ratio": ("F1 of the newest version's worst target", ("model",)),
    "model_labels": ("Labels given, asked for, and where asking ends", ("model", "state")),
    "model_pool_samples": ("Samples that there are to be labelled", ("model",)),
    "model_condition": ("1 where the condition is True, 0 where False", ("model", "type")),
}  # fmt: skip

Sample = tuple[str, tuple[str, ...], float]  # name, label values, value


class Standing(Collector):
    """Gauges of all objects, each by its ``<namespace>.<name>``."""

    def __init__(self) -> None:
        self._samples: dict[Key, tuple[Sample, ...]] = {}

    def fleet(self, key: Key, status: DeviceFleetStatus) -> None:
        """Take a fleet's status in the place of its last one."""
        self._samples[key] = tuple(of_fleet(_name(key), status))

    def model(self, key: Key, status: TinyModelStatus) -> None:
        """Take a model's status in the place of its last one."""
        self._samples[key] = tuple(of_model(_name(key), status))

    def invalid(self, key: Key, conditions: Iterable[Condition]) -> None:
        """Take the conditions of an object that cannot be read; the rest of it says nothing."""
        family = "fleet_condition" if key.plural == "devicefleets" else "model_condition"
        self._samples[key] = tuple(_conditions(family, _name(key), conditions))

    def forget(self, key: Key) -> None:
        """Tell nothing of an object that is no more."""
        self._samples.pop(key, None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Make the families, also those without a sample."""
        made = {
            name: GaugeMetricFamily(f"petiole_{name}", text, labels=labels)
            for name, (text, labels) in _FAMILIES.items()
        }
        for samples in self._samples.values():
            for name, labels, value in samples:
                made[name].add_metric(labels, value)
        yield from made.values()


def of_fleet(fleet: str, status: DeviceFleetStatus) -> Iterator[Sample]:
    """Read the numbers of one fleet; times are Unix seconds."""
    for mode in MODES:
        yield "fleet_mode", (fleet, mode), mode == status.mode
    if status.stage.name:
        yield "fleet_stage", (fleet,), status.stage.index
        yield "fleet_stage_limit_devices", (fleet,), status.stage.limit
    for kind, track in (("Model", status.revision), ("Firmware", status.firmware)):
        if track.target or track.stable or track.failed:
            yield "fleet_revision", (fleet, kind, "target"), track.target
            yield "fleet_revision", (fleet, kind, "stable"), track.stable
            yield "fleet_revision", (fleet, kind, "failed"), track.failed
    yield from _conditions("fleet_condition", fleet, status.conditions)
    yield from _times(fleet, status)
    for gate in status.gates:
        for verdict in VERDICTS:
            labels = (fleet, gate.name, verdict)
            yield "fleet_gate_verdict", labels, verdict == gate.verdict
    if status.drift.state != "Unknown":
        yield "fleet_drift_score", (fleet,), float(status.drift.score)


def _times(fleet: str, status: DeviceFleetStatus) -> Iterator[Sample]:
    if status.waiting_for is not None:
        labels = (fleet, status.waiting_for.reason)
        since = status.waiting_for.since.timestamp()
        yield "fleet_waiting_since_timestamp_seconds", labels, since
    if status.reported_at is not None:
        yield "fleet_reported_timestamp_seconds", (fleet,), status.reported_at.timestamp()


def of_model(model: str, status: TinyModelStatus) -> Iterator[Sample]:
    """Read the numbers of one model; times are Unix seconds, shares 0..1."""
    for step in get_args(Step):
        yield "model_step", (model, step), step == status.round.step
    if status.round.since is not None:
        since = status.round.since.timestamp()
        yield "model_step_since_timestamp_seconds", (model,), since
    yield "model_version", (model,), status.latest_version
    if status.versions and status.versions[-1].accuracy:
        yield "model_accuracy_ratio", (model,), _share(status.versions[-1].accuracy)
    if status.versions and status.versions[-1].f1:
        yield "model_f1_ratio", (model,), _share(status.versions[-1].f1)
    yield "model_labels", (model, "spent"), status.labels.spent
    yield "model_labels", (model, "requested"), status.labels.requested
    yield "model_labels", (model, "target"), status.round.target_labels
    yield "model_pool_samples", (model,), status.labels.pool
    yield from _conditions("model_condition", model, status.conditions)


def _conditions(family: str, name: str, conditions: Iterable[Condition]) -> Iterator[Sample]:
    for condition in conditions:
        if condition.status in _CONDITION:
            yield family, (name, condition.type), _CONDITION[condition.status]


def _name(key: Key) -> str:
    return f"{key.namespace}.{key.name}"


def _share(percent: str) -> float:
    return float(percent.removesuffix("%")) / 100.0
