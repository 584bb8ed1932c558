"""What the gateway counts; docs/metrics.md lists it."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

# Times of birth, which nobody asks for, would be one more series of each.
disable_created_metrics()  # type: ignore[no-untyped-call]

KINDS = ("state", "stats", "sample", "online")
LANES = ("halts", "others")
PARTS = ("ingest", "decide", "commit")


class Metrics:
    """The gateway's metrics in a registry of its own, so that tests may have several.

    ``Gauges`` of the leader and the enrolment's counts join it when there are such.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.messages = self._counter("messages", "Valid messages of devices", "kind")
        self.malformed = self._counter(
            "malformed_messages", "Messages that the protocol does not allow"
        )
        self.relayed = self._counter(
            "relayed_messages", "Messages of devices that this replica handed to the leader"
        )
        self.published = self._counter(
            "published_messages", "Messages that the broker has acknowledged", "lane"
        )
        self.publishing = self._histogram(
            "publish_seconds",
            "From deciding on a batch's first message until the broker has all",
            "lane",
        )
        self.grants = self._counter("grants", "Grants written")
        self.halts = self._counter("halts", "Stops that the gateway decided")
        self.evaluation = self._histogram("evaluation_seconds", "Time to evaluate one fleet")
        self.parts = self._histogram(
            "turn_seconds", "Time that a part takes: ingest, decide, commit", "part"
        )
        self.failed_commits = self._counter(
            "failed_commits", "Commits that the database did not take; they are tried again"
        )
        self.leading = self._gauge("leading", "1 when this replica leads, else 0")
        self.followers = self._gauge("followers", "Other replicas that hear for this leader")
        for kind in KINDS:
            self.messages.labels(kind)
        for lane in LANES:
            self.published.labels(lane)
            self.publishing.labels(lane)
        for part in PARTS:
            self.parts.labels(part)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"petiole_gateway_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"petiole_gateway_{name}", text, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"petiole_gateway_{name}", text, labels, registry=self.registry)
