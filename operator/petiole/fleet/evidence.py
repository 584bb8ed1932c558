"""What the gates are judged by, gathered from the devices of one fleet. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, variance

from petiole.api.rollout import Gate
from petiole.rollout.plan import Arm, Evidence, Plan

from .devices import Device
from .member import Member
from .standing import variant_for

MIN_INFERENCES = 20  # a device with fewer says nothing yet
FULL_SCALE = 255.0  # one unit of confidence on the wire is 1/255


def stage_mark(plan: Plan) -> str:
    """Names the stage of a rollout; empty without one."""
    if plan.target is None or plan.stage is None:
        return ""
    started = plan.stage.started_at.isoformat()
    return f"{plan.fleet}/{plan.target.number}/{plan.stage.index}/{started}"


def look(plan: Plan, now: float) -> int:
    """Whole monitoring intervals since the stage began."""
    if plan.stage is None:
        return 0
    passed = now - plan.stage.started_at.timestamp()
    return max(0, math.floor(passed / plan.interval_seconds))


def confidence(
    gate: Gate,
    plan: Plan,
    members: Mapping[str, Member],
    devices: Iterable[Device],
    look_: int,
) -> Evidence:
    """Mean confidence of each device on the target, against those on the stable revision.

    Canaries count since they began to run the target, controls since the stage began.
    """
    canaries: list[float] = []
    controls: list[float] = []
    mark = stage_mark(plan)
    for device in devices:
        state = device.state
        target, stable = variant_for(plan.target, state), variant_for(plan.stable, state)
        exposed = members[device.id].exposed
        if state is None or state.active is None:
            continue
        if target is not None and state.active == target.digest:
            _add(canaries, _since_activation(device, target.digest))
        elif stable is not None and state.active == stable.digest and not exposed:
            _add(controls, _since_mark(device, stable.digest, mark))
    return Evidence(gate=gate.name, look=look_, canary=_arm(canaries), control=_arm(controls))


def _since_activation(device: Device, digest: str) -> float | None:
    tally = device.tallies.get(digest)
    if tally is None or tally.count < MIN_INFERENCES:
        return None
    return tally.confidence_sum / tally.count / FULL_SCALE


def _since_mark(device: Device, digest: str, mark: str) -> float | None:
    tally = device.tallies.get(digest)
    if tally is None or tally.mark != mark:
        return None
    count = tally.count - tally.mark_count
    if count < MIN_INFERENCES:
        return None
    return (tally.confidence_sum - tally.mark_sum) / count / FULL_SCALE


def _add(values: list[float], value: float | None) -> None:
    if value is not None:
        values.append(value)


def _arm(means: Sequence[float]) -> Arm:
    return Arm(
        devices=len(means),
        mean=fmean(means) if means else 0.0,
        variance=variance(means) if len(means) > 1 else 0.0,
    )
