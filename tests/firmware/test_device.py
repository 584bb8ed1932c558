"""Devices at a real broker: what they take, what they refuse and say, and that they come back."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace

import pytest

from hack.testbed.hand import BLOCK
from hack.testbed.models import digest, make, sign
from petiole.artifact.keys import load_private, new_private_pem
from petiole.wire import topics
from petiole.wire.messages import Phase, Reason, Why

DEVICE = "leaf-0"


@pytest.fixture(autouse=True)
def built(made):
    made("posix")


async def confirm(bench, hand, model, data, device=DEVICE):
    """Bring a device to run an artefact."""
    await hand.publish_blocks(data)
    await hand.grant(device, data)
    await hand.state(device, lambda s: s.phase == Phase.TRIAL and s.active == digest(data))
    await bench.show(device, model)
    return await hand.state(
        device, lambda s: s.phase == Phase.CONFIRMED and s.active == digest(data)
    )


def strip_signature(data: bytes) -> bytes:
    """Leave only the hash in the unprotected TLVs."""
    header, protected, payload = struct.unpack_from("<HHI", data, 8)
    start = header + protected + payload
    tlvs, at = b"", start + 4
    while at < len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        if kind == 0x10:
            tlvs += data[at : at + 4 + size]
        at += 4 + size
    return data[:start] + struct.pack("<HH", 0x6907, 4 + len(tlvs)) + tlvs


async def test_a_grant_is_downloaded_tried_and_confirmed(bench, hand, first, key):
    await bench.start()
    idle = await hand.state(DEVICE, lambda _: True)
    assert (idle.phase, idle.boot, idle.active) == (Phase.IDLE, 1, None)
    assert (idle.caps.target, idle.caps.slot, idle.caps.arena) == ("cortex-m4", 65536, 32768)
    await bench.show(DEVICE, first, 1)
    data = sign(first, key, security_counter=3)
    state = await confirm(bench, hand, first, data)
    assert (state.reason, state.target, state.floor) == (Reason.NONE, None, 3)
    phases = [s.phase for s in hand.history[DEVICE]]
    steps = [Phase.IDLE, Phase.DOWNLOADING, Phase.TRIAL, Phase.CONFIRMED]
    assert list(dict.fromkeys(phases)) == steps  # it proves faster than it could say so
    before, *answers = [a for index, a in bench.answers if index == 0]
    assert (before.label, before.count) == (255, 1)
    assert [a.label for a in answers] == first.labels * 2
    assert {a.digest for a in answers} == {digest(data)}
    await hand.until(lambda: DEVICE in hand.stats and hand.stats[DEVICE].count == 8, "statistics")
    stats = hand.stats[DEVICE]
    assert sum(stats.confidence) == sum(stats.margin) == sum(stats.classes) == 8
    assert stats.confidence_sum == sum(a.confidence for a in answers)
    assert stats.confidence_squares == sum(a.confidence**2 for a in answers)
    assert 0 < stats.latency_sum < 8_000_000
    assert stats.input_sum == 2 * sum(int(x.sum()) // x.size for x in first.inputs)
    others = [s for name, s in hand.states.items() if name != DEVICE]
    assert len(others) == 4
    assert {s.phase for s in others} == {Phase.IDLE}


FLOOR = 5


def at_floor(model, key, **policy):
    return sign(model, key, security_counter=FLOOR, **policy)


def spoiled(golden):
    last = golden.outputs[-1] ^ 1
    return replace(golden, outputs=golden.outputs[:-1] + bytes([last]))


BAD = {
    "wrong key": (Reason.WRONG_KEY, lambda m, _: at_floor(m, load_private(new_private_pem()))),
    "unsigned": (Reason.BAD_SIGNATURE, lambda m, k: strip_signature(at_floor(m, k))),
    "truncated": (Reason.BAD_IMAGE, lambda m, k: at_floor(m, k)[:-40]),
    "lower counter": (
        Reason.COUNTER_TOO_LOW,
        lambda m, k: sign(m, k, security_counter=4),
    ),
    "wrong target": (Reason.WRONG_TARGET, lambda m, k: at_floor(m, k, target="cortex-m0")),
    "newer format": (Reason.ABI_UNSUPPORTED, lambda m, k: at_floor(m, k, abi=99)),
    "large arena": (Reason.ARENA_TOO_LARGE, lambda m, k: at_floor(m, k, arena=40000)),
    "unknown operator": (Reason.OP_UNSUPPORTED, lambda m, k: at_floor(m, k, ops=1 << 30)),
    "arena understated": (Reason.ARENA_TOO_LARGE, lambda m, k: at_floor(m, k, arena=95)),
    "wrong golden": (
        Reason.GOLDEN_MISMATCH,
        lambda m, k: at_floor(m, k, golden=spoiled(m.golden)),
    ),
    "too large": (Reason.SLOT_TOO_SMALL, lambda m, k: at_floor(m, k) + bytes(65536)),
}


async def test_what_cannot_be_proven_is_refused_with_its_reason(bench, hand, first, second, key):
    await bench.start()
    good = at_floor(first, key)
    await confirm(bench, hand, first, good)
    for what, (reason, spoil) in BAD.items():
        bad = spoil(second, key)
        await hand.publish_blocks(bad)
        await hand.grant(DEVICE, bad)
        state = await hand.state(
            DEVICE, lambda s, bad=bad: s.phase == Phase.FAILED and s.target == digest(bad)
        )
        assert (what, state.reason) == (what, reason)
        assert (state.active, state.floor) == (digest(good), FLOOR), what
    await bench.show(DEVICE, first, 1)
    await hand.until(lambda: len(bench.answers) == 9, "an answer by the old model")
    assert bench.answers[-1][1].digest == digest(good)


async def test_corrupted_blocks_are_noticed_and_fetched_anew_after_a_new_grant(
    bench, hand, first, key
):
    await bench.start()
    data = sign(first, key)
    await hand.publish_blocks(data)
    wrong = bytes([data[BLOCK] ^ 1]) + data[BLOCK + 1 : 2 * BLOCK]
    await hand.publish(topics.block(digest(data), 1), wrong)
    await hand.grant(DEVICE, data)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.FAILED)
    assert state.reason == Reason.DIGEST_MISMATCH
    await hand.grant(DEVICE, None)
    await asyncio.sleep(0.3)
    await confirm(bench, hand, first, data)


async def test_a_revert_needs_no_download(bench, hand, first, second, key):
    await bench.start()
    old, new = sign(first, key), sign(second, key, revision=2)
    await confirm(bench, hand, first, old)
    state = await confirm(bench, hand, second, new)
    assert state.standby == digest(old)
    await hand.remove_blocks(old)
    await hand.grant(DEVICE, old)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    assert (state.active, state.standby) == (digest(old), digest(new))
    await bench.show(DEVICE, first)
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED and s.active == digest(old))


async def test_a_restart_on_trial_falls_back(bench, hand, first, second, key):
    await bench.start()
    old, new = sign(first, key), sign(second, key, security_counter=9)
    await confirm(bench, hand, first, old)
    await hand.publish_blocks(new)
    await hand.grant(DEVICE, new)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    await bench.kill()
    await bench.start()
    state = await hand.state(DEVICE, lambda s: s.boot == 2)
    assert (state.phase, state.reason) == (Phase.ROLLEDBACK, Reason.TRIAL_EXPIRED)
    assert (state.active, state.target, state.floor) == (digest(old), digest(new), 1)
    await asyncio.sleep(1)  # the grant still stands; once given up is given up
    assert hand.states[DEVICE].phase == Phase.ROLLEDBACK
    await hand.grant(DEVICE, old)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    assert state.active == digest(old)


async def test_a_held_artefact_is_proven_and_waits_for_its_release(bench, hand, first, second, key):
    await bench.start()
    old, new = sign(first, key), sign(second, key)
    await confirm(bench, hand, first, old)
    await hand.publish_blocks(new)
    await hand.grant(DEVICE, new, hold=True)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.READY)
    assert (state.active, state.target, state.standby) == (digest(old), digest(new), digest(new))
    await hand.remove_blocks(new)  # what follows needs no download
    await bench.kill()
    await bench.start()
    state = await hand.state(DEVICE, lambda s: s.boot == 2 and s.phase == Phase.READY)
    assert state.active == digest(old)
    await hand.halt(new)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.FAILED)
    assert state.reason == Reason.HALTED
    await hand.halt()
    await hand.state(DEVICE, lambda s: s.phase == Phase.READY)
    await hand.grant(DEVICE, old)
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    await hand.grant(DEVICE, new, hold=True)
    await hand.state(DEVICE, lambda s: s.phase == Phase.READY)
    await asyncio.sleep(0.5)
    assert hand.states[DEVICE].phase == Phase.READY
    await hand.grant(DEVICE, new)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    assert (state.active, state.standby) == (digest(new), digest(old))
    await bench.show(DEVICE, second)
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED and s.active == digest(new))


async def test_what_was_given_up_is_tried_again_in_a_later_attempt_only(bench, hand, first, key):
    await bench.start("--trial-ms", "400")
    data = sign(first, key)
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data, attempt=3)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.ROLLEDBACK)
    assert (state.target, state.attempt) == (digest(data), 3)
    await bench.kill()
    await bench.start()
    state = await hand.state(DEVICE, lambda s: s.boot == 2)
    assert (state.phase, state.attempt) == (Phase.ROLLEDBACK, 3)
    for attempt in (2, 3):
        await hand.grant(DEVICE, data, attempt=attempt)
        await asyncio.sleep(0.6)
        assert hand.states[DEVICE].phase == Phase.ROLLEDBACK
    await hand.grant(DEVICE, data, attempt=4)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    assert state.attempt == 4
    await bench.kill()  # a crash on trial is a refusal of the attempt on trial
    await bench.start()
    state = await hand.state(DEVICE, lambda s: s.boot == 3)
    assert (state.phase, state.attempt) == (Phase.ROLLEDBACK, 4)
    await hand.grant(DEVICE, data, attempt=5)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    await bench.show(DEVICE, first)
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED and s.active == digest(data))


async def test_an_update_costs_three_reports(bench, hand, second, key):
    await bench.start()
    await hand.grant(DEVICE, None, interval=60_000)
    await hand.until(lambda: DEVICE in hand.states, "the first report")
    await asyncio.sleep(0.3)
    before = len(hand.history[DEVICE])
    data = sign(second, key)
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data, interval=60_000)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    await bench.show(DEVICE, second)
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    await asyncio.sleep(0.3)
    assert [s.phase for s in hand.history[DEVICE][before:]] == [
        Phase.DOWNLOADING,
        Phase.TRIAL,
        Phase.CONFIRMED,
    ]


async def test_a_host_takes_blocks_of_4096_bytes(bench, hand, second, key):
    await bench.start()
    data = sign(second, key)
    assert len(data) > 4096
    await hand.publish_blocks(data, block=4096)
    await hand.grant(DEVICE, data, block=4096)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)


async def test_a_trial_without_inputs_expires(bench, hand, first, key):
    await bench.start("--trial-ms", "700")
    data = sign(first, key)
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.ROLLEDBACK)
    assert (state.reason, state.active, state.target) == (
        Reason.TRIAL_EXPIRED,
        None,
        digest(data),
    )


async def test_a_halt_beats_any_grant(bench, hand, first, second, key):
    await bench.start()
    data = sign(first, key)
    await hand.publish_blocks(data)
    await hand.halt(data)
    await hand.grant(DEVICE, data)
    await asyncio.sleep(1.5)
    assert {s.phase for s in hand.history[DEVICE]} == {Phase.IDLE}
    await hand.halt()
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    await hand.halt(data)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.ROLLEDBACK)
    assert (state.reason, state.active) == (Reason.HALTED, None)
    await hand.halt()
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    await bench.show(DEVICE, first)
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    await hand.halt(data)  # one that runs it waits for its grant
    await asyncio.sleep(0.5)
    assert hand.states[DEVICE].active == digest(data)


async def test_a_halt_stops_a_download(bench, hand, second, key):
    await bench.start()
    data = sign(second, key)
    await hand.publish_blocks(data, leave_out=frozenset({3}))
    await hand.grant(DEVICE, data)
    await hand.state(DEVICE, lambda s: s.phase == Phase.DOWNLOADING)
    await hand.halt(data)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.FAILED)
    assert (state.reason, state.target) == (Reason.HALTED, digest(data))


async def test_a_download_goes_on_after_a_power_cut(bench, hand, second, key):
    await bench.start()
    data = sign(second, key)
    total = -(-len(data) // BLOCK)
    late = frozenset({total - 2, total - 1})
    await hand.publish_blocks(data, leave_out=late)
    await hand.grant(DEVICE, data)
    await hand.state(DEVICE, lambda s: (s.got, s.total) == (total - 2, total))
    await bench.kill()
    await hand.remove_blocks(data)  # what it holds it cannot get again
    await hand.publish_blocks(data, leave_out=frozenset(range(total)) - late)
    await bench.start()
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    assert (state.boot, state.active) == (2, digest(data))


async def test_another_grant_ends_a_trial(bench, hand, first, second, key):
    await bench.start()
    old, new = sign(first, key), sign(second, key)
    await confirm(bench, hand, first, old)
    await hand.publish_blocks(new)
    await hand.grant(DEVICE, new)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    await hand.grant(DEVICE, old)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    assert (state.active, state.reason) == (digest(old), Reason.NONE)


async def test_uncertain_and_random_inputs_come_as_samples(bench, hand, key):
    model = make(3, vectors=40)
    assert min(model.margins.values()) < 40 < max(model.margins.values())
    await bench.start()
    data = sign(model, key)
    await confirm(bench, hand, model, data)
    await hand.grant(DEVICE, data, samples=3 * 86400)  # a random one a second, two uncertain ones
    end = asyncio.get_running_loop().time() + 4
    while asyncio.get_running_loop().time() < end:
        await bench.show(DEVICE, model, 40)
        await asyncio.sleep(0.1)
    came = hand.samples[DEVICE]
    assert {s.why for s in came} == {Why.UNCERTAIN, Why.RANDOM}
    assert all(s.margin == model.margins[s.input] for s in came)
    assert {s.digest for s in came} == {digest(data)}
    assert all(s.margin < 40 for s in came if s.why == Why.UNCERTAIN)
    assert 3 <= len(came) <= 13, "at most two uncertain and one random a second"


async def test_samples_wait_over_a_power_cut_until_they_are_safe(bench, hand, key):
    model = make(3, vectors=40)
    await bench.start()
    data = sign(model, key)
    await confirm(bench, hand, model, data)
    await hand.grant(DEVICE, data, samples=3 * 86400)
    await hand.until(lambda: bench.log() and hand.stats.get(DEVICE), "statistics")
    end = asyncio.get_running_loop().time() + 20
    while len(hand.samples[DEVICE]) < 6:
        assert asyncio.get_running_loop().time() < end, "no samples"
        await bench.show(DEVICE, model, 40)
        await asyncio.sleep(0.1)
    came = {s.hash: s for s in hand.samples[DEVICE]}
    first = min(came)
    await hand.acknowledge(DEVICE, came[first])
    await hand.grant(DEVICE, data, samples=0)
    await asyncio.sleep(0.5)  # the acknowledgement is on its way
    await bench.kill()
    hand.samples.clear()
    await bench.start()
    left = came.keys() - {first}
    await hand.until(lambda: {s.hash for s in hand.samples[DEVICE]} & left, "what waits")
    for _ in range(len(left)):  # a few at a time, as they are acknowledged
        for sample in list(hand.samples[DEVICE]):
            await hand.acknowledge(DEVICE, sample)
        await asyncio.sleep(0.2)
    again = {s.hash: s for s in hand.samples[DEVICE]}
    assert again.keys() >= left
    assert first not in again
    assert all(again[name] == came[name] for name in left)
    await bench.kill()
    hand.samples.clear()
    hand.states.clear()
    await bench.start()
    await hand.state(DEVICE, lambda _: True)
    await asyncio.sleep(0.5)
    assert not hand.samples[DEVICE]


async def test_a_device_comes_back_when_the_broker_does(bench, hand, first, key):
    await bench.start()
    await hand.state("leaf-4", lambda _: True)
    await hand.__aexit__(None, None, None)
    bench.broker.stop()
    bench.broker.start()
    await hand.__aenter__()
    hand.states.clear()
    for device in ("leaf-0", "leaf-4"):
        await hand.state(device, lambda _: True)
    await confirm(bench, hand, first, sign(first, key))


async def test_a_wrong_password_is_kept_out_and_the_others_go_on(bench, hand):
    bench.spoil_password("leaf-1")
    await bench.start()
    await hand.state("leaf-2", lambda _: True)
    await asyncio.sleep(0.5)
    assert "leaf-1" not in hand.states
    assert "broker refuses user or password" in bench.log()


async def test_a_crash_on_trial_rolls_back_and_silence_shows_offline(bench, hand, first, key):
    await bench.start("--fault", f"{DEVICE}:trial-crash", "--fault", "leaf-1:silent")
    data = sign(first, key)
    await hand.publish_blocks(data)
    await hand.state("leaf-1", lambda _: True)
    for device in (DEVICE, "leaf-1"):
        await hand.grant(device, data)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.ROLLEDBACK)
    assert (state.boot, state.reason) == (2, Reason.TRIAL_EXPIRED)
    await hand.until(lambda: hand.online["leaf-1"] is False, "the will of the silent one")
