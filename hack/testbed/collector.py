"""A collector of traces: takes OTLP over HTTP on loopback, and keeps the spans that it reads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from .lifetime import Lifetime
from .waits import DeadlineError, wait_until


@dataclass(frozen=True, slots=True)
class Span:
    """One span. Ids in hex, ``parent`` empty at a root; times in POSIX seconds.

    ``error`` is the status's description; None where the status is not an error.
    """

    service: str
    name: str
    trace: str
    id: str
    parent: str
    began: float
    ended: float
    attributes: Mapping[str, str | int]
    error: str | None


class Collector(Lifetime):
    """``environment`` is what a process needs to tell it, without waiting for more to tell."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.spans))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        host, port = self._server.server_address[:2]
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{host!s}:{port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",  # ms
            "NO_PROXY": "127.0.0.1",
        }

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def named(self, name: str) -> list[Span]:
        """The spans of that name, in the order in which they came."""
        return [span for span in self.spans if span.name == name]

    def until(self, name: str, count: int = 1, seconds: float = 10.0) -> list[Span]:
        """Wait for so many spans of that name."""
        try:
            wait_until(lambda: len(self.named(name)) >= count, seconds, f"{count} spans {name!r}")
        except DeadlineError as error:
            came = ", ".join(span.name for span in self.spans)
            raise DeadlineError(f"{error}; came: {came}") from None
        return self.named(name)


def _handler(kept: list[Span]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            right = (self.path, self.headers["Content-Type"]) == (
                "/v1/traces",
                "application/x-protobuf",
            )
            if right:
                kept.extend(_read(body))
            self.send_response(200 if right else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so too
            pass

    return Handler


def _read(body: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        _span(str(_values(of_process.resource.attributes)["service.name"]), message)
        for of_process in request.resource_spans
        for scope in of_process.scope_spans
        for message in scope.spans
    ]


def _span(service: str, message: Message) -> Span:
    status = message.status
    return Span(
        service=service,
        name=message.name,
        trace=message.trace_id.hex(),
        id=message.span_id.hex(),
        parent=message.parent_span_id.hex(),
        began=message.start_time_unix_nano / 1e9,
        ended=message.end_time_unix_nano / 1e9,
        attributes=_values(message.attributes),
        error=status.message if status.code == Status.STATUS_CODE_ERROR else None,
    )


def _values(pairs: list[KeyValue]) -> dict[str, str | int]:
    return {
        pair.key: pair.value.int_value
        if pair.value.HasField("int_value")
        else pair.value.string_value
        for pair in pairs
    }
