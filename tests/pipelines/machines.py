"""Synthetic machines: three sensors at one reading a second, one of which never comes to rest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SENSORS = ("Vibration", "Current", "Temperature")
SECONDS, BASELINE, WIDTH = 700, 300, 8
FAULT = slice(480, 580)
TASK = {
    "type": "AnomalyDetection",
    "input": {"height": 1, "width": WIDTH, "channels": len(SENSORS)},
    "commissioning": {"scale": 60, "reach": 32, "baseline": BASELINE},
}
TARGETS = [
    {"name": "cortex-m4", "flash": "64Ki", "arena": "16Ki"},
    {"name": "cortex-m0", "flash": "16Ki", "arena": "4Ki"},
]
LEARNING = {"falseAlarms": 0.09}


def readings(seed: int, *, fault: float = 1.0, moved: float = 0.0) -> np.ndarray:
    """A run [SECONDS, 3] that shakes in FAULT; ``moved`` shifts it in the end of commissioning."""
    rng = np.random.default_rng(seed)
    level = rng.uniform([0.02, 1.0, 60.0], [0.04, 2.0, 90.0])
    found = level * (1 + rng.normal(0, [0.05, 0.03, 0.0005], (SECONDS, 3)))
    found[:, 2] += np.cumsum(rng.normal(0.002, 0.01, SECONDS))
    found[FAULT, 0] *= 1 + 0.5 * fault
    found[FAULT, 1] += 0.2 * fault * level[1] * rng.normal(0, 1, FAULT.stop - FAULT.start)
    found[BASELINE * 3 // 4 : BASELINE, :2] *= 1 + moved
    return found


def csv(run: np.ndarray, *, faults: bool = True, separator: str = ";") -> bytes:
    """A file as SKAB's."""
    truth = np.zeros(len(run), int)
    truth[FAULT] = 1
    columns = ["datetime", *SENSORS, *(["anomaly", "changepoint"] if faults else [])]
    lines = [separator.join(columns)]
    for second, (row, faulty) in enumerate(zip(run, truth, strict=True)):
        told = [f"{faulty}.0", "0.0"] if faults else []
        lines.append(separator.join([f"2026-01-01 {second}", *(f"{v:.6g}" for v in row), *told]))
    return "\n".join(lines).encode()


def prepare(folder: Path, *, pool: int = 6, evaluation: int = 3) -> None:
    """Write ``pool`` and ``evaluation``; one run of the pool has no faults told."""
    for name, count, first in (("pool", pool, 0), ("evaluation", evaluation, 100)):
        place = folder / name / "bed"
        place.mkdir(parents=True)
        for number in range(count):
            silent = name == "pool" and number == 0
            run = readings(first + number, fault=0.0 if silent else 1.0)
            (place / f"{number}.csv").write_bytes(csv(run, faults=not silent))


def parameters(folder: Path, **changes) -> dict:
    """What the step ``detect`` is given."""
    return {
        "pool_uri": (folder / "pool").as_uri(),
        "evaluation_uri": (folder / "evaluation").as_uri(),
        "store_uri": (folder / "store").as_uri(),
        "output_path": "out",
        "task": json.dumps(TASK),
        "targets": TARGETS,
        "learning": json.dumps(LEARNING),
        "seed": 0,
    } | changes
