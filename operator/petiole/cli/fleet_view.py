"""A DeviceFleet as a person wants to see it: an object and a time in, text and tables out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from petiole.api.base import Condition
from petiole.api.devicefleet import Counts, DeviceFleetSpec, DeviceFleetStatus, RevisionStatus
from petiole.api.rollout import Stage
from petiole.rollout import course

from .sites import Site
from .words import ago, clock, interval, share, span

BEHIND = "The operator has not looked at the newest spec yet: does it run?"
_BAR = 30  # characters
_RECENT = 5  # entries of the history, where not all are asked for
_VERDICTS = {"Pass": "green", "Fail": "red", "Continue": "yellow", "NotApplicable": "dim"}


@dataclass(frozen=True, slots=True)
class Fleet:
    """A DeviceFleet as it was read."""

    namespace: str
    name: str
    generation: int
    spec: DeviceFleetSpec
    status: DeviceFleetStatus

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        meta = body["metadata"]
        return cls(
            meta["namespace"],
            meta["name"],
            meta["generation"],
            DeviceFleetSpec.model_validate(body["spec"]),
            DeviceFleetStatus.model_validate(body.get("status") or {}),
        )

    @property
    def title(self) -> str:
        return f"DeviceFleet {self.namespace}/{self.name}"

    @property
    def message(self) -> str:
        """Where it stands, as far as the operator has looked."""
        return BEHIND if self.behind else self.status.message

    @property
    def behind(self) -> bool:
        return self.status.observed_generation != self.generation


def line(fleet: Fleet) -> str:
    """All that a reader acts on, in a line; it stays the same while time passes by."""
    status = fleet.status
    parts = [fleet.message.rstrip(".")]
    if status.mode != "Idle":
        parts.append(counts(status.counts))
        parts += [f"gate {g.name} {g.verdict} {share(g.estimate)}".rstrip() for g in status.gates]
    if status.waiting_for is not None:
        parts.append(f"waits: {status.waiting_for.reason}")
    return "; ".join(parts)


def table(fleets: Sequence[Fleet]) -> Table:
    """Several fleets, one a line."""
    shown = Table("name", "model", "target", "stable", "stage", "devices", "waiting", box=None)
    for fleet in fleets:
        status, revision = fleet.status, _current(fleet.status)
        done = f"{status.counts.updated}/{status.counts.total}"
        failed = f" ({status.counts.failed} failed)" if status.counts.failed else ""
        shown.add_row(
            fleet.name,
            fleet.spec.model.name,
            str(revision.target),
            str(revision.stable),
            status.stage.name if status.mode != "Idle" else "-",
            done + failed,
            status.waiting_for.reason if status.waiting_for is not None else "-",
        )
    return shown


def render(
    fleet: Fleet, now: datetime, *, sites: Sequence[Site] = (), label: str = "", wide: bool = False
) -> RenderableType:
    """Draw one fleet. ``sites``: its devices by the values of ``label``."""
    status = fleet.status
    parts: list[RenderableType] = [Text(fleet.title, style="bold"), _facts(fleet, now)]
    if status.mode != "Idle":
        parts += [Text(), _stages(fleet, now)]
    if status.gates:
        parts += [Text(), _gates(status)]
    if sites:
        parts += [Text(), _sites(sites, label)]
    if wide:
        parts += [Text(), conditions(status.conditions, now)]
    if status.history:
        parts += [Text(), _history(status, now, len(status.history) if wide else _RECENT)]
    return Group(*parts)


def counts(found: Counts) -> str:
    """``"19 updated, 1 failed, 180 pending of 200 devices"``; nothing is said of none."""
    named = found.model_dump(exclude={"total", "pending"})
    named = {"updated": named.pop("updated"), **named, "pending": found.pending}
    said = ", ".join(f"{number} {word}" for word, number in named.items() if number)
    return f"{said or 'none'} of {found.total} devices"


def waiting(status: DeviceFleetStatus, now: datetime) -> str:
    """Say what it waits for, since when and how long still."""
    found = status.waiting_for
    if found is None:
        return "-"
    until = f", {span(now, found.until)} left" if found.until is not None else ""
    return f"{found.reason} for {span(found.since, now)}{until}: {found.message}"


def conditions(found: Sequence[Condition], now: datetime) -> Table:
    shown = Table("condition", "status", "reason", "since", "message", box=None)
    for each in found:
        since = span(each.last_transition_time, now)
        shown.add_row(each.type, each.status, each.reason, since, Text(each.message))
    return shown


# --- parts of the picture -------------------------------------------------------------------------


def _facts(fleet: Fleet, now: datetime) -> Table:
    status = fleet.status
    facts = Table.grid(padding=(0, 2))
    for key, value in _rows(fleet, now):
        facts.add_row(key, value if isinstance(value, Text) else Text(value))
    if status.reported_at is not None:
        facts.add_row("as of", Text(ago(status.reported_at, now), style="dim"))
    return facts


def _rows(fleet: Fleet, now: datetime) -> Iterator[tuple[str, str | Text]]:
    status = fleet.status
    yield "status", Text(fleet.message, style="red" if _is(status, "Degraded") else "")
    yield f"model {fleet.spec.model.name}", _revision(status.revision)
    if status.firmware.target:
        yield "firmware", _revision(status.firmware)
    yield "devices", f"{_bar(status.counts)} {counts(status.counts)}"
    yield "waiting", waiting(status, now)
    if status.answer:
        yield "request", status.answer
    if status.drift.state != "Unknown":
        moved = f": {'; '.join(status.drift.moved)}" if status.drift.moved else ""
        yield "drift", f"{status.drift.state} {status.drift.message}{moved}"


def _revision(found: RevisionStatus) -> str:
    failed = f", {found.failed} taken back" if found.failed else ""
    return f"target {found.target}, stable {found.stable}{failed}"


def _bar(found: Counts) -> str:
    done = round(_BAR * found.updated / found.total) if found.total else 0
    return f"[{'#' * done}{'.' * (_BAR - done)}]"


def _stages(fleet: Fleet, now: datetime) -> Table:
    shown = Table("stage", "size", "soak", "approval", "", box=None)
    status = fleet.status
    if status.stage.rollback:
        shown.add_row("rollback", course.ALL, "-", "-", _at(status, now))
        return shown
    rollout, devices = fleet.spec.rollout, status.counts.total
    for index in range(course.last(rollout, devices) + 1):
        stage = course.stage(rollout, index, devices)
        here = index == status.stage.index
        said = _at(status, now) if here else "passed" if index < status.stage.index else "to come"
        style = "bold" if here else "dim"
        shown.add_row(*_stage(stage), said, style=style)
    return shown


def _stage(stage: Stage) -> tuple[str, str, str, str]:
    return stage.name, str(stage.size), stage.soak, stage.approval


def _at(status: DeviceFleetStatus, now: datetime) -> str:
    """Say what the stage in progress does."""
    words = {"Reverting": "being taken back", "Paused": "paused"}
    at = words.get(status.mode, "updating" if status.stage.complete_at is None else "complete")
    since = status.stage.complete_at or status.stage.started_at
    return f"{at}, {status.stage.limit} devices" + (f", {span(since, now)}" if since else "")


def _gates(status: DeviceFleetStatus) -> Table:
    shown = Table("gate", "verdict", "estimate", "interval", "", box=None)
    for gate in status.gates:
        verdict = Text(gate.verdict, style=_VERDICTS[gate.verdict])
        shown.add_row(
            gate.name, verdict, share(gate.estimate), interval(gate.interval), Text(gate.message)
        )
    return shown


def _sites(sites: Sequence[Site], label: str) -> Table:
    """One line a site; a column for each revision that any device runs."""
    runs = sorted({word for site in sites for word in site.runs}, reverse=True)
    shown = Table(label, "devices", "online", *runs, "problems", box=None)
    for site in sites:
        problems = ", ".join(f"{n} {reason}" for reason, n in sorted(site.problems.items()))
        numbers = [str(site.runs.get(word, 0)) for word in runs]
        shown.add_row(
            site.name or "(none)", str(site.devices), str(site.online), *numbers, problems or "-"
        )
    return shown


def _history(status: DeviceFleetStatus, now: datetime, most: int) -> Table:
    shown = Table("finished", "what", "result", "took", "", box=None)
    for entry in reversed(status.history[-most:]):
        what = "revision" if entry.kind == "Model" else "firmware"
        shown.add_row(
            f"{clock(entry.finished_at)} ({ago(entry.finished_at, now)})",
            f"{what} {entry.revision}",
            entry.result,
            span(entry.started_at, entry.finished_at),
            Text(entry.message),
        )
    return shown


def _current(status: DeviceFleetStatus) -> RevisionStatus:
    return status.revision if status.kind == "Model" else status.firmware


def _is(status: DeviceFleetStatus, type_: str) -> bool:
    return any(c.type == type_ and c.status == "True" for c in status.conditions)
