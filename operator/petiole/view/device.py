"""Devices in words: the gateway's records and a time in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .sites import Record, problem
from .words import ago

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


def facts(record: Record, now: datetime) -> Iterator[tuple[str, str]]:
    """Say all of a device but its history."""
    state = record["state"] or {}
    yield "fleet", record["fleet"] or "-"
    yield "labels", labels(record)
    yield "online", "yes" if record["online"] else "no"
    yield "seen", ago(moment(record["seenAt"]), now)
    if record["reason"]:
        yield "problem", record["reason"]
    yield "granted", record["granted"] or "-"
    if not state:
        return
    yield "phase", f"{state['phase']} ({state['reason']})"
    yield "model", f"{short(state['active'])}, in reserve {short(state['standby'])}"
    if state["target"]:
        yield "fetches", f"{short(state['target'])}: {state['got']} of {state['total']} blocks"
    if state["firmware"]:
        firmware = state["firmware"]
        yield "firmware", f"{short(firmware['active'])}, in reserve {short(firmware['standby'])}"
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


def labels(record: Record) -> str:
    return ",".join(f"{k}={v}" for k, v in sorted(record["labels"].items())) or "-"


def short(digest: Any) -> str:  # noqa: ANN401 - JSON
    return str(digest)[:_DIGEST] if digest else "-"


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
