"""Devices on a terminal: the gateway's records and a time in, tables out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from petiole.view.device import facts, labels, moment, short
from petiole.view.sites import Record, problem
from petiole.view.words import ago, clock


def table(records: Sequence[Record], now: datetime, *, wide: bool = False) -> Table:
    """One line a device."""
    more = ("target", "agent", "boot", "granted") if wide else ()
    shown = Table("id", "fleet", "online", "seen", "phase", "reason", "model", "labels", box=None)
    for name in more:
        shown.add_column(name)
    for record in records:
        state = record["state"] or {}
        cells = [
            record["id"],
            record["fleet"] or "-",
            "yes" if record["online"] else "no",
            ago(moment(record["seenAt"]), now),
            state.get("phase", "-"),
            problem(record) or "-",
            short(state.get("active")),
            labels(record),
        ]
        if wide:
            caps = state.get("caps", {})
            cells += [caps.get("target", "-"), caps.get("agent", "-"), str(state.get("boot", "-"))]
            cells.append(short(record["granted"]))
        shown.add_row(*cells)
    return shown


def render(record: Record, now: datetime) -> RenderableType:
    """Draw one device with its history, the newest first."""
    rows = Table.grid(padding=(0, 2))
    for key, value in facts(record, now):
        rows.add_row(key, Text(value))
    history = Table("at", "boot", "phase", "reason", "model", "target", box=None)
    for entry in reversed(record["history"]):
        at = moment(entry["at"])
        history.add_row(
            f"{clock(at)} ({ago(at, now)})" if at is not None else "-",
            str(entry["boot"]),
            entry["phase"],
            entry["reason"],
            short(entry["active"]),
            short(entry["target"]),
        )
    parts: list[RenderableType] = [Text(f"Device {record['id']}", style="bold"), rows]
    return Group(*parts, Text(), history) if record["history"] else Group(*parts)
