"""``DeviceFleet``: which devices take a model, and how carefully."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictInt

from .base import (
    ApiModel,
    Condition,
    Distinct,
    Events,
    Interval,
    Name,
    PositiveDuration,
    Rule,
)
from .rollout import Rollout

Kind = Literal["Model", "Firmware"]
LabelValue = Annotated[str, Field(max_length=63)]


class Selector(ApiModel):
    """Devices by their labels."""

    match_labels: Annotated[
        dict[str, LabelValue],
        Field(
            min_length=1,
            max_length=8,
            description="Labels that a device of the fleet has, all of them.",
        ),
    ]

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.matchLabels.all(name, size(name) >= 1 && size(name) <= 63)",
            "labels have names of 1 to 63 characters",
            ".matchLabels",
        ),
    )


class ModelRef(ApiModel):
    """The TinyModel in the same namespace; ``Latest`` follows it, a number pins a version."""

    name: Annotated[Name, Field(description="Name of the TinyModel, in the same namespace.")]
    version: Annotated[
        Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | Literal["Latest"],
        Field(description="Which version devices shall have."),
    ] = "Latest"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.name == oldSelf.name",
            "model.name is immutable: revisions are versions of one model, make a new DeviceFleet",
            ".name",
        ),
    )


class FirmwareRef(ApiModel):
    """A signed bundle of `petiole firmware sign`: a path in the operator's store, or a URI."""

    uri: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            description="The bundle: a path in the operator's store, or a URI.",
        ),
    ]


class DriftPolicy(ApiModel):
    """How often a false drift alarm is acceptable, whatever the interval and the fleet's size."""

    false_alarms_per_year: Annotated[
        StrictInt,
        Field(ge=1, le=365, description="Of the whole fleet, in a field that stays as it is."),
    ] = 1
    baseline: Annotated[
        PositiveDuration | None,
        Field(
            description="How long the field is learned before it is judged, 6 intervals at least. "
            "A day, where light comes and goes by the day."
        ),
    ] = None


class Monitoring(ApiModel):
    """What devices report, and how often."""

    interval: Annotated[
        Interval,
        Field(
            description="How often a device reports its statistics: one number and unit, from 1s "
            "to 999h or 39d."
        ),
    ] = "15m"
    samples_per_day: Annotated[
        StrictInt,
        Field(ge=0, le=10_000, description="Uncertain inputs that a device sends up in a day."),
    ] = 5
    drift: DriftPolicy = DriftPolicy()


class DeviceFleetSpec(ApiModel):
    """Desired state of a DeviceFleet."""

    selector: Annotated[Selector, Field(description="Which registered devices are the fleet.")]
    model: ModelRef
    firmware: Annotated[
        FirmwareRef | None,
        Field(description="A signed bundle that goes out before the model, in the same stages."),
    ] = None
    rollout: Rollout
    monitoring: Monitoring = Monitoring()
    events: Events | None = None


class RevisionStatus(ApiModel):
    """Versions of the model, or numbers of bundles: the one wanted and the one that is proven."""

    target: Annotated[int, Field(description="What is rolled out, or was last.")] = 0
    stable: Annotated[int, Field(description="The last one that was promoted; 0: none.")] = 0
    failed: Annotated[int, Field(description="Last version that was taken back.")] = 0
    why: Annotated[str, Field(description="Why it was taken back, in words.")] = ""
    kept: Annotated[bool, Field(description="It goes no further, but who has it keeps it.")] = False


class ImageStatus(ApiModel):
    """One signed image; its digest names it in the store."""

    digest: Annotated[str, Field(description="SHA-256, hex.")]
    size: Annotated[int, Field(description="Bytes.")]


class FirmwareVariant(ApiModel):
    """The firmware for one board, linked for either slot."""

    target: Annotated[str, Field(description="The device class.")]
    a: Annotated[ImageStatus, Field(description="Linked for slot A.")]
    b: Annotated[ImageStatus, Field(description="Linked for slot B.")]


