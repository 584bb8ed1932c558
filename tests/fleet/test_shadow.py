"""Shadow runs: who is told to make one, where it stands meanwhile, and what a gate learns."""

from __future__ import annotations

from dataclasses import replace

from petiole.api.rollout import Gate, GateTest
from petiole.fleet.devices import Device
from petiole.fleet.evidence import gathered
from petiole.fleet.windows import take
from petiole.wire.messages import BINS, Phase, ShadowRun, Stats

from .world import START, World, revision, rolling

NONE = (0,) * BINS
INPUTS = 50
SAME = Gate(name="same", metric="Disagreement", test=GateTest(max="10%"))


def compared(device: Device, disagreed: int, count: int = INPUTS, seq: int = 1) -> None:
    """Let it say its statistics, with a run beside what it runs."""
    assert device.state is not None
    target = revision(2).variants[device.state.caps.target].digest
    run = ShadowRun(target, count, disagreed, 0)
    assert device.state.active is not None
    stats = Stats(1, seq, device.state.active, 60, NONE, NONE, (60,), 0, 0, 0, shadow=run)
    take(device.tallies, Stats.decode(stats.encode()))


def trying(**fields) -> World:
    world = World(rolling(2, 100, shadow=INPUTS, gates=(SAME,), **fields))
    for number in range(12):
        world.add(f"dev-{number}", {})
    world.turns()
    return world


def test_only_the_target_is_compared() -> None:
    world = trying()
    grants = [d.grant for d in world.devices.values()]
    assert {g.shadow for g in grants if g is not None} == {INPUTS}
    world.put(mode="Reverting")
    world.turns()
    grants = [d.grant for d in world.devices.values()]
    assert {g.shadow for g in grants if g is not None} == {0}


def test_another_length_is_told() -> None:
    world = trying()
    world.put(shadow=2 * INPUTS)
    world.turns()
    grants = [d.grant for d in world.devices.values()]
    assert {g.shadow for g in grants if g is not None} == {2 * INPUTS}


def test_a_device_that_compares_is_in_flight() -> None:
    world = trying()
    state = world.devices["dev-0"].state
    target = revision(2).variants["m4"].digest
    world.hear("dev-0", replace(state, seq=2, phase=Phase.SHADOW, target=target))
    counts = world.turn().summary.counts
    assert (counts.trial, counts.offered, counts.updated) == (1, 11, 0)


def test_a_run_counts_once_it_is_whole_and_also_after_the_trial() -> None:
    world = trying()
    devices = list(world.devices.values())
    for number, device in enumerate(devices[:4]):
        compared(device, number)
    compared(devices[4], 5, count=INPUTS - 1)
    found = gathered(SAME, world.plan, world.fleet.members, devices, 1)
    assert found.shares == {0: 1, 20: 1, 40: 1, 60: 1}
    assert found.devices == 12
    target = revision(2).variants["m4"].digest
    devices[3].state = replace(devices[3].state, active=target)
    take(devices[3].tallies, Stats(1, 2, target, 9, NONE, NONE, (9,), 0, 0, 0))
    assert gathered(SAME, world.plan, world.fleet.members, devices, 1).shares == found.shares


def test_a_model_that_disagrees_is_halted() -> None:
    world = trying()
    for device in world.devices.values():
        compared(device, INPUTS // 2)
    world.now = START + world.plan.interval_seconds + 1.0
    outcome = world.turn()
    assert outcome.new_halt
    halt = outcome.summary.halt
    assert halt is not None
    assert (halt.gate, halt.revision) == ("same", 2)
    assert "disagreed with the one that answers on 50 % of the inputs" in halt.message
