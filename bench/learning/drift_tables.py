"""The tables of ``docs/drift.md``, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Row = dict[str, Any]


def markdown(report: Row) -> str:
    """Return false alarms, delays and what the peers' rules alarm without drift."""
    return "\n\n".join([_alarms(report), _delays(report), _peers(report)]) + "\n"


def _alarms(report: Row) -> str:
    rows = [
        (
            r["scenario"],
            r["asked"],
            f"{r['perFleetYear']:.1f} ({r['low']:.1f} to {r['high']:.1f})",
            f"{r['perDeviceYear']:.3g}",
            f"{r['alarms']} in {r['fleetYears']:.3g}",
        )
        for r in report["falseAlarms"]
    ]
    return _table(
        (
            "fleet without drift",
            "asked, a fleet and year",
            "measured (95 %)",
            "a device and year",
            "alarms in fleet years",
        ),
        rows,
    )


def _delays(report: Row) -> str:
    rules = list(report["delays"][0]["rules"])
    rows = [(r["scenario"], *(_late(r["rules"][n]) for n in rules)) for r in report["delays"]]
    return _table(("shift", *rules), rows)


def _late(found: Row) -> str:
    """Median, nine in ten and worst windows; and how often it was found, unless always."""
    if found["median"] is None:
        return "never"
    known = ("-" if found[key] is None else f"{found[key]:g}" for key in ("median", "p90", "worst"))
    share = "" if found["foundPercent"] == 100 else f" ({found['foundPercent']:g} %)"
    return ", ".join(known) + share


def _peers(report: Row) -> str:
    rates = report["peersFalseAlarmsPerYear"]
    rules = list(next(iter(rates.values())))
    rows = [(name, *(f"{of[rule]:.0f}" for rule in rules)) for name, of in rates.items()]
    return _table(("without drift, alarms a fleet and year", *rules), rows)


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