class BundleStatus(ApiModel):
    """A firmware bundle that was wanted; the number rises by one with each."""

    number: Annotated[int, Field(description="Its revision in this fleet.")]
    digest: Annotated[str, Field(description="SHA-256 of the bundle file.")]
    version: Annotated[str, Field(description="What its builder called it.")]
    variants: Annotated[tuple[FirmwareVariant, ...], Field(description="One a device class.")]


class StageStatus(ApiModel):
    """The stage in progress."""

    index: Annotated[int, Field(description="From 0.")] = 0
    name: Annotated[str, Field(description="As in the spec; of a ramp `ramp-1` and so on.")] = ""
    limit: Annotated[int, Field(description="Devices allowed so far.")] = 0
    started_at: Annotated[
        datetime | None, Field(description="When its first device might begin.")
    ] = None
    complete_at: Annotated[
        datetime | None, Field(description="When its last device had answered; soak starts here.")
    ] = None
    resumed_at: Annotated[
        datetime | None, Field(description="When a person resumed it; its deadline starts here.")
    ] = None
    skipped: Annotated[
        bool, Field(description="A person ended its soak and its undecided gates.")
    ] = False
    rollback: Annotated[
        bool, Field(description="The one stage of a revision that is proven already.")
    ] = False


class Counts(ApiModel):
    """Devices by where they stand with the target revision. The fields sum to ``total``."""

    total: Annotated[int, Field(description="Devices of the fleet.")] = 0
    pending: Annotated[int, Field(description="Not asked to begin yet.")] = 0
    offered: Annotated[int, Field(description="Granted; nothing heard since.")] = 0
    downloading: Annotated[int, Field(description="Fetching blocks.")] = 0
    trial: Annotated[int, Field(description="Running it on trial.")] = 0
    ready: Annotated[int, Field(description="Downloaded; wait for an apply window.")] = 0
    updated: Annotated[int, Field(description="Confirmed it and run it.")] = 0
    failed: Annotated[int, Field(description="Refused it or gave it up.")] = 0
    reverted: Annotated[int, Field(description="Were put back to the stable revision.")] = 0
    silent: Annotated[int, Field(description="Were granted it and stopped to answer.")] = 0
    ineligible: Annotated[int, Field(description="Cannot run it; their record says why.")] = 0


class GateStatus(ApiModel):
    """What a gate knows. Numbers are strings for people; the gateway keeps the evidence."""

    name: Annotated[str, Field(description="As in the spec.")]
    verdict: Annotated[
        Literal["Pass", "Fail", "Continue", "NotApplicable"],
        Field(description="Continue: the evidence does not decide yet."),
    ]
    estimate: Annotated[
        str, Field(description="Failure rate, drop, rise or disagreement: a share.")
    ] = ""
    interval: Annotated[
        str, Field(description="Where the true value lies, by the error rates asked.")
    ] = ""
    message: Annotated[str, Field(description="The evidence, for a person.")] = ""


class Waiting(ApiModel):
    """Why nothing moves right now."""

    reason: Annotated[str, Field(description="In one CamelCase word; docs/rollout.md lists them.")]
    message: Annotated[str, Field(description="What it waits for, and the command that ends it.")]
    since: Annotated[datetime, Field(description="When this wait began.")]
    until: Annotated[
        datetime | None, Field(description="When it ends by itself, where that is known.")
    ] = None


class DriftStatus(ApiModel):
    """Whether the field still looks as it did."""

    state: Annotated[
        Literal["Unknown", "Stable", "Drifted"], Field(description="Unknown: too little was seen.")
    ] = "Unknown"
    detected_at: Annotated[datetime | None, Field(description="When the alarm was raised.")] = None
    since: Annotated[
        datetime | None,
        Field(description="When what alarmed began to move, as far as can be told."),
    ] = None
    version: Annotated[int, Field(description="The revision whose windows are judged.")] = 0
    score: Annotated[str, Field(description="Of the loudest detector; 1 is an alarm.")] = ""
    detectors: Annotated[
        tuple[str, ...],
        Field(
            max_length=4,
            description="Those that alarmed, loudest first: ConfidenceMean, ConfidenceShape, "
            "Classes or InputMean.",
        ),
    ] = ()
    moved: Annotated[
        tuple[str, ...], Field(max_length=4, description="Which bins and classes, and how much.")
    ] = ()
    message: Annotated[str, Field(description="What moved, for a person.")] = ""


