"""A TinyModel as a person wants to see it: an object and a time in, text and tables out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from petiole.api.student import StudentStatus
from petiole.api.tinymodel import TinyModelSpec, TinyModelStatus, VariantStatus, VersionStatus

from .fleet_view import BEHIND, conditions
from .words import ago, span

_RECENT = 8  # points of the curve, and versions, where not all are asked for
_BAR = 40  # characters of 100 %


@dataclass(frozen=True, slots=True)
class Model:
    """A TinyModel as it was read."""

    namespace: str
    name: str
    generation: int
    spec: TinyModelSpec
    status: TinyModelStatus

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        meta = body["metadata"]
        return cls(
            meta["namespace"],
            meta["name"],
            meta["generation"],
            TinyModelSpec.model_validate(body["spec"]),
            TinyModelStatus.model_validate(body.get("status") or {}),
        )

    @property
    def title(self) -> str:
        return f"TinyModel {self.namespace}/{self.name}"

    @property
    def message(self) -> str:
        """Where it stands, as far as the operator has looked."""
        return BEHIND if self.behind else self.status.message

    @property
    def behind(self) -> bool:
        return self.status.observed_generation != self.generation


def line(model: Model) -> str:
    """All that a reader acts on, in a line; it stays the same while time passes by."""
    status = model.status
    parts = [model.message.rstrip("."), f"version {status.latest_version}"]
    if model.spec.task.has_classes:
        parts.append(labels(status))
    if status.curve:
        parts.append(f"teacher {status.curve[-1].accuracy}")
    return "; ".join(parts)


def table(models: Sequence[Model]) -> Table:
    """Several models, one a line."""
    shown = Table("name", "version", "reached", "step", "labels", "message", box=None)
    for model in models:
        status = model.status
        reached = _reached(status.versions[-1]) if status.versions else "-"
        message = Text(model.message)
        version, step = str(status.latest_version), status.round.step
        shown.add_row(model.name, version, reached, step, labels(status), message)
    return shown


def render(model: Model, now: datetime, *, wide: bool = False) -> RenderableType:
    """Draw one model."""
    status = model.status
    facts = Table.grid(padding=(0, 2))
    for key, value in _rows(model, now):
        facts.add_row(key, Text(value))
    parts: list[RenderableType] = [Text(model.title, style="bold"), facts]
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


def labels(status: TinyModelStatus) -> str:
    """``"60 of 1000 labels"``, and how many are asked for; ``"-"`` where there is no pool."""
    if not status.labels.pool:
        return "-"
    asked = f", {status.labels.requested} asked" if status.labels.requested else ""
    return f"{status.labels.spent} of {status.labels.pool} labels{asked}"


def _rows(model: Model, now: datetime) -> Iterator[tuple[str, str]]:
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


def _versions(status: TinyModelStatus, now: datetime, most: int) -> Table:
    shown = Table("version", "reached", "labels", "trigger", "age", "variants", box=None)
    for version in reversed(status.versions[-most:]):
        variants = ", ".join(f"{v.target} {v.size} B {_reached(v)}" for v in version.variants)
        shown.add_row(
            str(version.version),
            _reached(version),
            str(version.labels),
            version.trigger,
            ago(version.created_at, now),
            variants,
        )
    return shown


def _reached(made: VersionStatus | VariantStatus) -> str:
    return made.accuracy or f"F1 {made.f1} at {made.false_alarms}"


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
