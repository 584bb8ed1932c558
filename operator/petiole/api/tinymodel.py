"""``TinyModel``: what to learn, from which data, with how many labels, for which device classes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictInt

from .base import (
    ApiModel,
    Condition,
    DataUri,
    Distinct,
    Events,
    Percent,
    Rule,
    SecretName,
)
from .learning import Learning
from .student import StudentStatus, Target
from .task import BY_TASK, Task

Step = Literal["Idle", "Querying", "Labelling", "Training", "Packing"]
Trigger = Literal["Initial", "DataChanged", "Drift", "NewSamples", "Requested"]
LONGEST_AWAITING = 1024  # characters


class DataSet(ApiModel):
    """Photos, a folder a class, or ``samples.npz``: x uint8 [n,h,w,c], id [n], y to evaluate.

    Of anomalies, runs of machines: CSV files.
    """

    uri: Annotated[
        DataUri,
        Field(description="file:///FOLDER, pvc://CLAIM/PATH or s3://BUCKET/PREFIX; only read."),
    ]


class SecretRef(ApiModel):
    """A Secret of the same namespace."""

    name: Annotated[SecretName, Field(description="Name of the Secret, in the object's namespace.")]


class DataCredentials(ApiModel):
    """What opens the data sets on S3."""

    secret_ref: Annotated[
        SecretRef,
        Field(
            description="Its keys: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, "
            "AWS_REGION, AWS_ENDPOINT_URL."
        ),
    ]


class Data(ApiModel):
    """Where the samples lie. The evaluation set is never queried."""

    pool: Annotated[
        DataSet, Field(description="What labels are asked for and what is learned from.")
    ]
    evaluation: Annotated[DataSet, Field(description="What candidates are judged by.")]
    credentials: Annotated[
        DataCredentials | None,
        Field(description="What opens them on S3. None: what the pipelines' process has."),
    ] = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.pool.uri != self.evaluation.uri",
            "evaluation.uri must not be pool.uri: what is learned from cannot judge",
            ".evaluation.uri",
        ),
    )


class Acceptance(ApiModel):
    """What a candidate must reach on the evaluation set, judged as int8."""

    accuracy: Annotated[
        Percent | None, Field(description="Least accuracy of every target; classes need it.")
    ] = None
    recall: Annotated[
        Percent | None, Field(description="Least recall of every class by itself.")
    ] = None
    f1: Annotated[
        Percent | None,
        Field(description="Least F1 of alarms, reading by reading; anomalies need it."),
    ] = None
    false_alarms: Annotated[
        Percent | None,
        Field(description="Most normal readings with an alarm, as a share; anomalies need it."),
    ] = None
    max_regression: Annotated[
        Percent, Field(description="Points that a successor may be worse than the version now.")
    ] = "1%"
    confidence: (
        Annotated[
            Literal["90%", "95%", "99%"],
            Field(description="One-sided bounds have to hold, not the shares as measured."),
        ]
        | None
    ) = None


class TinyModelSpec(ApiModel):
    """Desired state of a TinyModel."""

    task: Task
    data: Data
    learning: Learning
    targets: Annotated[
        tuple[Target, ...],
        Field(
            min_length=1,
            max_length=8,
            description="Device classes that it must fit, each with a variant.",
        ),
        Distinct("name"),
    ]
    acceptance: Acceptance
    events: Events | None = None
    security_counter: Annotated[
        StrictInt,
        Field(
            ge=0,
            le=2**31 - 1,
            description="Devices that took a model with it refuse any with a lower one.",
        ),
    ] = 0

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(has(self.securityCounter) ? self.securityCounter : 0) >= "
            "(has(oldSelf.securityCounter) ? oldSelf.securityCounter : 0)",
            "securityCounter must not go down: devices that took it refuse anything lower",
            ".securityCounter",
        ),
        Rule(
            "!has(self.learning.features) || self.learning.features != 'EfficientNetLite0' || "
            "self.task.input.channels in [1, 3]",
            "features EfficientNetLite0 are of colour or grey images: task.input.channels 3 or 1",
            ".learning.features",
        ),
        *BY_TASK,
    )


class VariantStatus(ApiModel):
    """One signed artefact of a version."""

    target: Annotated[str, Field(description="The device class.")]
    digest: Annotated[str, Field(description="SHA-256 of the signed artefact, hex.")]
    size: Annotated[int, Field(description="Bytes of the artefact.")]
    arena: Annotated[int, Field(description="Arena bytes the device needs.")]
    accuracy: Annotated[
        str, Field(description="int8 accuracy on the evaluation set, percent; of classes.")
    ] = ""
    f1: Annotated[str, Field(description="F1 of alarms there, percent; of anomalies.")] = ""
    false_alarms: Annotated[
        str, Field(description="Normal readings with an alarm there, percent; of anomalies.")
    ] = ""
    network: Annotated[str, Field(description="Body, and channels of its first layer.")] = ""
    instructions: Annotated[int, Field(description="Of one inference, as predicted.")] = 0


class VersionStatus(ApiModel):
    """An accepted version."""

    version: Annotated[int, Field(description="Rises by one.")]
    round: Annotated[int, Field(description="The round that made it.")]
    created_at: Annotated[datetime, Field(description="When it was signed.")]
    accuracy: Annotated[str, Field(description="Of its worst target, percent; of classes.")] = ""
    f1: Annotated[str, Field(description="Of its worst target, percent; of anomalies.")] = ""
    false_alarms: Annotated[
        str, Field(description="Of its worst target, percent; of anomalies.")
    ] = ""
    labels: Annotated[int, Field(description="Labels spent in all when it was trained.")]
    trigger: Annotated[Trigger, Field(description="What started its round.")]
    variants: Annotated[tuple[VariantStatus, ...], Field(description="One a target.")]
    reference_uri: Annotated[
        str, Field(description="Store path of the reference histograms, JSON.")
    ]

    @property
    def reached(self) -> str:
        """What it reached on the evaluation set, in words."""
        if self.f1:
            return f"F1 {self.f1} at {self.false_alarms} false alarms"
        return f"accuracy {self.accuracy} with {self.labels} labels"


class Stopped(ApiModel):
    """Which rule ended the asking of a round, and by which numbers."""

    rule: Annotated[
        Literal["Budget", "Accuracy", "Plateau", "Kappa", "PoolExhausted"],
        Field(description="The first that applied."),
    ]
    labels: Annotated[int, Field(description="Labels there were by then.")]
    message: Annotated[str, Field(description="Its numbers, for a person.")]


class RoundStatus(ApiModel):
    """Where the learning loop stands."""

    number: Annotated[int, Field(description="Rises by one.")] = 0
    step: Annotated[Step, Field(description="What goes on; docs/learning.md.")] = "Idle"
    trigger: Annotated[Trigger | None, Field(description="What started it.")] = None
    run: Annotated[str, Field(description="Name of the pipeline run of this step.")] = ""
    since: Annotated[datetime | None, Field(description="When the step began.")] = None
    data_hash: Annotated[str, Field(description="Hash of spec.data the round was started for.")] = (
        ""
    )
    drift_seen: Annotated[
        str, Field(description="Identity of the drift alarm that was last answered.")
    ] = ""
    target_labels: Annotated[int, Field(description="Labels at which asking ends.")] = 0
    awaiting: Annotated[
        str,
        Field(
            max_length=LONGEST_AWAITING,
            description="Drift alarm that waits for samples of the field.",
        ),
    ] = ""
    asked: Annotated[
        str, Field(description="Name of the round's last query run; its teacher is compared with.")
    ] = ""
    stopped: Stopped | None = None
    samples_before: Annotated[
        int, Field(description="Samples from the field when the round began or the alarm came.")
    ] = 0
    request: Annotated[
        str, Field(max_length=1024, description="The last request for a round that was answered.")
    ] = ""


class LabelStatus(ApiModel):
    """Labels of the pool."""

    pool: Annotated[int, Field(description="Samples there are.")] = 0
    spent: Annotated[int, Field(description="Labels that were given.")] = 0
    requested: Annotated[int, Field(description="Labels asked for and not given yet.")] = 0


class CurvePoint(ApiModel):
    """The teacher after a batch of labels: its accuracy on the evaluation set."""

    labels: Annotated[int, Field(description="Labels that it had learned from.")]
    accuracy: Annotated[str, Field(description="On the evaluation set, percent.")]
    round: Annotated[int, Field(description="The round it was in.")] = 0
    agreement: Annotated[
        str, Field(description="Cohen's kappa with the teacher before, on the unlabelled pool.")
    ] = ""


class TinyModelStatus(ApiModel):
    """Observed state of a TinyModel."""

    observed_generation: Annotated[
        int, Field(description="Generation that the operator looked at last.")
    ] = 0
    message: Annotated[str, Field(description="Where the model stands, in a sentence.")] = ""
    latest_version: Annotated[int, Field(description="The newest accepted one; 0: none.")] = 0
    round: RoundStatus = RoundStatus()
    labels: LabelStatus = LabelStatus()
    curve: Annotated[
        tuple[CurvePoint, ...],
        Field(max_length=100, description="Accuracy by labels, the newest last."),
    ] = ()
    versions: Annotated[
        tuple[VersionStatus, ...], Field(max_length=20, description="The newest last.")
    ] = ()
    students: Annotated[
        tuple[StudentStatus, ...],
        Field(max_length=8, description="Of the last candidate, whether it was accepted or not."),
        Distinct("target"),
    ] = ()
    conditions: Annotated[
        tuple[Condition, ...],
        Field(description="Ready, Reconciling and Stalled by kstatus, and what else holds."),
        Distinct("type"),
    ] = ()
