"""Every rule between fields of a TinyModel, kept and broken."""

from __future__ import annotations

from typing import Any

from .examples import ANOMALY_MODEL, LABELLED_MODEL, TINY_MODEL
from .limits import MISSING
from .rules import RuleCase

LABELS = ("spec", "learning", "labels")
TASK = ("spec", "task")
LABELS_OF_TASK = ("spec", "task", "labels")
CHANNELS = ("spec", "task", "input", "channels")
COMMISSIONING = ("spec", "task", "commissioning")
FEATURES = ("spec", "learning", "features")
SEARCH = ("spec", "learning", "student", "search")
COUNTER = ("spec", "securityCounter")
LABELLED = LABELLED_MODEL["spec"]["learning"]["labels"]


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


RULES = [
    RuleCase(
        "TinyModel", "metadata.name must have", "", {("metadata", "name"): "n" * 63},
        {("metadata", "name"): "n" * 64},
    ),
    RuleCase(
        "TinyModel", "task is immutable", "spec.task",
        {("spec", "learning", "seed"): 8}, {("spec", "task", "input", "height"): 9}, update=True,
    ),
    RuleCase(
        "TinyModel", "task is immutable", "spec.task",
        {(*TASK, "type"): MISSING}, {LABELS_OF_TASK: ["one", "zero"]}, update=True,
    ),
    RuleCase(
        "TinyModel", "task is immutable", "spec.task",
        {COMMISSIONING: {"baseline": 400}}, {COMMISSIONING: {"scale": 61}}, update=True,
        example=ANOMALY_MODEL,
    ),
    RuleCase(
        "TinyModel", "labels are the classes of ImageClassification", "spec.task",
        {}, {LABELS_OF_TASK: ["normal", "alarm"]}, example=ANOMALY_MODEL,
    ),
    RuleCase(
        "TinyModel", "labels are the classes of ImageClassification", "spec.task",
        {}, {("spec", "task"): {"input": {"height": 8, "width": 8, "channels": 1}}},
    ),
    RuleCase(
        "TinyModel", "images have at most 4 channels", "spec.task.input",
        {CHANNELS: 4}, {CHANNELS: 5},
    ),
    RuleCase(
        "TinyModel", "the windows of AnomalyDetection have height 1", "spec.task.input",
        {CHANNELS: 5}, {("spec", "task", "input", "height"): 2}, example=ANOMALY_MODEL,
    ),
    RuleCase(
        "TinyModel", "commissioning is for AnomalyDetection", "spec.task.commissioning",
        {}, {COMMISSIONING: {}},
    ),
    *(
        RuleCase(
            "TinyModel", "classes are learned from labels", "spec.learning",
            {}, {("spec", "learning"): _without(TINY_MODEL["spec"]["learning"], name)},
        )
        for name in ("labels", "batchSize", "labelBudget")
    ),
    *(
        RuleCase(
            "TinyModel", "AnomalyDetection asks for no labels", "spec.learning",
            {("spec", "learning"): {}}, {("spec", "learning", name): value},
            example=ANOMALY_MODEL,
        )
        for name, value in TINY_MODEL["spec"]["learning"].items()
        if name not in ANOMALY_MODEL["spec"]["learning"]
    ),
    *(
        RuleCase(
            "TinyModel", "classes are accepted by accuracy", "spec.acceptance",
            {}, {("spec", "acceptance"): given}, example=example,
        )
        for example, given in (
            (TINY_MODEL, {}),
            (TINY_MODEL, {"accuracy": "90%", "f1": "60%"}),
            (TINY_MODEL, {"accuracy": "90%", "falseAlarms": "10%"}),
            (ANOMALY_MODEL, {"f1": "60%"}),
            (ANOMALY_MODEL, {"falseAlarms": "10%"}),
            (ANOMALY_MODEL, {"f1": "60%", "falseAlarms": "10%", "accuracy": "90%"}),
        )
    ),
    RuleCase(
        "TinyModel", "labels must be unique", "spec.task.labels",
        {("spec", "task", "labels"): ["a", "b", "c"]},
        {("spec", "task", "labels"): ["a", "b", "a"]},
    ),
    RuleCase(
        "TinyModel", "evaluation.uri must not be pool.uri", "spec.data.evaluation.uri",
        {("spec", "data", "evaluation", "uri"): "file:///data/frozen"},
        {("spec", "data", "evaluation", "uri"): "file:///data/pool"},
    ),
    RuleCase(
        "TinyModel", "batchSize must not be above labelBudget", "spec.learning.batchSize",
        {("spec", "learning", "batchSize"): 240}, {("spec", "learning", "batchSize"): 241},
    ),
    RuleCase(
        "TinyModel", "features EfficientNetLite0 are of colour or grey", "spec.learning.features",
        {CHANNELS: 3, FEATURES: "EfficientNetLite0"}, {CHANNELS: 2, FEATURES: "EfficientNetLite0"},
    ),
    RuleCase(
        "TinyModel", "uri is for the sources Oracle and Folder", "spec.learning.labels",
        {LABELS: {"source": "Folder", "uri": "file:///data"}}, {LABELS: {"source": "Oracle"}},
    ),
    RuleCase(
        "TinyModel", "uri is for the sources Oracle and Folder", "spec.learning.labels.uri",
        {LABELS: LABELLED}, {LABELS: LABELLED | {"uri": "file:///data"}},
    ),
    RuleCase(
        "TinyModel", "labelStudio is for the source LabelStudio", "spec.learning.labels",
        {LABELS: LABELLED}, {LABELS: {"source": "LabelStudio"}},
    ),
    RuleCase(
        "TinyModel", "labelStudio is for the source LabelStudio",
        "spec.learning.labels.labelStudio",
        {LABELS: LABELLED}, {LABELS: LABELLED | {"source": "Folder", "uri": "file:///data"}},
    ),
    *(
        RuleCase(
            "TinyModel", "classes are accepted by accuracy", "spec.acceptance",
            {}, {("spec", "acceptance", name): value}, example=ANOMALY_MODEL,
        )
        for name, value in (("recall", "80%"), ("confidence", "95%"))
    ),
    RuleCase(
        "TinyModel", "tries is for the search Halving", "spec.learning.student.tries",
        {SEARCH: "Halving"}, {SEARCH: "Widest"},
    ),
    RuleCase(
        "TinyModel", "tries is for the search Halving", "spec.learning.student.tries",
        {("spec", "learning", "student"): {"search": "Widest"}},
        {("spec", "learning", "student"): {"tries": 6}},
    ),
    *(
        RuleCase(
            "TinyModel", "securityCounter must not go down", "spec",
            {COUNTER: 4}, {COUNTER: lower}, update=True,
        )
        for lower in (2, 0, MISSING)
    ),
]  # fmt: skip
