"""A TinyModel on a terminal: an object and a time in, text and tables out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from petiole.api.student import StudentStatus
from petiole.api.tinymodel import TinyModelStatus
from petiole.view.model import facts, labels, reached
from petiole.view.objects import Model
from petiole.view.words import ago

from .fleet_view import conditions

_RECENT = 8  # points of the curve, and versions, where not all are asked for
_BAR = 40  # characters of 100 %


def table(models: Sequence[Model]) -> Table:
    """Several models, one a line."""
    shown = Table("name", "version", "reached", "step", "labels", "message", box=None)
    for model in models:
        status = model.status
        best = reached(status.versions[-1]) if status.versions else "-"
        message = Text(model.message)
        version, step = str(status.latest_version), status.round.step
        shown.add_row(model.name, version, best, step, labels(status), message)
    return shown


def render(model: Model, now: datetime, *, wide: bool = False) -> RenderableType:
    """Draw one model."""
    status = model.status
    rows = Table.grid(padding=(0, 2))
    for key, value in facts(model, now):
        rows.add_row(key, Text(value))
    parts: list[RenderableType] = [Text(model.title, style="bold"), rows]
    if status.versions:
        parts += [Text(), _versions(status, now, len(status.versions) if wide else _RECENT)]
    for student in status.students:
        parts += [Text(), Text(f"{student.target}: {student.choice}")]
        parts += [_front(student)] if student.front else []
    if status.curve:
        parts += [Text(), _curve(status, len(status.curve) if wide else _RECENT)]
    if wide:
        parts += [Text(), conditions(status.conditions, now)]
    return Group(*parts)


def _versions(status: TinyModelStatus, now: datetime, most: int) -> Table:
    shown = Table("version", "reached", "labels", "trigger", "age", "variants", box=None)
    for version in reversed(status.versions[-most:]):
        variants = ", ".join(f"{v.target} {v.size} B {reached(v)}" for v in version.variants)
        shown.add_row(
            str(version.version),
            reached(version),
            str(version.labels),
            version.trigger,
            ago(version.created_at, now),
            variants,
        )
    return shown


def _front(student: StudentStatus) -> Table:
    """Draw what else there was to have than the network that a target has."""
    shown = Table("network", "accuracy", "flash", "arena", "instructions", "steps", box=None)
    for point in student.front:
        costs = (point.flash, point.arena, point.instructions, point.steps)
        shown.add_row(point.network, point.accuracy, *(f"{cost:,}" for cost in costs))
    return shown


def _curve(status: TinyModelStatus, most: int) -> Table:
    """Teacher's accuracy by labels, as bars of 0 to 100 %."""
    shown = Table("labels", "teacher", "", "agreement", "round", box=None)
    for point in status.curve[-most:]:
        bar = "#" * round(_BAR * float(point.accuracy.rstrip("%")) / 100)
        row = (str(point.labels), point.accuracy, bar, point.agreement or "-", str(point.round))
        shown.add_row(*row)
    return shown
