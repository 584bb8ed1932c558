"""Where each fleet and the leader stand, for Prometheus: read when it is asked for.

So a turn pays nothing for it, and the numbers of a fleet that is gone are gone too.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from petiole.rollout.plan import Arm, Evidence, Summary

from .broker import Broker
from .engine import Engine

# Name behind `petiole_`: what it says, labels.
_FAMILIES = {
    "gateway_broker_connected": ("1 while the leader is connected to the broker, else 0", ()),
    "gateway_backlog_messages": ("Messages of devices that wait for a turn", ()),
    "gateway_outbox_messages": ("Messages that the broker has not acknowledged yet", ()),
    "gateway_unregistered_devices": ("Devices that speak and are not registered", ()),
    "fleet_devices": ("Devices by where they stand; they sum to the fleet", ("fleet", "standing")),
    "fleet_online_devices": ("Devices that are connected", ("fleet",)),
    "fleet_exposed_devices": ("Devices that ever ran the target revision", ("fleet",)),
    "fleet_held_back_devices": (
        "Devices that the stage allows and that wait, by what for",
        ("fleet", "reason"),
    ),
    "fleet_failed_devices": ("Devices that gave the target up, by why", ("fleet", "reason")),
    "fleet_samples": ("Inputs of devices in the store", ("fleet",)),
    "fleet_problems": ("What the gateway cannot do for the fleet at this moment", ("fleet",)),
    "fleet_gate_devices": ("Devices that a gate judges by", ("fleet", "gate", "arm")),
    "fleet_gate_failures": ("Those of them that failed", ("fleet", "gate", "arm")),
    "fleet_gate_mean": (
        "Mean of the gate's metric over them: confidence or disagreement 0..1, latency in us",
        ("fleet", "gate", "arm"),
    ),
}  # fmt: skip

Sample = tuple[str, tuple[str, ...], float]  # name, label values, value


class Gauges(Collector):
    """What the leader knows at this moment."""

    def __init__(self, engine: Engine, broker: Broker) -> None:
        self._engine = engine
        self._broker = broker

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Make the families, also those without a sample."""
        made = {
            name: GaugeMetricFamily(f"petiole_{name}", text, labels=labels)
            for name, (text, labels) in _FAMILIES.items()
        }
        for name, labels, value in self._samples():
            made[name].add_metric(labels, value)
        yield from made.values()

    def _samples(self) -> Iterator[Sample]:
        engine = self._engine
        yield "gateway_broker_connected", (), self._broker.connected
        yield "gateway_backlog_messages", (), engine.backlog
        yield "gateway_outbox_messages", (), len(engine.outbox)
        yield "gateway_unregistered_devices", (), engine.registry.unknown
        for fleet in engine.registry.fleets.values():
            if fleet.summary is not None:
                yield from of_fleet(fleet.summary)


def of_fleet(summary: Summary) -> Iterator[Sample]:
    """Read the numbers of one fleet."""
    fleet = summary.fleet
    for standing, count in summary.counts.model_dump(exclude={"total"}).items():
        yield "fleet_devices", (fleet, standing), count
    yield "fleet_online_devices", (fleet,), summary.online
    yield "fleet_exposed_devices", (fleet,), summary.exposed
    for reason, count in summary.held_back.items():
        yield "fleet_held_back_devices", (fleet, reason), count
    for reason, count in summary.reasons.items():
        yield "fleet_failed_devices", (fleet, reason), count
    yield "fleet_samples", (fleet,), summary.samples
    yield "fleet_problems", (fleet,), len(summary.problems)
    for evidence in summary.evidence:
        yield from _gate(fleet, evidence)


def _gate(fleet: str, evidence: Evidence) -> Iterator[Sample]:
    """Add an arm's kinds of hardware up; a mean is weighted by devices."""
    canaries = [stratum.canary for stratum in evidence.strata] or [evidence.canary]
    controls = [stratum.control for stratum in evidence.strata] or [evidence.control]
    if evidence.shares:
        canaries = [_disagreement(evidence.shares)]
    measured = bool(evidence.strata or evidence.shares)
    for name, arms in (("canary", canaries), ("control", controls)):
        labels = (fleet, evidence.gate, name)
        devices = sum(arm.devices for arm in arms)
        yield "fleet_gate_devices", labels, devices
        yield "fleet_gate_failures", labels, sum(arm.failures for arm in arms)
        if measured and devices:
            total = sum(arm.mean * arm.devices for arm in arms)
            yield "fleet_gate_mean", labels, total / devices


def _disagreement(shares: dict[int, int]) -> Arm:
    devices = sum(shares.values())
    mean = sum(thousandths * count for thousandths, count in shares.items()) / devices / 1000
    return Arm(devices=devices, mean=mean)
