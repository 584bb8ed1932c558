"""What a ``TinyModel`` learns: classes of images, or what is usual for each machine."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictInt

from .base import ApiModel, Name, Rule

VERDICTS = ("normal", "alarm")  # what a model without classes answers: label 0 and 1


class InputShape(ApiModel):
    """Shape of one input: unsigned 8-bit values, height x width x channels."""

    height: Annotated[
        StrictInt, Field(ge=1, le=256, description="Rows; 1 of a window of readings.")
    ]
    width: Annotated[
        StrictInt, Field(ge=1, le=256, description="Columns, or readings of a window.")
    ]
    channels: Annotated[
        StrictInt, Field(ge=1, le=16, description="Values a pixel: 1 grey, 3 colour; or sensors.")
    ]


class Commissioning(ApiModel):
    """How a device learns its own machine, in readings from its start; all without a fault."""

    scale: Annotated[
        StrictInt,
        Field(ge=10, le=256, description="Readings that set each sensor's scale of bytes."),
    ] = 60
    reach: Annotated[
        StrictInt,
        Field(ge=4, le=64, description="Standard deviations that a byte reaches to each side."),
    ] = 32
    baseline: Annotated[
        StrictInt,
        Field(ge=257, le=100_000, description="Readings in all from which it learns the usual."),
    ] = 400


def _stays(field: str, default: str) -> str:
    """CEL: the field is as it was; to write its default down, or not to, is no change."""
    parts = field.split(".")
    paths = [".".join(parts[: n + 1]) for n in range(len(parts))]

    def of(owner: str) -> str:
        given = " && ".join(f"has({owner}.{path})" for path in paths)
        return f"({given} ? {owner}.{field} : {default})"

    return f"{of('self')} == {of('oldSelf')}"


_IMMUTABLE = " && ".join((
    "self.input == oldSelf.input",
    _stays("type", "'ImageClassification'"),
    _stays("labels", "[]"),
    *(
        _stays(f"commissioning.{name}", str(field.default))
        for name, field in Commissioning.model_fields.items()
    ),
))  # fmt: skip


class Task(ApiModel):
    """What is learned. Immutable: another task is another model."""

    type: Annotated[
        Literal["AnomalyDetection", "ImageClassification"],
        Field(description="One class for each input, or whether a machine runs unlike itself."),
    ] = "ImageClassification"
    labels: Annotated[
        tuple[Name, ...],
        Field(min_length=2, max_length=32, description="The classes, in the order of the output."),
    ] = ()
    input: InputShape
    commissioning: Annotated[
        Commissioning | None,
        Field(description="How a device learns its own machine; for AnomalyDetection."),
    ] = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(_IMMUTABLE, "task is immutable: another task is another model, make a new TinyModel"),
        Rule(
            "!has(self.labels) || self.labels.all(a, self.labels.exists_one(b, a == b))",
            "labels must be unique: each names one class",
            ".labels",
        ),
        Rule(
            "has(self.labels) != (has(self.type) && self.type == 'AnomalyDetection')",
            "labels are the classes of ImageClassification, which needs them; AnomalyDetection "
            "has none",
            ".labels",
        ),
        Rule(
            "has(self.type) && self.type == 'AnomalyDetection' ? self.input.height == 1 : "
            "self.input.channels <= 4",
            "images have at most 4 channels; the windows of AnomalyDetection have height 1, the "
            "readings in width, the sensors in channels",
            ".input",
        ),
        Rule(
            "!has(self.commissioning) || (has(self.type) && self.type == 'AnomalyDetection')",
            "commissioning is for AnomalyDetection",
            ".commissioning",
        ),
    )

    @property
    def has_classes(self) -> bool:
        return self.type == "ImageClassification"

    @property
    def commissioned(self) -> Commissioning:
        """How devices are commissioned, defaults filled in."""
        return self.commissioning or Commissioning()


_ANOMALIES = "has(self.task.type) && self.task.type == 'AnomalyDetection'"
_OF_LABELS = (
    "features", "strategy", "batchSize", "labelBudget", "driftBudget", "randomShare", "quota",
    "nearDuplicates", "stopping", "student", "labels",
)  # fmt: skip

# What the other fields of a spec have to be by its task.
BY_TASK = (
    Rule(
        f"{_ANOMALIES} || (has(self.learning.labels) && has(self.learning.batchSize) && "
        "has(self.learning.labelBudget))",
        "classes are learned from labels: give learning.labels, batchSize and labelBudget",
        ".learning",
    ),
    Rule(
        f"!({_ANOMALIES}) || !({' || '.join(f'has(self.learning.{f})' for f in _OF_LABELS)})",
        "AnomalyDetection asks for no labels: learning has triggers, seed and deadline only",
        ".learning",
    ),
    Rule(
        f"{_ANOMALIES} ? has(self.acceptance.f1) && has(self.acceptance.falseAlarms) && "
        "!has(self.acceptance.accuracy) && !has(self.acceptance.recall) && "
        "!has(self.acceptance.confidence) : has(self.acceptance.accuracy) && "
        "!has(self.acceptance.f1) && !has(self.acceptance.falseAlarms)",
        "classes are accepted by accuracy, with recall and confidence where given; anomalies by f1 "
        "and falseAlarms",
        ".acceptance",
    ),
)
