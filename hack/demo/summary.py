"""``summary.json``: what was measured, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from hack.testbed.field import Tally
from petiole.learning import anomaly

from .example import CALM, SHIFTED, Example
from .manifests import Change
from .record import Failing, Record
from .watch import Object, status_of

Json = dict[str, Any]


@dataclass(slots=True)
class Measured:
    """All sources of the summary, each measured by something else."""

    example: Example
    changes: list[Change]  # what is not as in the example's manifests
    interval: float  # seconds of a monitoring window
    record: Record
    tally: Tally
    posix: int
    qemu: int
    reference: Json | None  # what petiole_pipelines.reference found; None: no labels were asked
    field_began: float = 0.0  # second of the run at which the field began
    exactness: list[Json] = field(default_factory=list)
    detectors: dict[int, dict[str, str]] = field(default_factory=dict)  # by version and target
    agent: list[Json] = field(default_factory=list)
    version: str = ""
    writes: int = 0
    setup_seconds: float = 0.0
    run_seconds: float = 0.0


def summarise(measured: Measured) -> Json:
    """The fields that the README promises, and more detail beside them."""
    record = measured.record
    by_number = {v["version"]: v for v in versions(record)}
    return {
        "example": _example(measured),
        "labels": measured.reference and _labels(by_number[1], record, measured.reference),
        "variants": _variants(by_number[1]),
        "versions": [
            _version(v) | {"detectors": measured.detectors.get(n) or None}
            for n, v in by_number.items()
        ],
        "devices": {
            "posix": measured.posix,
            "qemu": measured.qemu,
            "answers": sum(c.answers for c in measured.tally.by_device.values()),
            "lostInputs": measured.tally.lost,
        },
        "agent": measured.agent,
        "exactness": measured.exactness,
        "rollouts": _rollouts(record.fleet),
        "alarms": [_alarms(failing) for failing in record.failures],
        "bad": _bad(by_number, measured),
        "drift": _drift(by_number, measured),
        "kubernetes": {"version": measured.version, "writes": measured.writes},
        "setupSeconds": round(measured.setup_seconds, 1),
        "runSeconds": round(measured.run_seconds, 1),
    }


def _example(measured: Measured) -> Json:
    """What was played, and what of its manifests was scaled."""
    return {
        "name": measured.example.name,
        "shift": measured.example.shift,
        "mistake": measured.example.mistake,
        "overrides": [
            {"file": c.file, "path": c.path, "example": c.example, "demo": c.demo}
            for c in measured.changes
        ],
    }


def versions(record: Record) -> list[Json]:
    return list(status_of(record.model).get("versions", []))


def digests(version: Mapping[str, Any]) -> list[str]:
    return [v["digest"] for v in version.get("variants", [])]


def percent(text: str | None) -> float | None:
    """``"97.50%"`` -> 97.5; None for what is not said."""
    return round(float(text.rstrip("%")), 2) if text else None


def reached(found: Mapping[str, Any]) -> Json:
    """What a version or variant reached on the evaluation set, percent: classes or alarms."""
    names = ("f1", "falseAlarms") if found.get("f1") else ("accuracy",)
    return {name: percent(found.get(name)) for name in names}


def in_words(figures: Json) -> str:
    """Of what ``reached`` returns."""
    if "f1" in figures:
        return f"F1 {figures['f1']} % at {figures['falseAlarms']} % false alarms"
    return f"{figures['accuracy']} %"


def _labels(version: Mapping[str, Any], record: Record, reference: Json) -> Json:
    """Labels of the first version against all labels of the pool that it was chosen from.

    The accuracies are those of the model's first target, all as int8; ``byTarget`` has every one.
    """
    pool = record.pool_of_version.get(1, 0)
    spent = version["labels"]
    if reference["spend"] != spent:
        raise ValueError(
            f"version 1 has {spent} labels, but the random arm was given {reference['spend']}: "
            "they cannot be compared"
        )
    by_target = {
        v["target"]: {
            "fullAccuracy": _share(reference["fullAccuracy"][v["target"]]),
            "accuracy": percent(v["accuracy"]),
            "randomAccuracy": _share(reference["randomAccuracy"][v["target"]]),
        }
        for v in version["variants"]
    }
    first = (record.model or {})["spec"]["targets"][0]["name"]
    return {
        "pool": pool,
        "spent": spent,
        "savedPercent": round(100.0 * (1.0 - spent / pool), 2),
        **by_target[first],
        "byTarget": by_target,
        "spentWithDrift": status_of(record.model)["labels"]["spent"],
    }


def _share(fraction: float) -> float:
    return round(100.0 * fraction, 2)


def _variants(version: Mapping[str, Any]) -> list[Json]:
    return [
        {
            "target": v["target"],
            "bytes": v["size"],
            "arenaBytes": v["arena"],
            **reached(v),
        }
        for v in version.get("variants", [])
    ]


def _version(version: Mapping[str, Any]) -> Json:
    return {
        "version": version["version"],
        "trigger": version["trigger"],
        "labels": version["labels"],
        **reached(version),
        "variants": _variants(version),
    }


def _rollouts(fleet: Object | None) -> list[Json]:
    name = (fleet or {}).get("metadata", {}).get("name", "")
    history = status_of(fleet).get("history", [])
    return [
        {
            "fleet": name,
            "revision": entry["revision"],
            "result": entry["result"],
            "exposed": entry["exposed"],
            "updated": entry["updated"],
            "reverted": entry["reverted"],
            "seconds": round(_seconds_between(entry["startedAt"], entry["finishedAt"]), 1),
            "message": entry.get("message", ""),
        }
        for entry in sorted(history, key=lambda e: str(e["startedAt"]))
    ]


def _seconds_between(start: str, end: str) -> float:
    return (_time(end) - _time(start)).total_seconds()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _alarms(failing: Failing) -> Json:
    """What devices said of machines that failed, and the fleet's windows of the same time."""
    counts = failing.counts
    hits, _, misses, _ = counts
    delays = [one.delay for one in failing.told if one.delay is not None]
    return {
        "version": failing.version,
        "field": failing.phase,
        "machines": len(failing.told),
        "machinesWithAlarm": len(delays),
        "readings": int(counts.sum()),
        "f1": _share(float(anomaly.f1(counts))),
        "falseAlarms": _share(float(anomaly.false_alarms(counts))),
        "missed": _share(float(misses / max(hits + misses, 1))),
        "delayReadings": float(np.median(delays)) if delays else None,
        "raised": failing.raised,
        "fleet": {"answers": failing.answers, "alarms": failing.alarms},
    }


