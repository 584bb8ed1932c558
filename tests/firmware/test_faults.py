"""Faults on demand: each shows once with real devices at a real broker, and goes when told so."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from hack.testbed import devices
from hack.testbed.devices import Simulation
from hack.testbed.models import digest, sign
from petiole.wire.messages import Phase, Reason

from .conftest import IDS

DEVICE, OTHER = "leaf-0", "leaf-1"


@pytest.fixture(autouse=True)
def built(made):
    made("posix")


@pytest.fixture
def simulation(tmp_path):
    return Simulation(
        faults=tmp_path / "faults", events=tmp_path / "events", feed=5, trial_ms=8000, log=True
    )


@pytest.fixture
def faulty(bench, simulation):
    """Starts the devices with these faults; returns a way to change them."""

    def start(*rules: str):
        simulation.faults.write_text("".join(f"{rule}\n" for rule in rules))
        agent = bench.start_simulation(simulation)
        return lambda *others: devices.set_faults(agent, simulation, *others)

    return start


async def confirmed(hand, device, data, seconds=20):
    return await hand.state(
        device, lambda s: s.phase == Phase.CONFIRMED and s.active == digest(data), seconds
    )


def count(hand, device):
    """Inferences that the device has reported."""
    return hand.stats[device].count if device in hand.stats else 0


async def test_devices_feed_themselves_through_a_trial_and_leave_a_trace(
    faulty, simulation, hand, first, key
):
    faulty()
    data = sign(first, key)
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data)
    await confirmed(hand, DEVICE, data)
    await hand.until(lambda: count(hand, DEVICE) > 8, "inputs after the trial")

    def phases():
        lines = [line.split() for line in simulation.events.read_text().splitlines()]
        times = [int(line[0]) for line in lines]
        assert times == sorted(times)
        return [(line[2], line[3]) for line in lines if line[1] == DEVICE]

    wanted = [("idle", "-")]
    wanted += [(p, digest(data)[:12]) for p in ("downloading", "verifying", "trial", "confirmed")]
    await hand.until(lambda: phases() == wanted, "the trace")


async def test_a_crash_on_trial_shows_only_with_its_artefact(faulty, hand, first, second, key):
    good, bad = sign(first, key), sign(second, key)
    switch = faulty(f"leaf-[01]@{digest(bad)[:16]}:trial-crash")
    for data in (good, bad):
        await hand.publish_blocks(data)
    await hand.grant(DEVICE, good)
    await confirmed(hand, DEVICE, good)
    await hand.grant(DEVICE, bad)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.ROLLEDBACK)
    assert (state.reason, state.boot, state.active) == (Reason.TRIAL_EXPIRED, 2, digest(good))
    switch()
    await hand.grant(DEVICE, bad, attempt=1)
    await confirmed(hand, DEVICE, bad)


async def test_a_silent_device_stays_away_until_the_fault_goes(faulty, hand, first, key):
    switch = faulty(f"{DEVICE}:silent")
    data = sign(first, key)
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data)
    await hand.until(lambda: hand.online.get(DEVICE) is False, "its will")
    await asyncio.sleep(4)  # longer than a device waits before it connects again
    assert hand.online[DEVICE] is False
    switch()
    await confirmed(hand, DEVICE, data)


async def test_a_slow_device_takes_its_time_at_each_step(faulty, hand, first, key):
    faulty(f"{DEVICE}:slow:1500")
    data = sign(first, key)
    await hand.publish_blocks(data)
    loop = asyncio.get_running_loop()
    for device in (DEVICE, OTHER):
        await hand.state(device, lambda _: True)
        await hand.grant(device, data)
    start = loop.time()
    await confirmed(hand, OTHER, data)
    fast = loop.time() - start
    await confirmed(hand, DEVICE, data)
    assert loop.time() - start > fast + 2


async def test_duplicate_reports_are_the_same_twice(faulty, hand, first, key):
    faulty(f"{DEVICE}:duplicate")
    data = sign(first, key)
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data, interval=60_000)
    await confirmed(hand, DEVICE, data)
    await asyncio.sleep(0.3)
    heard = Counter((s.boot, s.seq) for s in hand.history[DEVICE])
    assert set(heard.values()) == {2}


async def test_late_reports_come_after_newer_ones(faulty, hand, first, key):
    faulty(f"{DEVICE}:late:3000")
    data = sign(first, key)
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data, interval=200)

    def ordered() -> bool:
        seen = [s.seq for s in hand.history[DEVICE]]
        return seen == sorted(seen)

    await hand.until(lambda: not ordered(), "an older report after a newer one")
    await confirmed(hand, DEVICE, data)


async def test_a_flapping_link_does_not_stop_an_update(faulty, bench, hand, second, key):
    switch = faulty(f"{DEVICE}:flapping:700")
    data = sign(second, key)
    total = -(-len(data) // 512)
    await hand.publish_blocks(data, leave_out=frozenset({total - 1}))
    await hand.grant(DEVICE, data)
    for online in (True, False, True, False):
        await hand.until(lambda online=online: hand.online.get(DEVICE) is online, "the link")
    await hand.publish_blocks(data)
    await confirmed(hand, DEVICE, data, 40)
    switch()
    assert bench.log().count(f"{DEVICE}: connected") >= 2


async def test_an_update_survives_a_wrong_clock(faulty, hand, first, second, key):
    switch = faulty(f"{DEVICE}:wrong-clock:500")  # wraps after 13 s
    old, new = sign(first, key), sign(second, key)
    for data in (old, new):
        await hand.publish_blocks(data)
        await hand.grant(DEVICE, data)
        await confirmed(hand, DEVICE, data)
    await asyncio.sleep(14)
    before = count(hand, DEVICE)
    await hand.until(lambda: count(hand, DEVICE) > before, "reports after the wrap")
    await hand.grant(OTHER, old)
    await confirmed(hand, OTHER, old)
    switch(f"{OTHER}:wrong-clock:100")  # its clock jumps while it runs
    await hand.grant(OTHER, new)
    await hand.grant(DEVICE, old)
    await confirmed(hand, OTHER, new)
    await confirmed(hand, DEVICE, old)


async def test_a_whole_site_goes_dark_and_comes_back(faulty, hand):
    switch = faulty("leaf-[0-2]:dark:1500")
    await hand.until(lambda: [hand.online.get(d) for d in IDS] == [True] * 5, "all online")
    await hand.until(lambda: [hand.online[d] for d in IDS] == [False] * 3 + [True] * 2, "dark")
    await asyncio.sleep(4)
    assert [hand.online[d] for d in IDS] == [False] * 3 + [True] * 2
    switch()
    await hand.until(lambda: [hand.online[d] for d in IDS] == [True] * 5, "all online again")


async def test_a_failing_self_test_refuses_the_artefact(faulty, hand, first, second, key):
    good, bad = sign(first, key), sign(second, key)
    switch = faulty(f"100%@{digest(bad)[:12]}:self-test")
    for data in (good, bad):
        await hand.publish_blocks(data)
    await hand.grant(DEVICE, good)
    await confirmed(hand, DEVICE, good)
    await hand.grant(DEVICE, bad)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.FAILED)
    assert (state.reason, state.active) == (Reason.GOLDEN_MISMATCH, digest(good))
    switch()
    await hand.grant(DEVICE, bad, attempt=1)
    await confirmed(hand, DEVICE, bad)


async def test_wrong_rules_are_named_and_leave_the_others_in_force(faulty, simulation, bench, hand):
    faulty(f"{DEVICE}:dark")
    await hand.state(OTHER, lambda _: True)
    simulation.faults.write_text("# none dark\n\n120%:silent\n")
    bench.reread_faults()
    wrong = "fault 120%:silent: the share is not between 0% and 100%"
    await hand.until(lambda: wrong in bench.log(), "the complaint")
    await asyncio.sleep(1)
    assert DEVICE not in hand.states
