"""A step as a span of the trace that its run is in, where the operator says so: docs/tracing.md."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_PLACE = "TRACEPARENT"


@contextmanager
def traced(name: str) -> Iterator[None]:
    """Tell of a step meanwhile. A run that is in no trace imports nothing for it."""
    if _PLACE not in os.environ:
        yield
        return
    from petiole import tracing  # noqa: PLC0415

    with (
        tracing.process("petiole-pipelines"),
        tracing.continued(os.environ[_PLACE]),
        tracing.span(name),
    ):
        yield
