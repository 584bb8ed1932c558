"""The report's figures, each an SVG string that needs nothing from elsewhere."""

from __future__ import annotations

import io
import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("svg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hack.testbed.field import Cell

from .example import CALM
from .record import Record
from .summary import Json, Measured, digests, percent, versions
from .watch import status_of

INK, GREEN, RED, GREY = "#1f2933", "#2f855a", "#c53030", "#9aa5b1"
STACK = {
    "updated": GREEN,
    "trial": "#9ae6b4",
    "downloading": "#63b3ed",
    "offered": "#bee3f8",
    "reverted": "#dd6b20",
    "failed": RED,
    "silent": "#718096",
    "pending": "#e4e7eb",
}
CONFIDENCE_95 = 1.96
GATE_LEAD = 10  # seconds of the control shown before the first canary answers


def _figure(title: str, x: str, y: str, *, height: float = 3.4) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8.6, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e4e7eb")
    return figure, axes


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def label_curve(record: Record, reference: Json, labels: Json) -> str:
    """Teacher accuracy by labels spent: chosen against random ones, and all labels as a line."""
    figure, axes = _figure(
        f"{labels['savedPercent']} % of {labels['pool']} labels saved",
        "labels spent",
        "accuracy on the frozen set, %",
    )
    first = versions(record)[0].get("round")
    every = status_of(record.model).get("curve", [])
    curve = [point for point in every if point.get("round") == first]
    axes.plot(
        [p["labels"] for p in curve],
        [percent(p["accuracy"]) or 0.0 for p in curve],
        "o-",
        color=GREEN,
        label="teacher, labels asked for by Petiole",
    )
    randomly = reference.get("randomCurve", [])
    axes.plot(
        [p["labels"] for p in randomly],
        [100.0 * p["accuracy"] for p in randomly],
        "s--",
        color=GREY,
        label="teacher, random labels",
    )
    for name, value, style in (
        ("int8 model on the device, all labels", labels["fullAccuracy"], ":"),
        ("int8 model on the device, Petiole's labels", labels["accuracy"], "-"),
        ("int8 model on the device, random labels", labels["randomAccuracy"], "--"),
    ):
        if value is not None:
            axes.axhline(value, color=INK, linestyle=style, linewidth=1, label=f"{name}: {value}")
    axes.legend(fontsize=8, loc="lower right")
    return _svg(figure)


def rollout_timeline(record: Record) -> str:
    """Devices by where they stand with the revision that is wanted, over the run."""
    figure, axes = _figure("Devices and the wanted revision", "seconds of the run", "devices")
    seconds = [f.second for f in record.frames]
    axes.stackplot(
        seconds,
        *([f.counts[name] for f in record.frames] for name in STACK),
        labels=list(STACK),
        colors=list(STACK.values()),
        step="post",
    )
    last = ""
    for frame in record.frames:
        now = f"v{frame.target} {frame.stage}" if frame.mode != "Idle" else ""
        now = f"v{frame.target} taken back" if frame.mode == "Reverting" else now
        if now != last and now:
            axes.axvline(frame.second, color=INK, linewidth=0.6)
            axes.annotate(
                now,
                (frame.second, 1.0),
                xycoords=("data", "axes fraction"),
                rotation=90,
                fontsize=7,
                va="top",
                ha="right",
            )
        last = now
    moving = [f.second for f in record.frames if f.mode != "Idle"]
    axes.set_xlim(left=min(moving, default=0.0) - 10.0)
    figure.legend(fontsize=7, ncols=8, loc="outside lower center")
    return _svg(figure)


def drift_chart(record: Record, says: str) -> str:
    """Mean confidence by monitoring interval, or what ``says`` names, as devices reported it."""
    figure, axes = _figure(
        f"The fleet's {says} by monitoring interval", "seconds of the run", f"mean {says}"
    )
    origin = record.began
    for digest, windows in _by_version(record).items():
        axes.plot(
            [_offset(w["end"], origin) for w in windows],
            [w["confidenceSum"] / w["count"] / 255.0 for w in windows if w["count"]],
            ".-",
            label=digest,
        )
    for at, words, colour in (
        (record.injected_at, "field shifted", RED),
        (record.detected_at, "drift detected", GREEN),
    ):
        if at is not None:
            axes.axvline((at - origin).total_seconds(), color=colour, label=words)
    axes.legend(fontsize=7, loc="lower left")
    return _svg(figure)


def _by_version(record: Record) -> dict[str, list[dict[str, Any]]]:
    names = {
        variant["digest"]: f"v{version['version']} {variant['target']}"
        for version in status_of(record.model).get("versions", [])
        for variant in version["variants"]
    }
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for window in record.windows:
        if window["count"]:
            found[names.get(window["digest"], window["digest"][:8])].append(window)
    return dict(sorted(found.items()))


def _offset(at: str, origin: datetime) -> float:
    return (datetime.fromisoformat(at) - origin).total_seconds()


def gate_chart(measured: Measured, revision: int, stable: int) -> str:
    """Canary against control over time by the harness, and what the gate had when it decided."""
    figure, axes = _figure(
        f"Revision {revision}: canaries against the devices on revision {stable}",
        "seconds of the run",
        f"mean {measured.example.says}",
    )
    known = {v["version"]: set(digests(v)) for v in versions(measured.record)}
    began = {second for second, digest in measured.tally.by_second if digest in known[revision]}
    for name, of, colour in (
        ("control", known[stable], GREY),
        ("canary", known[revision], RED),
    ):
        cells = _buckets(measured, of, min(began, default=0))
        seconds = [second + measured.field_began for second in cells]
        middle = np.array([cell.confidence / cell.answers for cell in cells.values()])
        half = np.array([_half_width(cell) for cell in cells.values()])
        axes.plot(seconds, middle, ".-", color=colour, label=f"{name}, answers on sensor links")
        axes.fill_between(seconds, middle - half, middle + half, color=colour, alpha=0.25)
    _draw_evidence(axes, measured.record, revision)
    axes.legend(fontsize=7)
    return _svg(figure)


def _draw_evidence(axes: Axes, record: Record, revision: int) -> None:
    """What the gate compared when it first could: both arms, over device means."""
    of_revision = [g for g in record.gates if g.revision == revision]
    seen = next((g for g in of_revision if min(g.canary.devices, g.control.devices) > 1), None)
    if seen is None:
        return
    for name, arm in (("control", seen.control), ("canary", seen.canary)):
        axes.errorbar(
            [seen.second],
            [arm.mean],
            [CONFIDENCE_95 * math.sqrt(arm.variance / arm.devices)],
            label=f"gate: {arm.devices} devices, {name}",
            fmt="s",
            color=INK,
            capsize=3,
        )


def _buckets(measured: Measured, of: set[str], began: int) -> dict[int, Cell]:
    """Answers of some artefacts from a second on, two seconds together."""
    found: dict[int, Cell] = defaultdict(Cell)
    for (second, digest), cell in sorted(measured.tally.by_second.items()):
        if digest in of and second >= began - GATE_LEAD:
            found[second // 2 * 2].merge(cell)
    return found


def _half_width(cell: Cell) -> float:
    mean = cell.confidence / cell.answers
    variance = max(cell.squares / cell.answers - mean * mean, 0.0)
    return CONFIDENCE_95 * math.sqrt(variance / cell.answers)


def accuracy_chart(
    by_second: Mapping[tuple[int, str], Cell], field_began: float, record: Record
) -> str:
    """Accuracy in the field by the harness's own count, all devices together."""
    figure, axes = _figure(
        "Accuracy in the field, by the inputs' own labels", "seconds of the run", "accuracy, %"
    )
    right: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for (second, _), cell in by_second.items():
        bucket = right[second // 3 * 3 + int(field_began)]
        bucket[0] += cell.correct
        bucket[1] += cell.answers
    points = sorted(right.items())
    axes.plot([s for s, _ in points], [100.0 * c / n for _, (c, n) in points], color=INK)
    if record.injected_at is not None:
        at = (record.injected_at - record.began).total_seconds()
        axes.axvline(at, color=RED, label=f"end of {CALM}")
        axes.legend(fontsize=8)
    return _svg(figure)
