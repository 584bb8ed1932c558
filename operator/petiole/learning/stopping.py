"""When to ask no more: each rule is a field of the spec, and says by which numbers it held."""

from __future__ import annotations

from collections.abc import Sequence

from petiole.api.base import fraction
from petiole.api.learning import Kappa, Plateau, Stopping
from petiole.api.tinymodel import CurvePoint, Stopped, Trigger

# Other rounds ask about a field that the frozen evaluation set knows nothing of: what the teacher
# reaches there says nothing about them.
_JUDGED_BY_ACCURACY = ("Initial", "DataChanged")


def stop(rules: Stopping, trigger: Trigger | None, points: Sequence[CurvePoint]) -> Stopped | None:
    """Return the first rule that holds after the newest of this round's teachers, oldest first."""
    if not points:
        return None
    found: Stopped | None = None
    if trigger in _JUDGED_BY_ACCURACY:
        found = _accuracy(rules.accuracy, points[-1]) or _plateau(rules.plateau, points)
    return found or _kappa(rules.kappa, points)


def budget(labels: int, target: int) -> Stopped:
    """Say that a round has all the labels that it may end with."""
    return Stopped(
        rule="Budget", labels=labels, message=f"{labels} labels of at most {target} are spent"
    )


def exhausted(labels: int) -> Stopped:
    """Say that no sample was left to ask about."""
    return Stopped(
        rule="PoolExhausted",
        labels=labels,
        message=f"the strategy found nothing to ask about beside {labels} labels",
    )


def _accuracy(wanted: str | None, newest: CurvePoint) -> Stopped | None:
    if wanted is None or fraction(newest.accuracy) < fraction(wanted):
        return None
    text = f"the teacher's accuracy is {newest.accuracy}, {wanted} was asked"
    return Stopped(rule="Accuracy", labels=newest.labels, message=text)


def _plateau(rule: Plateau | None, points: Sequence[CurvePoint]) -> Stopped | None:
    if rule is None or len(points) <= rule.batches:
        return None
    reached = [fraction(point.accuracy) for point in points]
    before, since = max(reached[: -rule.batches]), max(reached[-rule.batches :])
    if since - before >= fraction(rule.gain):
        return None
    text = (
        f"the teacher's accuracy rose from {100 * before:.2f}% to {100 * since:.2f}% in "
        f"{rule.batches} batches, less than {rule.gain}"
    )
    return Stopped(rule="Plateau", labels=points[-1].labels, message=text)


def _kappa(rule: Kappa | None, points: Sequence[CurvePoint]) -> Stopped | None:
    """M. Bloodgood and K. Vijay-Shanker, "A method for stopping active learning ...", 2009."""
    if rule is None:
        return None
    compared = [float(p.agreement[:-1]) / 100 for p in points[-rule.batches :] if p.agreement]
    if len(compared) < rule.batches:
        return None
    mean = sum(compared) / len(compared)
    if mean < fraction(rule.agreement):
        return None
    text = (
        f"the last {rule.batches} teachers agree with those before them by a kappa of "
        f"{100 * mean:.2f}%, {rule.agreement} was asked"
    )
    return Stopped(rule="Kappa", labels=points[-1].labels, message=text)
