"""Labels saved, over the seeds of a setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import t

from .arms import Row, Seed, needed, wanted

CONFIDENCE = 0.95


def measure(seed: Seed) -> Row:
    """One seed: the full student, what was asked until it was within a point, and chance.

    Chance has as many labels, and as many as there are at the horizon.
    """
    full, horizon = seed.full(), seed.ladder[-1]
    asked = seed.descend()
    labels = needed(asked, wanted(full))
    random = [seed.at("random", step) for step in sorted({labels or horizon, horizon})]
    return {
        "seed": seed.number,
        "pool": len(seed.split.y),
        "horizon": horizon,
        "steps": full["steps"],
        "full": full["accuracy"],
        "labels": labels,
        "asked": [{"labels": row["labels"], "accuracy": row["accuracy"]} for row in asked],
        "random": [{"labels": row["labels"], "accuracy": row["accuracy"]} for row in random],
        "randomReached": random[-1]["accuracy"] >= wanted(full),
    }


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """All seeds of a setting; a seed that never came within a point has saved nothing."""
    spent = np.array([row["labels"] or row["pool"] for row in rows], dtype=np.float64)
    pool = np.array([row["pool"] for row in rows], dtype=np.float64)
    saved = 100 * (1 - spent / pool)
    reached = [_at(row, "asked", row["labels"]) for row in rows]
    chance = [_at(row, "random", row["labels"]) for row in rows]
    return {
        "seeds": len(rows),
        "pool": round(float(pool.mean()), 1),
        "horizon": min(row["horizon"] for row in rows),
        "labelsMean": round(float(spent.mean()), 1),
        "savedPercentMean": round(float(saved.mean()), 2),
        "savedPercentInterval": _interval(saved),
        "savedPercentWorst": round(float(saved.min()), 2),
        "fullAccuracy": round(float(np.mean([row["full"] for row in rows])), 4),
        "accuracy": round(float(np.mean(reached)), 4),
        "randomAccuracy": round(float(np.mean(chance)), 4),
        "randomReached": sum(row["randomReached"] for row in rows),
        "steps": min(row["steps"] for row in rows),
        "perSeed": list(rows),
    }


def _at(row: Row, arm: str, labels: int | None) -> float:
    """Accuracy of an arm with these labels; with the most there were when none was enough."""
    found = [result["accuracy"] for result in row[arm] if result["labels"] == labels]
    return float(found[0] if found else row[arm][-1]["accuracy"])


def _interval(values: np.ndarray) -> list[float] | None:
    """Bounds of the mean by Student's t; None for a single seed."""
    if len(values) < 2:
        return None
    half = t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return [round(float(values.mean() + sign * half), 2) for sign in (-1, 1)]
