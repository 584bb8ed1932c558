"""Whoever ran a revision is counted as exposed, whatever was lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from petiole.api.devicefleet import Kind
from petiole.rollout.plan import Plan
from petiole.wire.messages import FirmwareState, Phase, State

from .world import World, revision, rolling


def back(state: State, kind: Kind, spare: str) -> State:
    """What a device says first after a trial that it was told to leave."""
    later = replace(state, seq=state.seq + 9, phase=Phase.CONFIRMED, target=None)
    if kind == "Model":
        return replace(later, standby=spare)
    assert state.firmware is not None
    return replace(later, firmware=FirmwareState(state.firmware.active, spare))


def taken_back(plan: Plan, *, crash: bool = False, known: bool = False) -> tuple[int, int]:
    """Exposed and reverted, when no report of a trial came but one of the end."""
    world, kind = World(plan), plan.kind
    world.add("a", {})
    variant = revision(2, kind).variants["m4"]
    target = variant.digest if variant.b is None else variant.b.digest
    device = world.devices["a"]
    assert device.state is not None
    if known:
        world.hear("a", back(device.state, kind, target))
    world.turns()
    assert device.grant is not None
    if crash:
        world.crash()
    device = world.devices["a"]
    assert device.state is not None
    world.put(mode="Reverting")
    world.turns()
    world.hear("a", back(device.state, kind, target))
    summary = world.turn().summary
    assert summary is not None
    return summary.exposed, summary.counts.reverted


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("kind", ["Model", "Firmware"])
def test_a_trial_is_counted_though_the_broker_lost_its_reports(kind: Kind, crash: bool) -> None:
    assert taken_back(rolling(2, 1, kind), crash=crash) == (1, 1)


def test_what_lay_there_before_was_not_tried() -> None:
    assert taken_back(rolling(2, 1), known=True) == (0, 0)


def test_what_was_compared_only_was_not_tried() -> None:
    assert taken_back(rolling(2, 1, shadow=100)) == (0, 0)
