"""The ``learning`` section of a TinyModel: whom labels are asked of, which, and how many."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool, StrictInt

from .base import ApiModel, HttpUrl, Percent, PositiveDuration, Rule, SecretKeyRef, Uri
from .student import Student


class LabelStudio(ApiModel):
    """A project of a Label Studio server, where people answer."""

    url: Annotated[HttpUrl, Field(description="Where the operator reaches the server.")]
    token_secret_ref: Annotated[
        SecretKeyRef, Field(description="The Secret that has an access token of the server.")
    ]
    project: Annotated[
        str,
        Field(
            min_length=3,
            max_length=50,
            description="Title of the project; it is made when there is none.",
        ),
    ]
    overlap: Annotated[
        StrictInt, Field(ge=1, le=20, description="People who answer each question.")
    ] = 1
    agreement: Annotated[
        Percent, Field(description="Share of the answers that the label must have.")
    ] = "51%"


class Labels(ApiModel):
    """Who answers. ``Oracle``: a CSV file of ``id,label``. ``Folder``: requests out, answers in."""

    source: Annotated[
        Literal["Oracle", "Folder", "LabelStudio"],
        Field(description="A table, a folder of answers, or people."),
    ]
    uri: Annotated[Uri | None, Field(description="Where the table or the folder lies.")] = None
    label_studio: LabelStudio | None = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.uri) == (self.source != 'LabelStudio')",
            "uri is for the sources Oracle and Folder, and they need it",
            ".uri",
        ),
        Rule(
            "has(self.labelStudio) == (self.source == 'LabelStudio')",
            "labelStudio is for the source LabelStudio, which needs it",
            ".labelStudio",
        ),
    )


class Triggers(ApiModel):
    """What starts a round besides the first one and a change of data."""

    drift: Annotated[
        StrictBool, Field(description="The field of a fleet that follows it has drifted.")
    ] = True
    new_samples: Annotated[
        Annotated[StrictInt, Field(ge=1, le=1_000_000)] | None,
        Field(
            description="So many samples came up from the field since the last round. None: never."
        ),
    ] = None


class Quota(ApiModel):
    """What one group may have of a batch, at most; one sample always may be asked."""

    per_class: (
        Annotated[Percent, Field(description="Samples of one class, as the teacher answers.")]
        | None
    ) = None
    per_device: Annotated[Percent | None, Field(description="Samples that one device sent.")] = None


class Plateau(ApiModel):
    """The teacher's accuracy rose by less than ``gain`` in so many batches."""

    batches: Annotated[StrictInt, Field(ge=1, le=50, description="Batches in a row.")] = 3
    gain: Annotated[Percent, Field(description="Points of accuracy; less counts as flat.")]


class Kappa(ApiModel):
    """Successive teachers agree, by Cohen's kappa on the unlabelled pool, mean of ``batches``."""

    batches: Annotated[StrictInt, Field(ge=1, le=50, description="Batches in a row.")] = 3
    agreement: Annotated[Percent, Field(description="100% is agreement on every sample.")]


class Stopping(ApiModel):
    """What ends the asking before the label budget does, whichever comes first."""

    accuracy: (
        Annotated[Percent, Field(description="The teacher reaches it on the evaluation set.")]
        | None
    ) = None
    plateau: Plateau | None = None
    kappa: Kappa | None = None


class Learning(ApiModel):
    """How labels are chosen and how many may be spent. A task without classes asks for none."""

    features: Annotated[
        Literal["Kernel", "Pixels", "EfficientNetLite0"],
        Field(description="What teacher and strategy see. Kernel and Pixels: of tiny inputs."),
    ] = "Kernel"
    strategy: Annotated[
        Literal[
            "Random",
            "Margin",
            "Entropy",
            "TypiClust",
            "TypiClustThenMargin",
            "ClusterMargin",
            "Badge",
            "KCenter",
        ],
        Field(description="How samples are chosen; docs/learning.md compares them."),
    ] = "TypiClustThenMargin"
    batch_size: Annotated[
        StrictInt, Field(ge=1, le=10_000, description="Labels asked for at a time.")
    ] = 0
    label_budget: Annotated[
        StrictInt, Field(ge=1, le=1_000_000, description="Labels that may be spent in all.")
    ] = 0
    drift_budget: Annotated[
        StrictInt,
        Field(ge=0, le=1_000_000, description="Labels a drift round may add to the budget."),
    ] = 0
    random_share: Annotated[
        Percent,
        Field(description="Share of each batch drawn at random: an unbiased look at the pool."),
    ] = "10%"
    quota: Quota = Quota()
    near_duplicates: Annotated[
        Literal["Keep", "Drop"],
        Field(description="Drop: of samples that are nearly the same, one is asked."),
    ] = "Keep"
    stopping: Stopping = Stopping()
    student: Annotated[Student, Field(description="How networks are found.")] = Student()
    labels: Labels | None = None
    triggers: Triggers = Triggers()
    seed: Annotated[
        StrictInt, Field(ge=0, le=2**31 - 1, description="Makes all that is random repeat.")
    ] = 0
    deadline: Annotated[
        PositiveDuration, Field(description="Longest time of one pipeline run.")
    ] = "1h"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.batchSize) || !has(self.labelBudget) || self.batchSize <= self.labelBudget",
            "batchSize must not be above labelBudget",
            ".batchSize",
        ),
    )
