"""The parameter ``learning`` of a run: how samples are seen and chosen, as the steps read it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from petiole.api.student import Student

if TYPE_CHECKING:
    from petiole.learning.strategies import Choice


@dataclass(frozen=True, slots=True)
class Learning:
    """Part of a TinyModel's ``spec.learning``; shares are 0..1, the batch is this run's."""

    features: str
    strategy: str
    batch_size: int
    random_share: float
    per_class: float | None = None
    per_device: float | None = None
    drop_near_duplicates: bool = False
    previous: str = ""  # the query run before this one in its round
    student: Student = field(default_factory=Student)
    fielded: str = ""  # store path of the document of the version in the field; "" for none

    @staticmethod
    def parse(text: str) -> Learning:
        """Read the run's parameter ``learning``, JSON."""
        given = json.loads(text)
        quota = given.get("quota", {})
        return Learning(
            features=given["features"],
            strategy=given["strategy"],
            batch_size=int(given["batchSize"]),
            random_share=float(given["randomShare"]),
            per_class=quota.get("perClass"),
            per_device=quota.get("perDevice"),
            drop_near_duplicates=given.get("nearDuplicates") == "Drop",
            previous=given.get("previous", ""),
            student=Student.model_validate(given.get("student", {})),
            fielded=given.get("field", ""),
        )

    def choice(self) -> Choice:
        """Return how a batch is chosen."""
        from petiole.learning.strategies import Choice  # noqa: PLC0415 - SciPy loads slowly

        return Choice(
            self.strategy,
            self.batch_size,
            self.random_share,
            self.per_class,
            self.per_device,
            self.drop_near_duplicates,
        )
