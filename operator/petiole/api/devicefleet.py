"""``DeviceFleet``: which devices take a model, and how carefully."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .base import ApiModel, Condition, Events, Name, PositiveDuration
from .rollout import Rollout

Kind = Literal["Model", "Firmware"]
LabelValue = Annotated[str, Field(max_length=63)]


class Selector(ApiModel):
    """Devices by their labels."""

    match_labels: Annotated[dict[str, LabelValue], Field(min_length=1, max_length=8)]


class ModelRef(ApiModel):
    """The TinyModel in the same namespace; ``Latest`` follows it, a number pins a version."""

    name: Name
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | Literal["Latest"] = "Latest"


class FirmwareRef(ApiModel):
    """A signed bundle of `petiole firmware sign`: a path in the operator's store, or a URI."""

    uri: Annotated[str, Field(min_length=1, max_length=1024)]


class DriftPolicy(ApiModel):
    """How often a false drift alarm is acceptable, whatever the interval and the fleet's size."""

    false_alarms_per_year: Annotated[int, Field(ge=1, le=365)] = 1
    baseline: Annotated[
        PositiveDuration | None,
        Field(
            description="What the field is like is learned for so long before it is judged, and "
            "for 6 intervals at least: a day where light comes and goes by the day."
        ),
    ] = None


class Monitoring(ApiModel):
    """What devices report, and how often."""

    interval: PositiveDuration = "15m"
    samples_per_day: Annotated[int, Field(ge=0, le=10_000)] = 5
    drift: DriftPolicy = DriftPolicy()


class DeviceFleetSpec(ApiModel):
    """Desired state of a DeviceFleet."""

    selector: Selector
    model: ModelRef
    firmware: Annotated[
        FirmwareRef | None, Field(description="Goes out before the model, in the same stages.")
    ] = None
    rollout: Rollout
    monitoring: Monitoring = Monitoring()
    events: Events | None = None


class RevisionStatus(ApiModel):
    """Versions of the model, or numbers of bundles: the one wanted and the one that is proven."""

    target: int = 0
    stable: int = 0
    failed: Annotated[int, Field(description="Last version that was taken back.")] = 0
    why: Annotated[str, Field(description="Why it was taken back, in words.")] = ""
    kept: Annotated[bool, Field(description="It goes no further, but who has it keeps it.")] = False


class ImageStatus(ApiModel):
    """One signed image; its digest names it in the store."""

    digest: str
    size: int


class FirmwareVariant(ApiModel):
    """The firmware for one board, linked for either slot."""

    target: str
    a: ImageStatus
    b: ImageStatus


class BundleStatus(ApiModel):
    """A firmware bundle that was wanted; the number rises by one with each."""

    number: int
    digest: Annotated[str, Field(description="SHA-256 of the bundle file.")]
    version: str
    variants: tuple[FirmwareVariant, ...]


class StageStatus(ApiModel):
    """The stage in progress."""

    index: int = 0
    name: str = ""
    limit: Annotated[int, Field(description="Devices allowed so far.")] = 0
    started_at: datetime | None = None
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

    total: int = 0
    pending: int = 0
    offered: int = 0
    downloading: int = 0
    trial: int = 0
    ready: Annotated[int, Field(description="Downloaded; wait for an apply window.")] = 0
    updated: int = 0
    failed: int = 0
    reverted: int = 0
    silent: int = 0
    ineligible: int = 0


class GateStatus(ApiModel):
    """What a gate knows. Numbers are strings for people; the gateway keeps the evidence."""

    name: str
    verdict: Literal["Pass", "Fail", "Continue", "NotApplicable"]
    estimate: str = ""
    interval: str = ""
    message: str = ""


class Waiting(ApiModel):
    """Why nothing moves right now."""

    reason: str
    message: str
    since: datetime
    until: datetime | None = None


class DriftStatus(ApiModel):
    """Whether the field still looks as it did."""

    state: Literal["Unknown", "Stable", "Drifted"] = "Unknown"
    detected_at: datetime | None = None
    since: Annotated[
        datetime | None,
        Field(description="When what alarmed began to move, as far as can be told."),
    ] = None
    version: int = 0
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
    message: str = ""


class HistoryEntry(ApiModel):
    """One finished rollout."""

    kind: Kind = "Model"
    revision: int
    result: Literal["Promoted", "Reverted", "Superseded", "Paused", "Kept"]
    started_at: datetime
    finished_at: datetime
    exposed: int
    updated: int
    reverted: int
    message: str = ""


class DeviceFleetStatus(ApiModel):
    """Observed state of a DeviceFleet."""

    observed_generation: int = 0
    message: str = ""
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
    bundles: Annotated[tuple[BundleStatus, ...], Field(max_length=16)] = ()
    mode: Literal["Idle", "Rolling", "Reverting", "Paused"] = "Idle"
    started_at: datetime | None = None
    stage: StageStatus = StageStatus()
    counts: Counts = Counts()
    gave_up: Annotated[
        int, Field(description="Devices that gave up the stable revision of the other kind.")
    ] = 0
    exposed: int = 0
    gates: tuple[GateStatus, ...] = ()
    waiting_for: Waiting | None = None
    drift: DriftStatus = DriftStatus()
    samples: int = 0
    history: Annotated[tuple[HistoryEntry, ...], Field(max_length=20)] = ()
    conditions: tuple[Condition, ...] = ()

    list_map_keys: ClassVar[dict[str, str]] = {"conditions": "type", "gates": "name"}
