"""How the processes log: one JSON object a line on standard error, the same for all of them."""

from __future__ import annotations

import sys

import structlog


def to_json() -> None:
    from petiole import tracing  # noqa: PLC0415 - of processes; other commands had better be quick

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            tracing.mark,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
