"""The parameter ``learning`` of a run: how samples are chosen, as the steps read it."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Learning:
    """Part of a TinyModel's ``spec.learning``; shares are 0..1, ``batch_size`` is this run's."""

    features: str
    strategy: str
    batch_size: int
    random_share: float

    @staticmethod
    def parse(text: str) -> Learning:
        """Read the run's parameter ``learning``, JSON."""
        given = json.loads(text)
        return Learning(
            features=given["features"],
            strategy=given["strategy"],
            batch_size=int(given["batchSize"]),
            random_share=float(given["randomShare"]),
        )
