"""What the evidence says about one gate: a verdict with stated error rates, in words and numbers.

Two kinds of gate exist. An *outcome* gate counts devices that took the revision or gave it up
(``outcome``). A *metric* gate compares the canaries with the devices that still run the stable
revision, at the same time (``means``), or on each device the new model with the one that answers
(``shares``).

Neither knows where the rollout stands. ``Continue`` means "not enough evidence yet"; whether more
can still come is the rollout's business. So is when to listen to ``Pass``: once a stage is
complete. ``Fail`` holds at any time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from petiole.api.base import fraction
from petiole.api.devicefleet import Kind
from petiole.api.rollout import Gate, Rollout

from .means import MIN_ARM, judge_mean
from .outcome import judge_outcome
from .plan import Evidence
from .shares import judge_share
from .verdict import Verdict

__all__ = ["MIN_ARM", "Verdict", "judge", "shared", "watching"]


def judge(gate: Gate, evidence: Evidence) -> Verdict:
    """Judge ``gate`` by all the evidence there is so far; ValueError when the gate lacks a rate."""
    if gate.outcome is not None:
        return judge_outcome(gate, evidence)
    if gate.metric == "Disagreement":
        return judge_share(gate, evidence)
    return judge_mean(gate, evidence)


def watching(rollout: Rollout, kind: Kind) -> tuple[Gate, ...]:
    """Return the gates that watch a rollout of ``kind``: no firmware runs beside another one."""
    gates = [g for g in rollout.gates if kind == "Model" or g.metric != "Disagreement"]
    return shared(gates, rollout.false_stop)


def shared(gates: Sequence[Gate], false_stop: str | None) -> tuple[Gate, ...]:
    """Return the gates with so little ``alpha`` each that all together keep to ``false_stop``.

    The chance that any gate stops a good revision is at most the sum of their alphas (Bonferroni),
    however the gates depend on each other. A sum above ``false_stop`` is scaled down, each gate by
    the same factor and none below 0.01 %; a smaller sum, or no bound, leaves them as they are.
    """
    if false_stop is None:
        return tuple(gates)
    bound, total = fraction(false_stop), math.fsum(fraction(g.test.alpha) for g in gates)
    if total <= bound:
        return tuple(gates)
    return tuple(_with_alpha(g, fraction(g.test.alpha) * bound / total) for g in gates)


def _with_alpha(gate: Gate, alpha: float) -> Gate:
    """Round down to what a percent string can say, so that the sum stays below its bound."""
    hundredths = max(1, math.floor(alpha * 10_000 + 1e-9))
    test = gate.test.model_copy(update={"alpha": f"{hundredths / 100:.2f}%"})
    return gate.model_copy(update={"test": test})
