"""A DeviceFleet on a terminal: an object and a time in, text and tables out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from petiole.api.base import Condition
from petiole.api.devicefleet import Counts, DeviceFleetStatus
from petiole.view.fleet import counts, current, drift, revision, stages, waiting, what
from petiole.view.objects import Fleet
from petiole.view.sites import Site, revisions
from petiole.view.words import ago, clock, interval, share, span

_BAR = 30  # characters
_RECENT = 5  # entries of the history, where not all are asked for
_VERDICTS = {"Pass": "green", "Fail": "red", "Continue": "yellow", "NotApplicable": "dim"}


def table(fleets: Sequence[Fleet]) -> Table:
    """Several fleets, one a line."""
    shown = Table("name", "model", "target", "stable", "stage", "devices", "waiting", box=None)
    for fleet in fleets:
        status, found = fleet.status, current(fleet.status)
        done = f"{status.counts.updated}/{status.counts.total}"
        failed = f" ({status.counts.failed} failed)" if status.counts.failed else ""
        shown.add_row(
            fleet.name,
            fleet.spec.model.name,
            str(found.target),
            str(found.stable),
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
    yield "status", Text(fleet.message, style="red" if fleet.holds("Degraded") else "")
    yield f"model {fleet.spec.model.name}", revision(status.revision)
    if status.firmware.target:
        yield "firmware", revision(status.firmware)
    yield "devices", f"{_bar(status.counts)} {counts(status.counts)}"
    yield "waiting", waiting(status, now)
    if status.answer:
        yield "request", status.answer
    if moved := drift(status.drift):
        yield "drift", moved


def _bar(found: Counts) -> str:
    done = round(_BAR * found.updated / found.total) if found.total else 0
    return f"[{'#' * done}{'.' * (_BAR - done)}]"


def _stages(fleet: Fleet, now: datetime) -> Table:
    shown = Table("stage", "size", "soak", "approval", "", box=None)
    for row in stages(fleet, now):
        style = "bold" if row.here else "dim"
        shown.add_row(row.name, row.size, row.soak, row.approval, row.said, style=style)
    return shown


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
    runs = revisions(sites)
    shown = Table(label, "devices", "online", *runs, "problems", box=None)
    for site in sites:
        numbers = [str(site.runs.get(word, 0)) for word in runs]
        shown.add_row(
            site.name or "(none)", str(site.devices), str(site.online), *numbers, site.trouble
        )
    return shown


def _history(status: DeviceFleetStatus, now: datetime, most: int) -> Table:
    shown = Table("finished", "what", "result", "took", "", box=None)
    for entry in reversed(status.history[-most:]):
        shown.add_row(
            f"{clock(entry.finished_at)} ({ago(entry.finished_at, now)})",
            what(entry),
            entry.result,
            span(entry.started_at, entry.finished_at),
            Text(entry.message),
        )
    return shown
