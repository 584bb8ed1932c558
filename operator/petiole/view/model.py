"""A TinyModel in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from petiole.api.tinymodel import TinyModelStatus, VariantStatus, VersionStatus

from .objects import Model
from .words import span


def line(model: Model) -> str:
    """All that a reader acts on, in a line; it stays the same while time passes by."""
    status = model.status
    parts = [model.message.rstrip("."), f"version {status.latest_version}"]
    if model.spec.task.has_classes:
        parts.append(labels(status))
    if status.curve:
        parts.append(f"teacher {status.curve[-1].accuracy}")
    return "; ".join(parts)


def labels(status: TinyModelStatus) -> str:
    """``"60 of 1000 labels"``, and how many are asked for; ``"-"`` where there is no pool."""
    if not status.labels.pool:
        return "-"
    asked = f", {status.labels.requested} asked" if status.labels.requested else ""
    return f"{status.labels.spent} of {status.labels.pool} labels{asked}"


def reached(made: VersionStatus | VariantStatus) -> str:
    return made.accuracy or f"F1 {made.f1} at {made.false_alarms}"


def facts(model: Model, now: datetime) -> Iterator[tuple[str, str]]:
    """Say where the model stands, what its round does, and what is wrong."""
    status, round_ = model.status, model.status.round
    yield "status", model.message
    if round_.number:
        since = f", {span(round_.since, now)}" if round_.since is not None else ""
        yield "round", f"{round_.number} ({round_.trigger}): {round_.step}{since}"
    if round_.run:
        yield "run", round_.run
    if model.spec.task.has_classes:
        yield "labels", f"{labels(status)}; the budget is {model.spec.learning.label_budget}"
    if round_.stopped is not None:
        yield "asking ended", f"{round_.stopped.rule}: {round_.stopped.message}"
    for found in status.conditions:
        if found.type in ("BaselineDrifted", "Rejected", "Stalled") and found.status == "True":
            yield found.type.lower(), f"{found.reason}: {found.message}"
