"""Devices of a fleet by the values of one label: the gateway's records in, one line a site out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from petiole.api.devicefleet import DeviceFleetStatus, Kind
from petiole.api.tinymodel import TinyModelStatus

Record = Mapping[str, Any]


@dataclass(slots=True)
class Site:
    """Devices that share a label's value. ``runs``: devices by the revision that they run."""

    name: str
    devices: int = 0
    online: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)

    @property
    def trouble(self) -> str:
        """``"2 golden-mismatch, 1 never reported"``."""
        return ", ".join(f"{n} {reason}" for reason, n in sorted(self.problems.items())) or "-"

    def add(self, record: Record, names: Mapping[str, str], kind: Kind) -> None:
        self.devices += 1
        self.online += record["online"]
        self.runs[runs(record, names, kind)] += 1
        if reason := problem(record):
            self.problems[reason] += 1


def group(
    records: Iterable[Record], label: str, names: Mapping[str, str], kind: Kind = "Model"
) -> list[Site]:
    """Return the sites in order of name. ``names``: of artefacts of this kind, by digest."""
    sites: dict[str, Site] = {}
    for record in records:
        value = record["labels"].get(label, "")
        sites.setdefault(value, Site(value)).add(record, names, kind)
    return [sites[name] for name in sorted(sites)]


def revisions(sites: Iterable[Site]) -> list[str]:
    """Return what any device runs, the newest revision first."""
    return sorted({word for site in sites for word in site.runs}, reverse=True)


def runs(record: Record, names: Mapping[str, str], kind: Kind) -> str:
    """Return what a device runs, in words."""
    state = record["state"] or {}
    found = state if kind == "Model" else state.get("firmware") or {}
    digest = found.get("active")
    return "nothing" if digest is None else names.get(digest, "another")


def problem(record: Record) -> str:
    """Return the word for what is wrong with a device; empty when nothing is known."""
    if record["state"] is None:
        return "never reported"
    reason = record["state"]["reason"]
    return "" if reason == "none" else str(reason)


def names_of(model: TinyModelStatus, fleet: DeviceFleetStatus) -> dict[str, str]:
    """Name the artefacts that the objects know by digest."""
    named = {
        variant.digest: f"revision {version.version}"
        for version in model.versions
        for variant in version.variants
    }
    for bundle in fleet.bundles:
        for both in bundle.variants:
            named |= dict.fromkeys((both.a.digest, both.b.digest), f"firmware {bundle.number}")
    return named
