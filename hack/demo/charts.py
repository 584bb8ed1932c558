"""The report's figures, each an SVG string that needs nothing from elsewhere."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("svg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .field import Cell
from .record import ArmSeen, GateSeen, Record
from .summary import CALM, Json, percent
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
    curve = status_of(record.model).get("curve", [])
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
    axes.legend(fontsize=7, ncols=4, loc="lower right")
    return _svg(figure)


def drift_chart(record: Record) -> str:
    """Mean confidence by monitoring interval, as devices reported it."""
    figure, axes = _figure(
        "Confidence of the fleet by monitoring interval", "seconds of the run", "mean confidence"
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


def gate_chart(seen: Sequence[GateSeen], revision: int) -> str:
    """Canary against control over time, with 95 % intervals over device means."""
    figure, axes = _figure(
        f"Revision {revision}: canaries against the devices on the old model",
        "seconds of the run",
        "mean confidence",
    )
    points = [g for g in seen if g.revision == revision and g.canary.devices > 1]
    points = [g for g in points if g.canary.mean > 0 and g.control.devices > 1]
    for name, arms, colour in (
        ("control", [g.control for g in points], GREY),
        ("canary", [g.canary for g in points], RED),
    ):
        seconds = [g.second for g in points]
        middle = np.array([a.mean for a in arms])
        half = np.array([_half_width(a) for a in arms])
        axes.plot(seconds, middle, ".-", color=colour, label=name)
        axes.fill_between(seconds, middle - half, middle + half, color=colour, alpha=0.25)
    if points:
        axes.legend(fontsize=8)
    return _svg(figure)


def _half_width(arm: ArmSeen) -> float:
    return CONFIDENCE_95 * float(np.sqrt(arm.variance / arm.devices)) if arm.devices else 0.0


def accuracy_chart(
    by_second: Mapping[tuple[int, str], Cell], field_began: float, record: Record
) -> str:
    """Accuracy in the field by the harness's own count, all devices together."""
    figure, axes = _figure(
        "Accuracy in the field, by the scans' own labels", "seconds of the run", "accuracy, %"
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
