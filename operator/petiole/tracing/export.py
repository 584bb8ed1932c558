"""OpenTelemetry's SDK, set up by its own variables. Imported only where somebody listens.

Its provider is not made the process's own: libraries that would find it there would tell of every
request they take or make.
"""

from __future__ import annotations

import logging
import threading
import time
from contextvars import ContextVar
from datetime import datetime

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision

from .places import Done, Place

_QUIET = 60.0  # seconds between two complaints about a collector

_place: ContextVar[Place | None] = ContextVar("petiole_place_of_span", default=None)


class Export:
    """Gathers spans and sends them from a thread of its own; what cannot be sent is dropped."""

    def __init__(self, service: str) -> None:
        _complain_in_our_log()
        self._provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: service}),
            id_generator=_Ids(),
            shutdown_on_exit=False,  # it would wait for a collector that is away
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer = self._provider.get_tracer("petiole")

    def sampled(self, trace: int) -> bool:
        """Tell whether the sampler wants this trace; all processes come to the same answer."""
        decided = self._provider.sampler.should_sample(Context(), trace, "")
        return decided.decision is Decision.RECORD_AND_SAMPLE

    def tell(self, done: Done, above: Context) -> None:
        token = _place.set(done.place)
        try:
            span = self.tracer.start_span(
                done.name,
                context=above,
                start_time=_nanoseconds(done.began),
                attributes=done.attributes,
            )
        finally:
            _place.reset(token)
        span.end(_nanoseconds(done.ended))

    def end(self, seconds: float) -> None:
        """Send what is left, for at most so long: the SDK itself would wait for half a minute."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(seconds)


class _Ids(RandomIdGenerator):
    """Chance, but for a span that has its place."""

    def generate_trace_id(self) -> int:
        place = _place.get()
        return super().generate_trace_id() if place is None else place.trace

    def generate_span_id(self) -> int:
        place = _place.get()
        return super().generate_span_id() if place is None else place.span

    def is_trace_id_random(self) -> bool:
        return False


class _Complaints(logging.Handler):
    """Hands what the SDK says to our log, once a minute at most: it tries again all the time."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._quiet_until = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            text = record.getMessage()
            structlog.get_logger(__name__).warning("traces are not delivered", text=text)


def _complain_in_our_log() -> None:
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [_Complaints()], False


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
