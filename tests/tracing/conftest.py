"""A collector that this process tells."""

import pytest

from hack.testbed.collector import Collector
from petiole import tracing


@pytest.fixture
def collector():
    with Collector() as running:
        yield running


@pytest.fixture
def told(collector, monkeypatch):
    """The collector, and a process that tells it."""
    for name, value in collector.environment.items():
        monkeypatch.setenv(name, value)
    with tracing.process("petiole-test"):
        assert tracing.on()
        yield collector
