"""Every rule between fields of a DeviceFleet, kept and broken."""

from __future__ import annotations

from .examples import DEVICE_FLEET
from .limits import MISSING, Path
from .rules import RuleCase

RAMP = ("spec", "rollout", "ramp")
STAGES = ("spec", "rollout", "stages")
OUTCOME = ("spec", "rollout", "gates", 0)
METRIC = ("spec", "rollout", "gates", 1)
LATENCY = ("spec", "rollout", "gates", 2)
SHARE = ("spec", "rollout", "gates", 3)
SAME = {"name": "same", "metric": "Disagreement", "test": {"max": "10%"}}
FALSE_STOP = ("spec", "rollout", "falseStop")
FREEZE = ("spec", "rollout", "windows", "freeze", 0)
MATCH_LABELS = ("spec", "selector", "matchLabels")


def percent_case(gate: Path, name: str, message: str, *bad: str) -> list[RuleCase]:
    number = gate[-1]
    path = (*gate, "test", name)
    where = f"spec.rollout.gates[{number}].test.{name}"
    return [RuleCase("DeviceFleet", message, where, {path: "2%"}, {path: value}) for value in bad]


def stage(name: str, size: int | str) -> dict[str, int | str]:
    return {"name": name, "size": size}


FULL = stage("all", "100%")
RULES = [
    RuleCase(
        "DeviceFleet", "metadata.name must have", "", {("metadata", "name"): "n" * 63},
        {("metadata", "name"): "n" * 64},
    ),
    RuleCase(
        "DeviceFleet", "the last stage must have size 100%", "spec.rollout.stages",
        {STAGES: [FULL]}, {STAGES: [stage("canary", 5), stage("all", "99%")]},
    ),
    RuleCase(
        "DeviceFleet", "the last stage must have size 100%", "spec.rollout.stages",
        {STAGES: [stage("all", 5), FULL | {"name": "x"}]}, {STAGES: [stage("all", 5)]},
    ),
    RuleCase(
        "DeviceFleet", "a stage must not be smaller", "spec.rollout.stages",
        {STAGES: [stage("a", 5), stage("b", 5), stage("c", 6), FULL]},
        {STAGES: [stage("a", 5), stage("b", 6), stage("c", 5), FULL]},
    ),
    RuleCase(
        "DeviceFleet", "a stage must not be smaller", "spec.rollout.stages",
        {STAGES: [stage("a", "9.5%"), stage("b", "10%"), FULL]},
        {STAGES: [stage("a", "10%"), stage("b", "9.5%"), FULL]},
    ),
    RuleCase(
        "DeviceFleet", "give exactly one of outcome and metric", "spec.rollout.gates[0]",
        {OUTCOME: DEVICE_FLEET["spec"]["rollout"]["gates"][0]},
        {(*OUTCOME, "metric"): "ConfidenceMean", (*OUTCOME, "baseline"): "ConcurrentControl"},
    ),
    RuleCase(
        "DeviceFleet", "give exactly one of outcome and metric", "spec.rollout.gates[0]",
        {(*OUTCOME, "name"): "other"}, {OUTCOME: {"name": "neither", "test": {}}},
    ),
    RuleCase(
        "DeviceFleet", "an outcome gate needs test.good and test.bad", "spec.rollout.gates[0].test",
        {(*OUTCOME, "test"): {"good": "1%", "bad": "2%"}}, {(*OUTCOME, "test"): {"good": "1%"}},
    ),
    RuleCase(
        "DeviceFleet", "baseline is for", "spec.rollout.gates[1].baseline",
        {(*METRIC, "name"): "other"},
        {METRIC: {"name": "m", "metric": "ConfidenceMean", "test": {"maxDrop": "5%"}}},
    ),
    RuleCase(
        "DeviceFleet", "a gate on ConfidenceMean needs test.maxDrop", "spec.rollout.gates[1].test",
        {(*METRIC, "test"): {"maxDrop": "5%"}}, {(*METRIC, "test"): {"alpha": "5%"}},
    ),
    RuleCase(
        "DeviceFleet", "good must be below bad", "spec.rollout.gates[0].test.good",
        {(*OUTCOME, "test", "good"): "9.99%"}, {(*OUTCOME, "test", "good"): "10%"},
    ),
    *percent_case(OUTCOME, "good", "good must be above 0% and below 100%", "0%"),
    *percent_case(OUTCOME, "bad", "bad must be above 0% and below 100%", "0%", "100%"),
    *percent_case(OUTCOME, "alpha", "alpha must be above 0% and below 50%", "0%", "50%"),
    *percent_case(OUTCOME, "beta", "beta must be above 0% and below 50%", "0.00%", "50%"),
    *percent_case(METRIC, "maxDrop", "maxDrop must be above 0%", "0%"),
    *percent_case(LATENCY, "maxRise", "maxRise must be above 0%", "0%"),
    RuleCase(
        "DeviceFleet", "a gate on LatencyMean needs test.maxRise", "spec.rollout.gates[2].test",
        {(*LATENCY, "test"): {"maxRise": "100%"}}, {(*LATENCY, "test"): {"maxDrop": "5%"}},
    ),
    RuleCase(
        "DeviceFleet", "a gate on Disagreement needs test.max", "spec.rollout.gates[3].test",
        {(*SHARE, "test"): {"max": "99%"}}, {(*SHARE, "test"): {"maxDrop": "5%"}},
    ),
    RuleCase(
        "DeviceFleet", "baseline is for", "spec.rollout.gates[3].baseline",
        {(*SHARE, "name"): "other"}, {(*SHARE, "baseline"): "ConcurrentControl"},
    ),
    RuleCase(
        "DeviceFleet", "a gate on Disagreement needs shadow", "spec.rollout.gates",
        {("spec", "rollout"): {"stages": [FULL], "gates": [SAME], "shadow": {}}},
        {("spec", "rollout"): {"stages": [FULL], "gates": [SAME]}},
    ),
    *percent_case(SHARE, "max", "max must be above 0% and below 100%", "0%", "100%"),
    RuleCase(
        "DeviceFleet", "give exactly one of stages and ramp", "spec.rollout",
        {("spec", "rollout"): {"ramp": {}}}, {RAMP: {}},
    ),
    RuleCase(
        "DeviceFleet", "give exactly one of stages and ramp", "spec.rollout",
        {("spec", "rollout"): {"stages": [FULL]}}, {("spec", "rollout"): {}},
    ),
    RuleCase(
        "DeviceFleet", "falseStop must be above 0% and below 50%", "spec.rollout.falseStop",
        {FALSE_STOP: "49.99%"}, {FALSE_STOP: "0%"},
    ),
    RuleCase(
        "DeviceFleet", "falseStop must be above 0% and below 50%", "spec.rollout.falseStop",
        {FALSE_STOP: "0.01%"}, {FALSE_STOP: "50%"},
    ),
    RuleCase(
        "DeviceFleet", "first must not be after last", "spec.rollout.windows.freeze[0].first",
        {(*FREEZE, "first"): "2027-01-06"}, {(*FREEZE, "first"): "2027-01-07"},
    ),
    RuleCase(
        "DeviceFleet", "first must not be after last", "spec.rollout.windows.freeze[0]",
        {(*FREEZE, "last"): "2028-02-29"}, {(*FREEZE, "last"): "2027-02-29"},
    ),
    RuleCase(
        "DeviceFleet", "size must be above 0%", "spec.rollout.stages[0].size",
        {(*STAGES, 0, "size"): "0.01%"}, {(*STAGES, 0, "size"): "0.00%"},
    ),
    RuleCase(
        "DeviceFleet", "model.name is immutable", "spec.model.name",
        {("spec", "model", "version"): 3}, {("spec", "model", "name"): "other"}, update=True,
    ),
    *(
        RuleCase(
            "DeviceFleet", "labels have names of 1 to 63 characters", "spec.selector.matchLabels",
            {MATCH_LABELS: {"k" * 63: "v"}}, {MATCH_LABELS: {name: "v"}},
        )
        for name in ("", "k" * 64)
    ),
    *(
        RuleCase(
            "DeviceFleet", "test must hold only what its gate asks",
            f"spec.rollout.gates[{number}].test",
            {}, {("spec", "rollout", "gates", number, "test", name): "2%"},
        )
        for number, names in enumerate((
            ("maxDrop", "maxRise", "max"),
            ("good", "bad", "maxRise", "max"),
            ("good", "bad", "maxDrop", "max"),
            ("good", "bad", "maxDrop", "maxRise"),
        ))
        for name in names
    ),
    RuleCase(
        "DeviceFleet", "baseline is for", "spec.rollout.gates[0]",
        {}, {(*OUTCOME, "baseline"): "ConcurrentControl"},
    ),
    RuleCase(
        "DeviceFleet", "baseline is for", "spec.rollout.gates[2].baseline",
        {}, {(*LATENCY, "baseline"): MISSING},
    ),
]  # fmt: skip
