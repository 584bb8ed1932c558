"""``DeviceFleet``: which devices take a model, and how carefully."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .base import ApiModel, Condition, Duration, Name, Percent, PositiveDuration, Rule

_MAX_STAGES = 16

StageSize = Annotated[
    Annotated[int, Field(ge=1, le=10_000_000)] | Percent,
    Field(description="Devices in all, as a number or percent."),
]
LabelValue = Annotated[str, Field(max_length=63)]


def _percent(field: str) -> str:
    """CEL for the number in a percent string."""
    return f"double({field}.replace('%', ''))"


def _percent_between(field: str, low: int, high: int) -> str:
    """CEL: the field is absent or strictly between the two."""
    number = _percent(f"self.{field}")
    return f"!has(self.{field}) || ({number} > {low}.0 && {number} < {high}.0)"


def _grows() -> str:
    """CEL: no stage is smaller than the one before it, where both are of the same kind.

    The indices are written out because plain CEL loops over values only.
    """
    a, b = "self.stages[i].size", "self.stages[i + 1].size"
    numbers = f"type({a}) == int && type({b}) == int && {a} > {b}"
    percents = (
        f"type({a}) == string && type({b}) == string"
        f" && {_percent(f'string({a})')} > {_percent(f'string({b})')}"
    )
    indices = list(range(_MAX_STAGES - 1))
    return f"{indices}.all(i, i + 1 >= size(self.stages) || !({numbers} || {percents}))"


class Selector(ApiModel):
    """Devices by their labels."""

    match_labels: Annotated[dict[str, LabelValue], Field(min_length=1, max_length=8)]


class ModelRef(ApiModel):
    """The TinyModel in the same namespace; ``Latest`` follows it, a number pins a version."""

    name: Name
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | Literal["Latest"] = "Latest"


class Stage(ApiModel):
    """A cumulative share of the fleet. The last stage is ``100%``."""

    name: Name
    size: StageSize
    soak: Duration = "0s"


class GateTest(ApiModel):
    """Error rates of a sequential test.

    A binary outcome needs ``good`` and ``bad`` (failure rates); a metric needs ``maxDrop``.
    """

    good: Percent | None = None
    bad: Percent | None = None
    max_drop: Percent | None = None
    alpha: Percent = "5%"
    beta: Percent = "5%"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(_percent_between("good", 0, 100), "good must be above 0% and below 100%", ".good"),
        Rule(_percent_between("bad", 0, 100), "bad must be above 0% and below 100%", ".bad"),
        Rule(_percent_between("maxDrop", 0, 100), "maxDrop must be above 0%", ".maxDrop"),
        Rule(_percent_between("alpha", 0, 50), "alpha must be above 0% and below 50%", ".alpha"),
        Rule(_percent_between("beta", 0, 50), "beta must be above 0% and below 50%", ".beta"),
        Rule(
            "!has(self.good) || !has(self.bad)"
            f" || {_percent('self.good')} < {_percent('self.bad')}",
            "good must be below bad: a failure rate to accept and one to refuse",
            ".good",
        ),
    )


class Gate(ApiModel):
    """One question a stage must answer before the next begins."""

    name: Name
    outcome: Literal["Confirmed"] | None = None
    metric: Literal["ConfidenceMean"] | None = None
    baseline: Literal["ConcurrentControl"] | None = None
    test: GateTest

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.outcome) != has(self.metric)", "give exactly one of outcome and metric"),
        Rule(
            "!has(self.outcome) || (has(self.test.good) && has(self.test.bad))",
            "an outcome gate needs test.good and test.bad",
            ".test",
        ),
        Rule(
            "!has(self.metric) || has(self.baseline)",
            "a metric gate needs baseline",
            ".metric",
        ),
        Rule(
            "!has(self.metric) || has(self.test.maxDrop)",
            "a metric gate needs test.maxDrop",
            ".test",
        ),
    )


class Pace(ApiModel):
    """How fast devices may begin."""

    max_in_flight: Annotated[int, Field(ge=1, le=100_000)] = 500


class Rollout(ApiModel):
    """How carefully a revision goes out."""

    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=_MAX_STAGES)]
    pace: Pace = Pace()
    gates: Annotated[tuple[Gate, ...], Field(max_length=8)] = ()
    on_failure: Literal["Revert", "Pause", "Keep"] = "Revert"
    on_inconclusive: Literal["Pause", "Proceed"] = "Pause"
    no_report_after: PositiveDuration = "30m"
    progress_deadline: PositiveDuration = "24h"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.stages[size(self.stages) - 1].size == '100%'",
            "the last stage must have size 100%",
            ".stages",
        ),
        Rule(_grows(), "a stage must not be smaller than the one before it", ".stages"),
    )
    list_map_keys: ClassVar[dict[str, str]] = {"stages": "name", "gates": "name"}


class DriftPolicy(ApiModel):
    """How often a false drift alarm is acceptable."""

    false_alarms_per_year: Annotated[int, Field(ge=1, le=365)] = 1


class Monitoring(ApiModel):
    """What devices report, and how often."""

    interval: PositiveDuration = "15m"
    samples_per_day: Annotated[int, Field(ge=0, le=10_000)] = 5
    drift: DriftPolicy = DriftPolicy()


class DeviceFleetSpec(ApiModel):
    """Desired state of a DeviceFleet."""

    selector: Selector
    model: ModelRef
    rollout: Rollout
    monitoring: Monitoring = Monitoring()


class RevisionStatus(ApiModel):
    """Model versions: the one wanted and the one that is proven."""

    target: int = 0
    stable: int = 0
    failed: Annotated[int, Field(description="Last version that was taken back.")] = 0


class StageStatus(ApiModel):
    """The stage in progress."""

    index: int = 0
    name: str = ""
    limit: Annotated[int, Field(description="Devices allowed so far.")] = 0
    started_at: datetime | None = None
    complete_at: Annotated[
        datetime | None, Field(description="When its last device had answered; soak starts here.")
    ] = None


class Counts(ApiModel):
    """Devices by where they stand with the target revision. The fields sum to ``total``."""

    total: int = 0
    pending: int = 0
    offered: int = 0
    downloading: int = 0
    trial: int = 0
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
    """Whether the field still looks like the reference."""

    state: Literal["Unknown", "Stable", "Drifted"] = "Unknown"
    detected_at: datetime | None = None
    version: int = 0
    score: str = ""
    message: str = ""


class HistoryEntry(ApiModel):
    """One finished rollout."""

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
    serial: Annotated[int, Field(description="Serial number of the plan given to the gateway.")] = 0
    plan_hash: Annotated[
        str, Field(max_length=64, description="Of the plan's content; the serial rises with it.")
    ] = ""
    revision: RevisionStatus = RevisionStatus()
    mode: Literal["Idle", "Rolling", "Reverting", "Paused"] = "Idle"
    started_at: datetime | None = None
    stage: StageStatus = StageStatus()
    counts: Counts = Counts()
    exposed: int = 0
    gates: tuple[GateStatus, ...] = ()
    waiting_for: Waiting | None = None
    drift: DriftStatus = DriftStatus()
    samples: int = 0
    history: Annotated[tuple[HistoryEntry, ...], Field(max_length=20)] = ()
    conditions: tuple[Condition, ...] = ()

    list_map_keys: ClassVar[dict[str, str]] = {"conditions": "type", "gates": "name"}
