"""The ``rollout`` section of a DeviceFleet: how carefully a revision goes out."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictInt, StringConstraints

from .base import ApiModel, Distinct, Duration, Name, Percent, PositiveDuration, Rule

_MAX_STAGES = 16
CRON_PATTERN = r"^[0-9*,/A-Za-z#-]+( [0-9*,/A-Za-z#-]+){4}$"
DAY_PATTERN = r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}$"

LabelName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$", max_length=63)
]
Day = Annotated[str, StringConstraints(pattern=DAY_PATTERN, max_length=10)]

StageSize = Annotated[
    Annotated[StrictInt, Field(ge=1, le=10_000_000)] | Percent,
    Field(description="Devices of this stage and all before it, as a number or percent."),
]


def _percent(field: str) -> str:
    """CEL for the number in a percent string."""
    return f"double({field}.replace('%', ''))"


def _percent_between(field: str, low: int, high: int) -> str:
    """CEL: the field is absent or strictly between the two."""
    number = _percent(f"self.{field}")
    return f"!has(self.{field}) || ({number} > {low}.0 && {number} < {high}.0)"


def _midnight(field: str) -> str:
    """CEL for the time when a day begins; an error, which refuses too, for no calendar's day."""
    return f"timestamp(self.{field} + 'T00:00:00Z')"


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


class Stage(ApiModel):
    """A cumulative share of the fleet. The last stage is ``100%``."""

    name: Annotated[Name, Field(description="What status and messages call it.")]
    size: StageSize
    soak: Annotated[
        Duration, Field(description="How long gates watch it once its devices have answered.")
    ] = "0s"
    approval: Annotated[
        Literal["Auto", "Manual"],
        Field(description="Manual: the stage begins only after `petiole resume`."),
    ] = "Auto"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"type(self.size) == int || {_percent('string(self.size)')} > 0.0",
            "size must be above 0%",
            ".size",
        ),
    )


class Ramp(ApiModel):
    """Stages that grow by a factor until the whole fleet has the revision."""

    start: Annotated[
        StrictInt, Field(ge=1, le=100_000, description="Devices of the first stage.")
    ] = 10
    factor: Annotated[
        StrictInt, Field(ge=2, le=100, description="Times as many devices as the stage before.")
    ] = 2
    soak: Annotated[Duration, Field(description="How long gates watch every stage.")] = "0s"


class GateTest(ApiModel):
    """Error rates of a sequential test.

    A binary outcome needs ``good`` and ``bad`` (failure rates), ConfidenceMean ``maxDrop`` (of full
    scale), LatencyMean ``maxRise`` (of the control's mean), Disagreement ``max`` (of all inputs).
    """

    good: Annotated[
        Percent | None, Field(description="Failure rate of a revision that shall pass.")
    ] = None
    bad: Annotated[
        Percent | None, Field(description="Failure rate of a revision that shall be stopped.")
    ] = None
    max_drop: Annotated[
        Percent | None, Field(description="Fall that is allowed, of full scale.")
    ] = None
    max_rise: Annotated[
        Percent | None, Field(description="Rise that is allowed, of the control's mean.")
    ] = None
    max: Annotated[
        Percent | None, Field(description="Share of inputs on which the two models may differ.")
    ] = None
    alpha: Annotated[Percent, Field(description="How often a good revision may be stopped.")] = "5%"
    beta: Annotated[Percent, Field(description="How often a bad revision may pass.")] = "5%"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(_percent_between("good", 0, 100), "good must be above 0% and below 100%", ".good"),
        Rule(_percent_between("bad", 0, 100), "bad must be above 0% and below 100%", ".bad"),
        Rule(_percent_between("maxDrop", 0, 100), "maxDrop must be above 0%", ".maxDrop"),
        Rule(_percent_between("maxRise", 0, 101), "maxRise must be above 0%", ".maxRise"),
        Rule(_percent_between("max", 0, 100), "max must be above 0% and below 100%", ".max"),
        Rule(_percent_between("alpha", 0, 50), "alpha must be above 0% and below 50%", ".alpha"),
        Rule(_percent_between("beta", 0, 50), "beta must be above 0% and below 50%", ".beta"),
        Rule(
            "!has(self.good) || !has(self.bad)"
            f" || {_percent('self.good')} < {_percent('self.bad')}",
            "good must be below bad: a failure rate to accept and one to refuse",
            ".good",
        ),
    )


