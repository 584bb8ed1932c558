"""All metrics that operator and gateway have, found in their registries."""

from dataclasses import dataclass

from obstore.store import MemoryStore
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from petiole.controller import metrics as of_operator
from petiole.gateway.blocks import Blocks
from petiole.gateway.engine import Engine
from petiole.gateway.enrol.enrolment import _Metrics
from petiole.gateway.gauges import Gauges
from petiole.gateway.metrics import Metrics

OURS = "petiole_"
SAMPLES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


@dataclass(frozen=True)
class Metric:
    """A family: its name as Prometheus shows it, what it is, its labels and its words."""

    name: str
    type: str
    labels: tuple[str, ...]
    says: str

    @property
    def samples(self):
        """Names that a query may ask for."""
        return {self.name + end for end in SAMPLES[self.type]}


class Nobody:
    """A broker without a connection."""

    connected, problem = False, ""


def gateway():
    """The registry of a gateway that leads, with enrolment."""
    metrics, broker = Metrics(), Nobody()
    engine = Engine(None, broker, Blocks(MemoryStore()), metrics)
    metrics.registry.register(Gauges(engine, broker))
    _Metrics(metrics.registry)
    return metrics.registry


def registries():
    assert of_operator.WAITING
    return {"operator": REGISTRY, "gateway": gateway()}


def declared():
    """Every metric of ours, by name."""
    found = [m for registry in registries().values() for m in _of(registry)]
    assert len(found) == len({m.name for m in found}), "a name that two processes use"
    return {metric.name: metric for metric in found}


def _of(registry):
    for collector in list(registry._collector_to_names):
        if isinstance(collector, MetricWrapperBase):
            end = "_total" if collector._type == "counter" else ""
            name, labels = collector._name + end, tuple(collector._labelnames)
            made = [Metric(name, collector._type, labels, collector._documentation)]
        else:
            made = [
                Metric(f.name, f.type, tuple(f._labelnames), f.documentation)
                for f in collector.collect()
            ]
        yield from (metric for metric in made if metric.name.startswith(OURS))
