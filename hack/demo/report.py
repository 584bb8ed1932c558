"""``report.html``: one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from . import charts
from .summary import Json, Measured, in_words

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933 }
body { max-width: 900px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 }
td, th { padding: .3em .8em; border-bottom: 1px solid #e4e7eb; text-align: left }
svg { width: 100%; height: auto } .words { color: #52606d }
"""


def page(summary: Json, measured: Measured) -> str:
    """The whole page."""
    record, says = measured.record, measured.example.says
    bad = summary["bad"]
    parts = [
        _head(summary),
        _overrides(summary["example"]["overrides"]),
        *_learned(summary, measured),
        "<h2>Rollouts</h2>",
        charts.rollout_timeline(record),
        _rollouts(summary["rollouts"]),
        "<h2>Drift</h2>",
        _drift(summary),
        charts.drift_chart(record, says),
        charts.accuracy_chart(measured.tally.by_second, measured.field_began, record),
    ]
    if summary["alarms"]:
        parts += ["<h2>Alarms</h2>", _alarms(summary["alarms"])]
    if bad is not None:
        parts += ["<h2>The bad model</h2>", _bad(bad, summary["example"]["mistake"])]
        if bad["devicesSeenWithIt"]:
            parts.append(charts.gate_chart(measured, bad["revision"], bad["stable"]))
    parts += ["<h2>Devices</h2>", _sizes(summary)]
    body = "\n".join(parts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Petiole demo</title>'
        f"<style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def save(text: str, path: Path) -> None:
    path.write_text(text)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(header, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def _learned(summary: Json, measured: Measured) -> list[str]:
    """What version 1 was made from: labels, or runs that nobody labelled for it."""
    if measured.reference is not None:
        curve = charts.label_curve(measured.record, measured.reference, summary["labels"])
        return ["<h2>Labels</h2>", curve]
    rows = [
        (v["version"], v["trigger"], target, detector, in_words(v))
        for v in summary["versions"]
        for target, detector in (v["detectors"] or {}).items()
    ]
    header = ("version", "started by", "target", "detector", "on the evaluation runs")
    return ["<h2>Detectors</h2>", table(header, rows)]


def _alarms(alarms: Sequence[Json]) -> str:
    """What devices said of machines that failed, by the recordings' own labels."""
    header = ("version", "field", "machines", "of them with an alarm", "F1, %", "false alarms, %")
    more = ("missed, %", "readings to the alarm (median)", "alarms in the fleet's windows")
    keys = ("version", "field", "machines", "machinesWithAlarm", "f1", "falseAlarms", "missed")
    rows = [
        [*(found[key] for key in keys), _or_none(found["delayReadings"]), found["fleet"]["alarms"]]
        for found in alarms
    ]
    return table((*header, *more), rows)


def _or_none(value: object) -> object:
    return "none" if value is None else value


def _head(summary: Json) -> str:
    devices, kubernetes = summary["devices"], summary["kubernetes"]
    return (
        f"<h1>Petiole: the loop, once, on {escape(summary['example']['name'])}</h1>"
        f"<p>{devices['posix']} devices in one process and {devices['qemu']} emulated Cortex-M4 "
        f"boards gave {devices['answers']:,} answers. Kubernetes {escape(kubernetes['version'])}, "
        f"{kubernetes['writes']} writes by the operator. Set-up {summary['setupSeconds']} s, run "
        f"{summary['runSeconds']} s.</p>"
    )


def _overrides(overrides: Sequence[Json]) -> str:
    """What the run had otherwise than the example's manifests."""
    if not overrides:
        return ""
    columns = ("file", "path", "example", "demo")
    rows = [["not given" if o[c] is None else o[c] for c in columns] for o in overrides]
    return "<p>Scaled for the demo:</p>" + table(("manifest", "field", "example", "demo"), rows)


def _drift(summary: Json) -> str:
    drift = summary["drift"]
    return (
        f"<p>What moved: {escape(summary['example']['shift'])}. Found after {drift['seconds']} s, "
        f"{drift['windows']} windows. Right answers by the harness: {drift['accuracyCalm']} % "
        f"before, {drift['accuracyBefore']} % after the field had shifted, and "
        f"{drift['accuracyAfter']} % with the version that answered it.</p>"
        f'<p class="words">{escape(drift["message"])}</p>'
    )


def _rollouts(rollouts: Sequence[Json]) -> str:
    header = ("revision", "result", "exposed", "updated", "reverted", "seconds", "in words")
    return table(header, [[r[h] for h in header[:-1]] + [r["message"]] for r in rollouts])


def _bad(bad: Json, mistake: str) -> str:
    """A model that was stopped in its shadow run has answered nobody."""
    seen = (
        f"{bad['devicesSeenWithIt']} devices answered with it, rightly on {bad['fieldAccuracy']} %"
        if bad["fieldAccuracy"] is not None
        else "no device has answered with it"
    )
    return (
        f"<p>Revision {bad['revision']} was judged at {in_words(bad['judged'])} on evaluation data "
        f"that had been prepared wrongly ({escape(mistake)}); {seen}.</p>"
        f'<p class="words">{escape(bad["message"])}</p>'
    )


def _sizes(summary: Json) -> str:
    variants = table(
        ("target", "signed artefact, bytes", "arena, bytes", "reached"),
        [(v["target"], v["bytes"], v["arenaBytes"], in_words(v)) for v in summary["variants"]],
    )
    agent = table(
        ("agent", "text, bytes", "data, bytes", "bss, bytes"),
        [(a["build"], a["text"], a["data"], a["bss"]) for a in summary["agent"]],
    )
    columns = ("version", "target", "where", "inputs", "mismatches", "instructions")
    exact = table(
        ("version", "target", "where", "inputs", "unlike tflite-micro", "instructions a run"),
        [["" if e[c] is None else e[c] for c in columns] for e in summary["exactness"]],
    )
    return variants + agent + exact
