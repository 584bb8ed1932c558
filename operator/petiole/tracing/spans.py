"""What the rooms call. Nothing here raises or waits for a collector."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .places import Done, Place, Value

if TYPE_CHECKING:
    from .export import Export

VARIABLE = "TRACEPARENT"  # of a run's environment
_HEADER = "traceparent"
_LAST_WORDS = 1.0  # seconds for what a process has not delivered when it ends
# What a run is told of where spans go. Not headers, which may be secrets, nor files.
_HANDED_ON = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
)
_PROPAGATOR = TraceContextTextMapPropagator()
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Process:
    export: Export | None = None


_process = _Process()
_here: ContextVar[Place | None] = ContextVar("petiole_place", default=None)


def wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether OpenTelemetry's variables ask for traces.

    Raises ValueError when they ask for what is not to be had here.
    """
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    endpoint = _first(environment, "ENDPOINT")
    off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if off or exporter == "none" or not (exporter or endpoint):
        return False
    if exporter not in ("", "otlp"):
        raise ValueError(f"OTEL_TRACES_EXPORTER is {exporter!r}; known here are otlp and none")
    protocol = _first(environment, "PROTOCOL")
    if protocol not in ("", "http/protobuf"):
        raise ValueError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; http/protobuf is spoken here, and taken"
            " by collectors on port 4318"
        )
    return True


def _first(environment: Mapping[str, str], setting: str) -> str:
    names = (f"OTEL_EXPORTER_OTLP_TRACES_{setting}", f"OTEL_EXPORTER_OTLP_{setting}")
    return next((found for name in names if (found := environment.get(name, "").strip())), "")


@contextmanager
def process(service: str) -> Iterator[None]:
    """Tell of what this process does meanwhile, where its environment says to whom.

    Inside another one it is the other's.
    """
    if _process.export is not None:
        yield
        return
    _process.export = _begin(service)
    try:
        yield
    finally:
        export, _process.export = _process.export, None
        if export is not None:
            export.end(_LAST_WORDS)


def _begin(service: str) -> Export | None:
    try:
        if not wanted(os.environ):
            return None
        from .export import Export  # noqa: PLC0415 - the SDK, for those who want it

        return Export(os.environ.get("OTEL_SERVICE_NAME") or service)
    except Exception as error:  # noqa: BLE001 - nobody's work may fail for want of traces
        _log.warning("no traces", text=str(error))
        return None


def on() -> bool:
    """Tell whether anybody listens."""
    return _process.export is not None


def tell(done: Iterable[Done]) -> None:
    """Tell of spans that are over; nobody asks for them when off."""
    if _process.export is not None:
        for span_ in done:
            _process.export.tell(span_, _above(span_.parent))


@contextmanager
def within(place: Place | None) -> Iterator[None]:
    """Have what follows happen at this place."""
    if _process.export is None or place is None:
        yield
        return
    token, mark_ = context.attach(_above(place)), _here.set(place)
    try:
        yield
    finally:
        _here.reset(mark_)
        context.detach(token)


def continued(traceparent: str) -> AbstractContextManager[None]:
    """Have what follows happen at the place that another process handed on; none: nowhere."""
    given = _PROPAGATOR.extract({_HEADER: traceparent}, context=context.Context())
    found = trace.get_current_span(given).get_span_context()
    if not found.is_valid:
        return within(None)
    return within(Place(found.trace_id, found.span_id, found.trace_flags.sampled))


def here() -> Place | None:
    """Return the place that is current; None where nobody listens."""
    return _here.get()


@contextmanager
def span(name: str, attributes: Mapping[str, Value] | None = None) -> Iterator[None]:
    """Tell of what goes on meanwhile, below what is current; nowhere: nothing."""
    if _process.export is None or _here.get() is None:
        yield
        return
    with _process.export.tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as open_:
        try:
            yield
        except Exception as error:
            # The words may name samples, and are in the object's status.
            reason = str(getattr(error, "reason", "") or type(error).__name__)
            open_.set_status(trace.StatusCode.ERROR, reason)
            raise


def headers() -> dict[str, str]:
    """Return what hands the current place on over HTTP."""
    carrier: dict[str, str] = {}
    place = _here.get()
    if _process.export is not None and place is not None:
        _PROPAGATOR.inject(carrier, context=_above(place))
    return carrier


def variables() -> dict[str, str]:
    """Return the variables that hand the current place on to a run, and say who listens."""
    carrier = headers()
    if not carrier:
        return {}
    known = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    return {**known, "OTEL_SERVICE_NAME": "petiole-pipelines", VARIABLE: carrier[_HEADER]}


def mark(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Add the ids of the current span to a log line: a processor of structlog."""
    found = trace.get_current_span().get_span_context()
    if _process.export is not None and found.is_valid:
        event["trace_id"] = trace.format_trace_id(found.trace_id)
        event["span_id"] = trace.format_span_id(found.span_id)
    return event


def _above(place: Place | None) -> context.Context:
    """Return a context in which spans begin below ``place``, or as a root."""
    if place is None or _process.export is None:
        return context.Context()
    sampled = place.sampled and _process.export.sampled(place.trace)
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if sampled else trace.TraceFlags.DEFAULT)
    found = trace.SpanContext(place.trace, place.span, is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(trace.NonRecordingSpan(found), context.Context())
