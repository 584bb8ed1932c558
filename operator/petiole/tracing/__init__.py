"""Traces of rounds and rollouts, for whoever collects them (docs/tracing.md). Off by default.

A round lasts for days and a rollout for weeks, over processes that end meanwhile. So no span is
kept open for them: each has a ``Place`` whose ids come from what it is about, and is told of once
it is over (``tell``). What goes on in one call is a ``span`` below the place that is current
(``within``); what starts work elsewhere hands that place on (``headers``, ``variables``), and the
other process goes on there (``continued``).

Without a collector nothing is imported of OpenTelemetry's SDK, and every call here does nothing.
"""

from .places import Done, Place, Value
from .spans import (
    VARIABLE,
    continued,
    headers,
    here,
    mark,
    on,
    process,
    span,
    tell,
    variables,
    within,
)

__all__ = [
    "VARIABLE",
    "Done",
    "Place",
    "Value",
    "continued",
    "headers",
    "here",
    "mark",
    "on",
    "process",
    "span",
    "tell",
    "variables",
    "within",
]
