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


def group(
    records: Iterable[Record], label: str, names: Mapping[str, str], kind: Kind = "Model"
) -> list[Site]:
    """Return the sites in order of name. ``names``: of artefacts of this kind, by digest."""
    sites: dict[str, Site] = {}
    for record in records:
        value = record["labels"].get(label, "")
        site = sites.setdefault(value, Site(value))
        site.devices += 1
        site.online += record["online"]
        site.runs[runs(record, names, kind)] += 1
        reason = problem(record)
        if reason:
            site.problems[reason] += 1
    return [sites[name] for name in sorted(sites)]


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