class HistoryEntry(ApiModel):
    """One finished rollout."""

    kind: Annotated[Kind, Field(description="What was rolled out.")] = "Model"
    revision: Annotated[int, Field(description="Version of the model, or number of the bundle.")]
    result: Annotated[
        Literal["Promoted", "Reverted", "Superseded", "Paused", "Kept"],
        Field(description="How it ended."),
    ]
    started_at: Annotated[datetime, Field(description="When its first stage began.")]
    finished_at: Annotated[datetime, Field(description="When it was over.")]
    exposed: Annotated[int, Field(description="Devices that ever ran it.")]
    updated: Annotated[int, Field(description="Devices that ran it at the end.")]
    reverted: Annotated[int, Field(description="Devices that were put back.")]
    message: Annotated[str, Field(description="How it ended, for a person.")] = ""


class DeviceFleetStatus(ApiModel):
    """Observed state of a DeviceFleet."""

    observed_generation: Annotated[
        int, Field(description="Generation that the operator looked at last.")
    ] = 0
    message: Annotated[str, Field(description="Where the fleet stands, in a sentence.")] = ""
    reported_at: Annotated[
        datetime | None, Field(description="When counts and messages were as they are here.")
    ] = None
    request: Annotated[
        str,
        Field(max_length=128, description="The petiole.dev/request annotation handled last."),
    ] = ""
    answer: Annotated[str, Field(description="What became of that request.")] = ""
    held: Annotated[bool, Field(description="Paused by a person until resumed.")] = False
    attempt: Annotated[int, Field(description="Raised by retry: what failed may try again.")] = 0
    serial: Annotated[int, Field(description="Serial number of the plan given to the gateway.")] = 0
    plan_hash: Annotated[
        str, Field(max_length=64, description="Of the plan's content; the serial rises with it.")
    ] = ""
    kind: Annotated[Kind, Field(description="What mode, stage, counts and gates are about.")] = (
        "Model"
    )
    revision: Annotated[RevisionStatus, Field(description="Of the model.")] = RevisionStatus()
    firmware: Annotated[RevisionStatus, Field(description="Numbers of bundles.")] = RevisionStatus()
    bundles: Annotated[
        tuple[BundleStatus, ...],
        Field(max_length=16, description="Firmware that was wanted so far."),
    ] = ()
    mode: Annotated[
        Literal["Idle", "Rolling", "Reverting", "Paused"],
        Field(description="What goes on; docs/rollout.md."),
    ] = "Idle"
    started_at: Annotated[datetime | None, Field(description="When this rollout began.")] = None
    stage: StageStatus = StageStatus()
    counts: Counts = Counts()
    gave_up: Annotated[
        int, Field(description="Devices that gave up the stable revision of the other kind.")
    ] = 0
    exposed: Annotated[int, Field(description="Devices that ever ran the target revision.")] = 0
    gates: Annotated[
        tuple[GateStatus, ...], Field(description="Of this stage."), Distinct("name")
    ] = ()
    waiting_for: Waiting | None = None
    drift: DriftStatus = DriftStatus()
    samples: Annotated[int, Field(description="Inputs that devices sent up.")] = 0
    history: Annotated[
        tuple[HistoryEntry, ...],
        Field(max_length=20, description="Rollouts that are over, the newest last."),
    ] = ()
    conditions: Annotated[
        tuple[Condition, ...],
        Field(description="Ready, Reconciling and Stalled by kstatus, and what else holds."),
        Distinct("type"),
    ] = ()
