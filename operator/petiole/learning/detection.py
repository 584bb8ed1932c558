"""Models without classes: whether a detector is good enough, and whether machines have moved.

Every target has to reach the F1 and keep to the false alarms that are asked, as its devices score,
on runs that nothing was learned or chosen from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from petiole.api.base import fraction
from petiole.api.tinymodel import TinyModelSpec, VersionStatus

from .judge import WRITTEN, Judgement, by_target, percent
from .observed import DriftAlarm

_NAMED = 3  # runs that a message names


def judge(
    spec: TinyModelSpec, document: Mapping[str, Any], field_version: VersionStatus | None
) -> Judgement:
    """Judge a ``candidate.json`` against the acceptance and the version it would replace.

    A target that is new in the spec has nothing to regress from.
    """
    variants = by_target(spec, document)
    if isinstance(variants, Judgement):
        return variants
    f1 = {name: float(variant["f1"]) for name, variant in variants.items()}
    asked = fraction(spec.acceptance.f1 or "100%")
    if low := [f"{name} {percent(share)}" for name, share in f1.items() if share < asked]:
        text = f"F1 of alarms {', '.join(low)}; {percent(asked)} is asked of every target"
        return Judgement(False, "F1TooLow", text)
    wrong = {name: float(variant["falseAlarms"]) for name, variant in variants.items()}
    most = fraction(spec.acceptance.false_alarms or "0%")
    if loud := [f"{name} {percent(share)}" for name, share in wrong.items() if share > most]:
        text = f"false alarms {', '.join(loud)}; at most {percent(most)} are accepted"
        return Judgement(False, "TooManyFalseAlarms", text)
    if worse := _regressions(spec, f1, field_version):
        text = f"{', '.join(worse)}; at most {spec.acceptance.max_regression} less is allowed"
        return Judgement(False, "Regressed", text)
    return Judgement(True)


def _regressions(
    spec: TinyModelSpec, f1: Mapping[str, float], field_version: VersionStatus | None
) -> list[str]:
    if field_version is None:
        return []
    allowed = fraction(spec.acceptance.max_regression)
    before = {v.target: fraction(v.f1) for v in field_version.variants if v.f1}
    return [
        f"F1 of {name} fell from {percent(before[name])} in version {field_version.version} "
        f"to {percent(share)}"
        for name, share in f1.items()
        if name in before and share < before[name] - allowed - WRITTEN
    ]


def moved(alarms: tuple[DriftAlarm, ...]) -> str:
    """Say that machines are no longer what their devices learned; empty when none is known to be.

    Of such a model drift is a change of the histogram of score levels: of a whole fleet's scores,
    not of one machine with a fault.
    """
    said = [f"{alarm.fleet}: {alarm.message}" for alarm in alarms]
    if not said:
        return ""
    return (
        f"{'; '.join(said)}. Either many machines are at fault, or the usual has moved since "
        "devices learned it: a new version makes each learn anew, which a machine at fault must not"
    )


def restless(document: Mapping[str, Any]) -> str:
    """Say of which runs the baseline moved while it was learned; empty when of none.

    Targets may have different detectors, and what is odd to one is odd.
    """
    runs = [run for variant in document.get("variants", ()) for run in variant.get("runs", ())]
    names = sorted({str(run["run"]) for run in runs if run.get("baselineDrifted")})
    count = len({str(run["run"]) for run in runs})
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (
        f"what is usual moved while it was learned in {len(names)} of "
        f"{count} runs: {', '.join(names[:_NAMED])}{more}; expect more false "
        "alarms on such machines, or let them learn for longer"
    )
