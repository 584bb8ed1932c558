"""Firmware of POSIX devices: taken, started by the boot decision, kept or given up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import devices
from hack.testbed.broker import Broker
from hack.testbed.devices import Device, Simulation
from hack.testbed.firmware import Release, stand_in
from hack.testbed.hand import BLOCK, Hand
from hack.testbed.models import TARGET, digest, make, sign
from hack.testbed.processes import Processes
from petiole.artifact.keys import load_private, new_private_pem, public_raw
from petiole.wire.messages import Cause, Firmware, Phase, Reason, State

SLOT = 16 * 1024
MODELS_END = 0x4000 + 2 * SLOT
DEVICE, OTHER = "stem-0", "stem-1"


@pytest.fixture(autouse=True)
def built(made):
    made("posix")


def device(name: str) -> Device:
    return Device(
        name, TARGET, slot=SLOT, arena=4096, firmware_offset=MODELS_END, firmware_size=2 * 4096
    )


class Stand:
    """Devices of one process, with firmware in slot A, and the gateway's part by hand."""

    def __init__(self, folder: Path, processes: Processes, key: Ed25519PrivateKey) -> None:
        self.fleet = [device(name) for name in (DEVICE, OTHER)]
        self.first = stand_in(key, self.fleet[0], revision=1)
        self._folder = folder
        self._processes = processes
        broker = Broker(folder / "broker", devices.passwords(self.fleet), processes)
        broker.start()
        self._port = broker.port
        self.hand = Hand(broker)
        keys = (public_raw(key.public_key()),)
        devices.provision_posix(folder / "flash", self.fleet, keys, firmware=self.first.a)

    def start(self, *faults: str, trial_ms: int = 20_000) -> None:
        simulation = Simulation(
            self._folder / "faults", self._folder / "events", feed=5, trial_ms=trial_ms, log=True
        )
        simulation.faults.write_text("".join(f"{fault}\n" for fault in faults))
        self._agent = devices.start_simulation(
            self._processes, self._folder / "flash", simulation, broker_port=self._port
        )

    def kill(self) -> None:
        self._agent.kill()

    async def publish(self, release: Release) -> None:
        for image in (release.a, release.b):
            await self.hand.publish_blocks(image)

    async def give(self, release: Release, name: str = DEVICE, **how) -> None:
        """Publish it, and grant it to a device."""
        await self.publish(release)
        await self.hand.grant(name, None, firmware=release.granted(BLOCK, **how))

    async def answer(self, granted: Firmware, name: str = DEVICE) -> State:
        """Wait until it is on trial, and answer as a gateway does."""
        state = await self.hand.state(
            name,
            lambda s: s.phase == Phase.TRIAL and s.target == s.firmware.active
            and s.target in (granted.a.digest, granted.b.digest),
        )  # fmt: skip
        await self.hand.grant(name, None, firmware=granted)
        return state

    async def confirm(self, release: Release, image: bytes, name: str = DEVICE) -> State:
        await self.answer(release.granted(BLOCK), name)
        return await self.hand.state(
            name, lambda s: s.phase != Phase.TRIAL and s.firmware.active == digest(image)
        )


@pytest_asyncio.fixture
async def stand(tmp_path: Path, key: Ed25519PrivateKey):
    with Processes(tmp_path) as processes:
        made = Stand(tmp_path, processes, key)
        async with made.hand:
            yield made


def given_up(state: State) -> bool:
    return state.phase in (Phase.FAILED, Phase.ROLLEDBACK)


async def test_firmware_is_taken_tried_and_kept_and_the_way_back_needs_no_download(stand, key):
    stand.start()
    hand = stand.hand
    first, new = stand.first, stand_in(key, stand.fleet[0], revision=2, security_counter=1)
    state = await hand.state(DEVICE, lambda _: True)
    assert (state.phase, state.boot, state.caps.firmware) == (Phase.IDLE, 1, 8192)
    assert (state.firmware.active, state.firmware.standby) == (digest(first.a), None)
    await stand.give(new)
    trial = await stand.answer(new.granted(BLOCK))
    assert (trial.boot, trial.firmware.active) == (2, digest(new.b))
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED)
    assert (state.target, state.firmware.active) == (None, digest(new.b))
    assert (state.firmware.standby, state.firmware.floor) == (digest(first.a), 1)
    await hand.remove_blocks(first.a)
    await hand.remove_blocks(first.b)
    await hand.grant(DEVICE, None, firmware=first.granted(BLOCK))
    state = await stand.confirm(first, first.a)
    assert (state.firmware.active, state.firmware.standby) == (digest(first.a), digest(new.b))
    stand.kill()
    stand.start()
    state = await hand.state(DEVICE, lambda s: s.boot == 4)
    assert state.firmware.active == digest(first.a)


async def test_a_trial_without_an_answer_of_the_gateway_ends(stand, key):
    """A retained grant is none: it comes from the broker."""
    stand.start(trial_ms=1500)
    new = stand_in(key, stand.fleet[0], revision=2)
    await stand.give(new)
    state = await stand.hand.state(DEVICE, given_up)
    assert (state.phase, state.reason) == (Phase.ROLLEDBACK, Reason.UNREACHABLE)
    assert (state.target, state.firmware.active) == (digest(new.b), digest(stand.first.a))
    assert any(s.phase == Phase.TRIAL for s in stand.hand.history[DEVICE])


