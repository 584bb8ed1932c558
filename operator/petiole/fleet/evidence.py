"""What the gates are judged by, gathered from the devices of one fleet. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, variance

from petiole.api.rollout import Gate
from petiole.rollout.plan import Arm, Evidence, Plan, Stratum
from petiole.rollout.shares import WHOLE
from petiole.wire.messages import State

from .devices import Device
from .member import Member
from .standing import running, variant_for
from .windows import Tally

MIN_INFERENCES = 20  # a device with fewer says nothing yet
FULL_SCALE = 255.0  # one unit of confidence on the wire is 1/255


def stage_mark(plan: Plan) -> str:
    """Names the stage of a rollout; empty without one."""
    if plan.target is None or plan.stage is None:
        return ""
    started = plan.stage.started_at.isoformat()
    return f"{plan.fleet}/{plan.target.name}/{plan.stage.index}/{started}"


def target_mark(plan: Plan) -> str:
    """Name the time since a device runs the target firmware: its model's statistics just go on."""
    return f"{plan.fleet}/{plan.target.name}" if plan.target is not None else ""


def mark(plan: Plan, state: State, digest: str) -> str:
    """Name the stretch of time that statistics of the model ``digest`` are for; empty for none."""
    runs = digest if plan.kind == "Model" else running(plan.kind, state)
    target, stable = variant_for(plan.target, state), variant_for(plan.stable, state)
    if plan.kind == "Firmware" and target is not None and target.has(runs):
        return target_mark(plan)
    return stage_mark(plan) if stable is not None and stable.has(runs) else ""


def look(plan: Plan, now: float) -> int:
    """Whole monitoring intervals since the stage began."""
    if plan.stage is None:
        return 0
    passed = now - plan.stage.started_at.timestamp()
    return max(0, math.floor(passed / plan.interval_seconds))


def gathered(
    gate: Gate,
    plan: Plan,
    members: Mapping[str, Member],
    devices: Iterable[Device],
    look_: int,
) -> Evidence:
    """Return what a metric gate is judged by."""
    if gate.metric == "Disagreement":
        return disagreements(gate, plan, devices)
    return means(gate, plan, members, devices, look_)


def disagreements(gate: Gate, plan: Plan, devices: Iterable[Device]) -> Evidence:
    """Share of inputs on which the target disagreed, of each device that has compared enough.

    A device counts once its shadow run is whole, so that each look sees the same number.
    """
    shares: Counter[int] = Counter()
    number = 0
    for device in devices:
        number += 1
        variant = variant_for(plan.target, device.state)
        run = None if variant is None else device.shadow(variant.digest)
        if run is not None and run.count >= max(plan.shadow, 1):
            shares[round(run.disagreed * WHOLE / run.count)] += 1
    return Evidence(gate=gate.name, look=0, shares=dict(sorted(shares.items())), devices=number)


def means(
    gate: Gate,
    plan: Plan,
    members: Mapping[str, Member],
    devices: Iterable[Device],
    look_: int,
) -> Evidence:
    """Mean of the gate's metric on each device with the target, against those on the stable one.

    By kind of hardware. Canaries count since they began to run the target, controls since the stage
    began. Confidence in full scale, latency in microseconds.
    """
    since_stage = stage_mark(plan)
    since_active = None if plan.kind == "Model" else target_mark(plan)
    canaries: defaultdict[str, list[float]] = defaultdict(list)
    controls: defaultdict[str, list[float]] = defaultdict(list)
    for device in devices:
        state = device.state
        if state is None or state.active is None:
            continue
        target, stable = variant_for(plan.target, state), variant_for(plan.stable, state)
        exposed, hardware = members[device.id].exposed, state.caps.target
        runs = running(plan.kind, state)
        if target is not None and target.has(runs):
            canaries[hardware] += _seen(gate, device, state.active, since_active)
        elif stable is not None and stable.has(runs) and not exposed:
            controls[hardware] += _seen(gate, device, state.active, since_stage)
    strata = tuple(
        Stratum(hardware=kind, canary=_arm(canaries[kind]), control=_arm(controls[kind]))
        for kind in sorted({*canaries, *controls})
    )
    stage = plan.stage.index if plan.stage else 0
    return Evidence(gate=gate.name, look=look_, stage=stage, strata=strata)


def _seen(gate: Gate, device: Device, digest: str, since: str | None) -> list[float]:
    """Return its mean with the model ``digest`` since that mark, or of all time; empty: none."""
    tally = device.tallies.get(digest)
    if tally is None or (since is not None and tally.mark != since):
        return []
    before = (0, 0, 0) if since is None else (tally.mark_count, tally.mark_sum, tally.mark_latency)
    mean = _mean(gate, tally, *before)
    return [] if mean is None else [mean]


def _mean(
    gate: Gate, tally: Tally, count: int, confidence_sum: int, latency_sum: int
) -> float | None:
    """Mean over what came after the given counts; None of a device that says nothing (yet)."""
    inferences = tally.count - count
    if inferences < MIN_INFERENCES:
        return None
    if gate.metric == "ConfidenceMean":
        return (tally.confidence_sum - confidence_sum) / inferences / FULL_SCALE
    latency = tally.latency_sum - latency_sum
    return latency / inferences if latency > 0 else None  # its firmware may not measure it


def _arm(values: Sequence[float]) -> Arm:
    mean = fmean(values) if values else 0.0
    return Arm(
        devices=len(values),
        mean=mean,
        variance=variance(values) if len(values) > 1 else 0.0,
        third_moment=fmean((v - mean) ** 3 for v in values) if values else 0.0,
    )
