"""Numbers for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The gateway's metrics in a registry of its own, so that tests may have several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.messages = Counter(
            "petiole_messages", "Valid messages of devices", ["kind"], registry=self.registry
        )
        self.malformed = Counter(
            "petiole_malformed_messages",
            "Messages that the protocol does not allow",
            registry=self.registry,
        )
        self.grants = Counter("petiole_grants", "Grants written", registry=self.registry)
        self.halts = Counter(
            "petiole_halts", "Stops that the gateway decided", registry=self.registry
        )
        self.devices = Gauge(
            "petiole_devices",
            "Devices of a fleet by where they stand",
            ["fleet", "standing"],
            registry=self.registry,
        )
        self.unknown = Gauge(
            "petiole_unknown_devices", "Devices that are not registered", registry=self.registry
        )
        self.evaluation = Histogram(
            "petiole_evaluation_seconds", "Time to evaluate one fleet", registry=self.registry
        )
        self.parts = Histogram(
            "petiole_turn_seconds",
            "Time that a part takes: ingest, decide, commit",
            ["part"],
            registry=self.registry,
        )
        self.leading = Gauge(
            "petiole_leading", "1 when this replica leads, else 0", registry=self.registry
        )
        self.others = Gauge(
            "petiole_others", "Other replicas that hear for this leader", registry=self.registry
        )
        self.relayed = Counter(
            "petiole_relayed_messages",
            "Messages of devices that this replica handed to the leader",
            registry=self.registry,
        )