FAULTS = {
    "trial-crash": (Reason.CRASHED, Cause.FAULT),
    "trial-hang:200": (Reason.HUNG, Cause.WATCHDOG),
    "trial-unreachable": (Reason.UNREACHABLE, None),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_firmware_that_fails_falls_back_and_says_so(stand, key, fault):
    reason, cause = FAULTS[fault]
    new = stand_in(key, stand.fleet[0], revision=2, security_counter=7)
    stand.start(f"{DEVICE}@{digest(new.b)[:12]}:{fault}", trial_ms=1500)
    await stand.give(new, OTHER)
    await stand.give(new)
    state = await stand.hand.state(DEVICE, given_up)
    assert (state.phase, state.reason, state.target) == (Phase.ROLLEDBACK, reason, digest(new.b))
    assert state.firmware.active == digest(stand.first.a)
    assert state.firmware.floor == 0
    starts = {Reason.UNREACHABLE: 3}.get(reason, 5)  # three on trial; one before, one after
    assert state.boot == starts
    if cause is not None:
        assert (state.crash.cause, state.crash.boot) == (cause, starts - 1)
        assert state.crash.firmware == digest(new.b)[:16]
    await asyncio.sleep(0.5)
    assert stand.hand.states[DEVICE].boot == starts, "what was given up is not tried again"


async def test_the_model_goes_on_and_comes_after_firmware(stand, key):
    stand.start()
    hand, model = stand.hand, make(5)
    data, new = sign(model, key), stand_in(key, stand.fleet[0], revision=2)
    await stand.publish(new)
    await hand.publish_blocks(data)
    granted = new.granted(BLOCK)
    await hand.grant(DEVICE, data, firmware=granted)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    await hand.grant(DEVICE, data, firmware=granted)
    state = await hand.state(DEVICE, lambda s: s.active == digest(data) and s.target is None)
    assert state.firmware.active == digest(new.b)
    order = [s.target for s in hand.history[DEVICE] if s.target]
    assert order.index(digest(new.b)) < order.index(digest(data))
    assert order == sorted(order, key=[digest(new.b), digest(data)].index)
    third = stand_in(key, stand.fleet[0], revision=3)
    await stand.publish(third)
    await hand.grant(DEVICE, data, firmware=third.granted(BLOCK))
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.boot == 3)
    assert state.active == digest(data), "the model answers while firmware is on trial"


def refusals(key: Ed25519PrivateKey) -> dict[str, tuple[Reason, Release]]:
    one = device(DEVICE)
    good = stand_in(key, one, revision=2)
    model = sign(make(5), key)
    return {
        "wrong key": (
            Reason.WRONG_KEY,
            stand_in(load_private(new_private_pem()), one, revision=2),
        ),
        "wrong target": (Reason.WRONG_TARGET, stand_in(key, one, revision=2, target="cortex-m0")),
        "lower counter": (Reason.COUNTER_TOO_LOW, stand_in(key, one, revision=2)),
        "wrong slot": (Reason.WRONG_SLOT, Release(good.b, good.a)),
        "a model": (Reason.WRONG_KIND, Release(model, model)),
        "too large": (Reason.SLOT_TOO_SMALL, stand_in(key, one, revision=2, size=9000)),
        "cut short": (Reason.BAD_IMAGE, Release(good.a[:-40], good.b[:-40])),
    }


async def test_what_may_not_run_is_refused_with_its_reason(stand, key):
    stand.start()
    hand = stand.hand
    good = stand_in(key, stand.fleet[0], revision=9, security_counter=5)
    await stand.give(good)
    await stand.confirm(good, good.b)
    for what, (reason, bad) in refusals(key).items():
        counted = stand_in(key, stand.fleet[0], revision=2, security_counter=5)
        if what == "wrong slot":
            bad = Release(counted.b, counted.a)
        await stand.give(bad)
        state = await hand.state(
            DEVICE, lambda s, bad=bad: s.phase == Phase.FAILED and s.target == digest(bad.a)
        )
        assert (what, state.reason) == (what, reason)
        assert (state.boot, state.firmware.active) == (2, digest(good.b)), what


async def test_held_firmware_waits_for_its_release(stand, key):
    stand.start()
    hand, new = stand.hand, stand_in(key, stand.fleet[0], revision=2)
    await stand.give(new, hold=True)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.READY)
    assert (state.firmware.standby, state.boot) == (digest(new.b), 1)
    await asyncio.sleep(0.5)
    assert hand.states[DEVICE].phase == Phase.READY
    await hand.halt(new.a, new.b)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.FAILED)
    assert state.reason == Reason.HALTED
    await hand.halt()
    await hand.grant(DEVICE, None, firmware=new.granted(BLOCK))
    await stand.confirm(new, new.b)


async def test_a_halt_ends_a_trial_of_firmware(stand, key):
    stand.start()
    hand, new = stand.hand, stand_in(key, stand.fleet[0], revision=2)
    await stand.give(new)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL)
    await hand.halt(new.a, new.b)
    state = await hand.state(DEVICE, lambda s: s.boot == 3)
    assert state.firmware.active == digest(stand.first.a)
    await asyncio.sleep(0.5)
    assert hand.states[DEVICE].boot == 3
