"""What the demo shows while it runs: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hack.testbed.field import Field

from .summary import Json, in_words
from .watch import Snapshot, condition, is_true, status_of


@dataclass(slots=True)
class Act:
    """One act of the story, and how long it took."""

    title: str
    began: float
    seconds: float | None = None


@dataclass(slots=True)
class Show:
    """Acts, the objects as last seen, and the field."""

    console: Console = field(default_factory=Console)
    acts: list[Act] = field(default_factory=list)
    latest: Snapshot = field(default_factory=lambda: Snapshot(0.0))
    field_: Field | None = None
    _live: Live | None = None
    _said: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def act(self, title: str) -> Iterator[None]:
        """Show an act for as long as it takes."""
        act = Act(title, time.monotonic())
        self.acts.append(act)
        self._line(f"act {len(self.acts)}: {title}")
        self._redraw()
        yield
        act.seconds = time.monotonic() - act.began
        self._line(f"act {len(self.acts)} done after {act.seconds:.1f} s")

    def scaled(self, changes: Sequence[str]) -> None:
        """Say what the demo has otherwise than the example's manifests."""
        if changes:
            lines = "\n  ".join(["Scaled for the demo:", *changes])
            self.console.print(lines, highlight=False, markup=False, soft_wrap=True)

    def saw(self, snapshot: Snapshot) -> None:
        """Take a new snapshot; off a terminal, say what changed in it."""
        self.latest = snapshot
        lines = {"model": model_words(snapshot), "fleet": fleet_words(snapshot)}
        if is_true(snapshot.fleet, "Drifted"):
            lines["drift"] = f"drift: {drift_words(snapshot)}"
        for name, words in lines.items():
            if words and self._said.get(name) != words:
                self._said[name] = words
                self._line(f"  {snapshot.second:5.0f} s  {words}")
        self._redraw()

    @contextmanager
    def live(self) -> Iterator[None]:
        """Draw the picture while the story runs, on a terminal."""
        if not self.console.is_terminal:
            yield
            return
        # Drawn with each snapshot and not by a thread, which would meet a tally in motion.
        with Live(console=self.console, auto_refresh=False) as self._live:
            yield
            self._redraw()
        self._live = None

    def _redraw(self) -> None:
        if self._live is not None:
            self._live.update(self.render(), refresh=True)

    def _line(self, words: str) -> None:
        if not self.console.is_terminal:
            self.console.print(words, highlight=False, soft_wrap=True)

    def render(self) -> RenderableType:
        """The whole picture now."""
        acts = Table.grid(padding=(0, 2))
        for number, act in enumerate(self.acts, 1):
            done = act.seconds is not None
            seconds = act.seconds if act.seconds is not None else time.monotonic() - act.began
            acts.add_row(
                Text("done" if done else "now", style="green" if done else "yellow"),
                f"{number}. {act.title}",
                f"{seconds:.0f} s",
            )
        facts = Table.grid(padding=(0, 2))
        facts.add_row("TinyModel", Text(model_words(self.latest)))
        facts.add_row("DeviceFleet", Text(fleet_words(self.latest)))
        facts.add_row("drift", Text(drift_words(self.latest)))
        for gate in status_of(self.latest.fleet).get("gates", []):
            facts.add_row(f"gate {gate['name']}", Text(gate_words(gate)))
        if self.field_ is not None:
            facts.add_row("field", Text(field_words(self.field_)))
        return Group(acts, Text(), facts)


def model_words(snapshot: Snapshot) -> str:
    status = status_of(snapshot.model)
    if not status:
        return ""
    round_, labels = status.get("round", {}), status.get("labels", {})
    curve = status.get("curve", [])
    accuracy = f", teacher at {curve[-1]['accuracy']}" if curve else ""
    spent = f"{labels.get('spent', 0)} of {labels.get('pool', 0)} labels spent{accuracy}, "
    asks = (snapshot.model or {}).get("spec", {}).get("learning", {}).get("labels")
    return (
        f"model: round {round_.get('number', 0)} {round_.get('step', 'Idle')}, "
        f"{spent if asks else ''}version {status.get('latestVersion', 0)}"
    )