def _bad(versions: Mapping[int, Any], measured: Measured) -> Json | None:
    """The revision that was put back: good on the bench, bad in the field."""
    record, tally = measured.record, measured.tally
    reverted = [e for e in status_of(record.fleet).get("history", []) if e["result"] == "Reverted"]
    if not reverted:
        return None
    revision = reverted[-1]["revision"]
    version = versions.get(revision, {})
    of = digests(version)
    return {
        "revision": revision,
        "stable": record.stable_beside(revision),
        "judgedAccuracy": percent(version.get("accuracy")),
        "judged": reached(version),
        "fieldAccuracy": _accuracy(tally, None, of),
        "devicesSeenWithIt": len(tally.devices(of)),
        "message": reverted[-1].get("message", ""),
    }


def _drift(versions: Mapping[int, Any], measured: Measured) -> Json:
    """Field accuracy by the harness: the version that was shifted away from, then its answer."""
    record, tally = measured.record, measured.tally
    first = digests(versions.get(record.shifted_from, {}))
    second = digests(versions.get(record.answered_with, {}))
    seconds = _delay(record)
    return {
        "injectedAt": _stamp(record.injected_at),
        "detectedAt": _stamp(record.detected_at),
        "seconds": seconds,
        "windows": None if seconds is None else round(seconds / measured.interval, 1),
        "accuracyCalm": _accuracy(tally, CALM, first),
        "accuracyBefore": _accuracy(tally, SHIFTED, first),
        "accuracyAfter": _accuracy(tally, SHIFTED, second),
        "message": record.drift_message,
    }


def _accuracy(tally: Tally, phase: str | None, of: list[str]) -> float | None:
    accuracy = tally.over(phase, of).accuracy
    return None if accuracy is None else _share(accuracy)


def _delay(record: Record) -> float | None:
    if record.injected_at is None or record.detected_at is None:
        return None
    return round((record.detected_at - record.injected_at).total_seconds(), 1)


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")


def save(summary: Json, path: Path) -> None:
    path.write_text(json.dumps(summary, indent=2) + "\n")