_ASKED = {
    "good": "has(self.outcome)",
    "bad": "has(self.outcome)",
    "maxDrop": "has(self.metric) && self.metric == 'ConfidenceMean'",
    "maxRise": "has(self.metric) && self.metric == 'LatencyMean'",
    "max": "has(self.metric) && self.metric == 'Disagreement'",
}


def _only(name: str, asked: str) -> str:
    """CEL: the test has this field in gates only that ask for it."""
    return f"(!has(self.test.{name}) || {asked})"


class Gate(ApiModel):
    """One question a stage must answer before the next begins."""

    name: Annotated[Name, Field(description="What status and messages call it.")]
    outcome: Annotated[
        Literal["Confirmed", "SelfTest", "Alive"] | None,
        Field(
            description="Confirmed: kept the revision. SelfTest: golden vectors and trial held. "
            "Alive: still reports when the stage has soaked."
        ),
    ] = None
    metric: Annotated[
        Literal["ConfidenceMean", "Disagreement", "LatencyMean"] | None,
        Field(
            description="ConfidenceMean, LatencyMean: canaries against devices on the stable "
            "revision. Disagreement: a device's new model against its own, in the shadow run."
        ),
    ] = None
    baseline: Annotated[
        Literal["ConcurrentControl"] | None, Field(description="Whom canaries are compared with.")
    ] = None
    test: Annotated[GateTest, Field(description="What is good, what is bad, and how sure to be.")]

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.outcome) != has(self.metric)", "give exactly one of outcome and metric"),
        Rule(
            "!has(self.outcome) || (has(self.test.good) && has(self.test.bad))",
            "an outcome gate needs test.good and test.bad",
            ".test",
        ),
        Rule(
            "has(self.baseline) == (has(self.metric) && self.metric != 'Disagreement')",
            "baseline is for ConfidenceMean and LatencyMean, which need it",
            ".baseline",
        ),
        Rule(
            "!has(self.metric) || self.metric != 'ConfidenceMean' || has(self.test.maxDrop)",
            "a gate on ConfidenceMean needs test.maxDrop",
            ".test",
        ),
        Rule(
            "!has(self.metric) || self.metric != 'LatencyMean' || has(self.test.maxRise)",
            "a gate on LatencyMean needs test.maxRise",
            ".test",
        ),
        Rule(
            "!has(self.metric) || self.metric != 'Disagreement' || has(self.test.max)",
            "a gate on Disagreement needs test.max",
            ".test",
        ),
        Rule(
            " && ".join(_only(name, asked) for name, asked in _ASKED.items()),
            "test must hold only what its gate asks: good and bad of an outcome, maxDrop of "
            "ConfidenceMean, maxRise of LatencyMean, max of Disagreement",
            ".test",
        ),
    )


class Shadow(ApiModel):
    """A new model runs beside the current one before it may answer, and is compared with it."""

    inferences: Annotated[
        StrictInt,
        Field(ge=1, le=1_000_000, description="Inputs on which a device compares the two."),
    ] = 100


class Pace(ApiModel):
    """How fast devices may begin."""

    max_in_flight: Annotated[
        StrictInt, Field(ge=1, le=100_000, description="Devices between grant and answer at once.")
    ] = 500
    per_minute: Annotated[
        StrictInt | None,
        Field(ge=1, le=10_000_000, description="Devices that may begin in a minute."),
    ] = None


class Disruption(ApiModel):
    """How many devices of a group may be in flight; without the label: a group of its own."""

    group_by: Annotated[
        tuple[LabelName, ...],
        Field(min_length=1, max_length=4, description="Labels that devices of a group share."),
        Distinct(),
    ]
    max_unavailable: Annotated[
        StrictInt, Field(ge=1, le=100_000, description="Devices of a group in flight at once.")
    ]


class Window(ApiModel):
    """A recurring time: opens when the cron expression says so, for ``duration``."""

    cron: Annotated[
        str,
        StringConstraints(pattern=CRON_PATTERN, max_length=64),
        Field(description="When it opens: minute, hour, day of month, month, day of week."),
    ]
    time_zone: Annotated[
        str, Field(min_length=1, max_length=64, description="IANA name, such as Europe/Rome.")
    ] = "UTC"
    duration: Annotated[PositiveDuration, Field(description="How long it stays open.")]