def fleet_words(snapshot: Snapshot) -> str:
    status = status_of(snapshot.fleet)
    if not status:
        return ""
    revision, counts = status.get("revision", {}), status.get("counts", {})
    moving = ", ".join(f"{n} {name}" for name, n in counts.items() if n and name != "total")
    stage = status.get("stage", {}).get("name", "") if status.get("mode") != "Idle" else ""
    return (
        f"fleet: {status.get('mode', 'Idle')} {stage} (wants v{revision.get('target', 0)}, stable "
        f"v{revision.get('stable', 0)}): {moving or 'no devices'}"
    )


def drift_words(snapshot: Snapshot) -> str:
    drift = status_of(snapshot.fleet).get("drift", {})
    found = condition(snapshot.fleet, "Drifted") or {}
    words = found.get("message") if is_true(snapshot.fleet, "Drifted") else drift.get("message")
    score = f" (score {drift['score']})" if drift.get("score") else ""
    return f"{drift.get('state', 'Unknown')}{score} {words or ''}"


def gate_words(gate: dict[str, Any]) -> str:
    return f"{gate['verdict']} {gate.get('estimate', '')} {gate.get('message', '')}"


def field_words(field_: Field) -> str:
    cell = field_.tally.over(field_.phase)
    accuracy = f"{100 * cell.accuracy:.1f} % right" if cell.accuracy is not None else "no answers"
    return f"{field_.phase}: {cell.answers} answers, {accuracy} since it began"


def final_table(summary: Json) -> Table:
    """The numbers that matter, for the end."""
    labels, drift = summary["labels"], summary["drift"]
    table = Table(title="What was measured", show_header=False)
    if labels is not None:
        table.add_row(
            "labels", f"{labels['spent']} of {labels['pool']}: {labels['savedPercent']} % saved"
        )
        table.add_row(
            "accuracy (int8, frozen set)",
            f"{labels['accuracy']} %; all labels {labels['fullAccuracy']} %; "
            f"random labels {labels['randomAccuracy']} %",
        )
    for v in summary["variants"]:
        table.add_row(
            f"variant {v['target']}",
            f"{v['bytes']} bytes, arena {v['arenaBytes']} bytes, {in_words(v)}",
        )
    devices = summary["devices"]
    table.add_row(
        "devices", f"{devices['posix']} POSIX, {devices['qemu']} QEMU: {devices['answers']} answers"
    )
    for r in summary["rollouts"]:
        table.add_row(
            f"rollout of v{r['revision']}",
            f"{r['result']} in {r['seconds']} s: {r['exposed']} exposed, {r['updated']} updated, "
            f"{r['reverted']} reverted",
        )
    table.add_row(
        "drift",
        f"detected {drift['seconds']} s ({drift['windows']} windows) after it was injected: "
        f"{summary['example']['shift']}",
    )
    table.add_row(
        "field accuracy",
        f"calm {drift['accuracyCalm']} %, shifted {drift['accuracyBefore']} %, "
        f"after the new model {drift['accuracyAfter']} %",
    )
    for a in summary["alarms"]:
        table.add_row(
            f"{a['machines']} machines fail ({a['field']}, v{a['version']})",
            f"{a['machinesWithAlarm']} raise the alarm, {a['delayReadings']} readings after the "
            f"fault; F1 {a['f1']} % at {a['falseAlarms']} % false alarms",
        )
    for e in summary["exactness"]:
        table.add_row(
            f"v{e['version']} {e['target']} on {e['where']}",
            f"{e['mismatches']} of {e['inputs']} outputs differ from tflite-micro",
        )
    kubernetes = summary["kubernetes"]
    table.add_row("Kubernetes", f"{kubernetes['version']}, {kubernetes['writes']} writes")
    table.add_row("time", f"set-up {summary['setupSeconds']} s, run {summary['runSeconds']} s")
    return table
