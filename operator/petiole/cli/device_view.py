"""Devices as a person wants to see them: the gateway's records and a time in, tables out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .sites import Record, problem
from .words import ago, clock

_DIGEST = 12  # hex digits of a digest that are shown


@dataclass(frozen=True, slots=True)
class Filter:
    """Which devices to list; what is not given lets all through. ``labels``: all must match."""

    labels: Mapping[str, str]
    phase: str = ""
    reason: str = ""
    online: bool | None = None
    registered: bool | None = None

    def passes(self, record: Record) -> bool:
        state = record["state"] or {}
        return (
            self.labels.items() <= record["labels"].items()
            and self.phase in ("", state.get("phase"))
            and self.reason in ("", problem(record))
            and self.online in (None, record["online"])
            and self.registered in (None, record["registered"])
        )


def chosen(records: Iterable[Record], wanted: Filter) -> list[Record]:
    return [record for record in records if wanted.passes(record)]


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
            ago(_time(record["seenAt"]), now),
            state.get("phase", "-"),
            problem(record) or "-",
            _short(state.get("active")),
            _labels(record),
        ]
        if wide:
            caps = state.get("caps", {})
            cells += [caps.get("target", "-"), caps.get("agent", "-"), str(state.get("boot", "-"))]
            cells.append(_short(record["granted"]))
        shown.add_row(*cells)
    return shown


def render(record: Record, now: datetime) -> RenderableType:
    """Draw one device with its history, the newest first."""
    facts = Table.grid(padding=(0, 2))
    for key, value in _facts(record, now):
        facts.add_row(key, Text(value))
    history = Table("at", "boot", "phase", "reason", "model", "target", box=None)
    for entry in reversed(record["history"]):
        at = _time(entry["at"])
        history.add_row(
            f"{clock(at)} ({ago(at, now)})" if at is not None else "-",
            str(entry["boot"]),
            entry["phase"],
            entry["reason"],
            _short(entry["active"]),
            _short(entry["target"]),
        )
    parts: list[RenderableType] = [Text(f"Device {record['id']}", style="bold"), facts]
    return Group(*parts, Text(), history) if record["history"] else Group(*parts)


def _facts(record: Record, now: datetime) -> Iterator[tuple[str, str]]:
    state = record["state"] or {}
    yield "fleet", record["fleet"] or "-"
    yield "labels", _labels(record)
    yield "online", "yes" if record["online"] else "no"
    yield "seen", ago(_time(record["seenAt"]), now)
    if record["reason"]:
        yield "problem", record["reason"]
    yield "granted", record["granted"] or "-"
    if not state:
        return
    yield "phase", f"{state['phase']} ({state['reason']})"
    yield "model", f"{_short(state['active'])}, in reserve {_short(state['standby'])}"
    if state["target"]:
        yield "fetches", f"{_short(state['target'])}: {state['got']} of {state['total']} blocks"
    if state["firmware"]:
        firmware = state["firmware"]
        yield "firmware", f"{_short(firmware['active'])}, in reserve {_short(firmware['standby'])}"
    if state["crash"]:
        crash = state["crash"]
        yield "crash", f"{crash['cause']} in boot {crash['boot']} at {crash['pc']:#010x}"
    caps = state["caps"]
    yield "hardware", f"{caps['target']}, slot {caps['slot']} B, arena {caps['arena']} B"
    yield "agent", f"{caps['agent']}, boot {state['boot']}"
    yield from _more(record)


def _more(record: Record) -> Iterator[tuple[str, str]]:
    statistics, certificate = record["statistics"], record["certificate"]
    if statistics:
        yield "inferences", f"{statistics['count']} with this model since it booted"
    if certificate:
        yield "certificate", ", ".join(f"{key} {value}" for key, value in certificate.items())


def _labels(record: Record) -> str:
    return ",".join(f"{k}={v}" for k, v in sorted(record["labels"].items())) or "-"


def _short(digest: Any) -> str:  # noqa: ANN401 - JSON
    return str(digest)[:_DIGEST] if digest else "-"


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