class Freeze(ApiModel):
    """Whole days in which nothing begins, both included."""

    first: Annotated[
        Day, Field(description="The first day on which nothing begins, such as 2026-12-24.")
    ]
    last: Annotated[Day, Field(description="The last day on which nothing begins.")]
    time_zone: Annotated[
        str, Field(min_length=1, max_length=64, description="Where these days begin and end.")
    ] = "UTC"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"{_midnight('first')} <= {_midnight('last')}",
            "first must not be after last, and both must be days of the calendar",
            ".first",
        ),
    )


class Windows(ApiModel):
    """When devices may download and when they may switch. None given: always."""

    download: Annotated[
        tuple[Window, ...], Field(max_length=8, description="When devices may fetch.")
    ] = ()
    apply: Annotated[
        tuple[Window, ...], Field(max_length=8, description="When devices may switch over.")
    ] = ()
    freeze: Annotated[
        tuple[Freeze, ...], Field(max_length=16, description="Days on which nothing begins.")
    ] = ()


class Retries(ApiModel):
    """Failures that are worth another try, since they need not be the revision's fault."""

    limit: Annotated[StrictInt, Field(ge=1, le=10, description="Tries after the first.")] = 2
    backoff: Annotated[
        PositiveDuration, Field(description="Time before the first retry; doubles each time.")
    ] = "5m"
    reasons: Annotated[
        tuple[Literal["timeout", "digest-mismatch", "flash-error", "trial-expired"], ...],
        Field(
            min_length=1,
            max_length=4,
            description="Why a device failed that may try again. Default: timeout.",
        ),
        Distinct(),
    ] = ("timeout",)


class RollbackWindow(ApiModel):
    """How far back a revision counts as proven: it goes back without stages."""

    revisions: Annotated[
        StrictInt, Field(ge=1, le=10, description="Promoted ones before the stable one that may.")
    ]


class Rollout(ApiModel):
    """How carefully a revision goes out."""

    stages: Annotated[
        tuple[Stage, ...] | None,
        Field(
            min_length=1,
            max_length=_MAX_STAGES,
            description="Cumulative shares of the fleet, in order; or give `ramp`.",
        ),
        Distinct("name"),
    ] = None
    ramp: Ramp | None = None
    stratify_by: Annotated[
        tuple[LabelName, ...],
        Field(max_length=4, description="Every stage has its share of each value of these labels."),
        Distinct(),
    ] = ()
    cluster_by: Annotated[
        LabelName | None,
        Field(description="Failures of one value of this label weigh no more than all others."),
    ] = None
    pace: Pace = Pace()
    disruption: Disruption | None = None
    windows: Windows = Windows()
    shadow: Shadow | None = None
    gates: Annotated[
        tuple[Gate, ...],
        Field(max_length=8, description="What every stage must prove."),
        Distinct("name"),
    ] = ()
    false_stop: Annotated[
        Percent | None,
        Field(description="Bound on all gates together to stop a good revision."),
    ] = None
    retries: Retries | None = None
    on_failure: Annotated[
        Literal["Revert", "Pause", "Keep"],
        Field(
            description="What a failed gate does. Revert: exposed devices are put back. Pause: "
            "nobody goes on; who runs it keeps it. Keep: as Pause, and the rollout is over."
        ),
    ] = "Revert"
    on_inconclusive: Annotated[
        Literal["Pause", "Proceed"],
        Field(
            description="What a stage does that is past its deadline and undecided. Pause: nobody "
            "new begins. Proceed: the next stage does."
        ),
    ] = "Pause"
    no_report_after: Annotated[
        PositiveDuration, Field(description="A device that says nothing for so long is silent.")
    ] = "30m"
    progress_deadline: Annotated[
        PositiveDuration, Field(description="How long a stage may take, open windows counted only.")
    ] = "24h"
    rollback_window: RollbackWindow | None = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.stages) != has(self.ramp)", "give exactly one of stages and ramp"),
        Rule(
            "!has(self.stages) || self.stages[size(self.stages) - 1].size == '100%'",
            "the last stage must have size 100%",
            ".stages",
        ),
        Rule(
            f"!has(self.stages) || {_grows()}",
            "a stage must not be smaller than the one before it",
            ".stages",
        ),
        Rule(
            "has(self.shadow) || !has(self.gates)"
            " || !self.gates.exists(g, has(g.metric) && g.metric == 'Disagreement')",
            "a gate on Disagreement needs shadow",
            ".gates",
        ),
        Rule(
            _percent_between("falseStop", 0, 50),
            "falseStop must be above 0% and below 50%",
            ".falseStop",
        ),
    )
