"""Firmware updates over a LAN with TLS, on a Cortex-M4 in QEMU with its boot loader."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed.firmware import Release, release
from hack.testbed.hand import Hand
from hack.testbed.models import digest
from hack.testbed.processes import Processes
from petiole.wire.messages import Cause, Phase, Reason, State

from .onlan import DEVICE, SLOW, OnLan

BLOCK = 1024


@pytest.fixture(scope="module", autouse=True)
def built(made) -> None:
    made("mps2")  # the boot loader
    made("lan")
    made("lan-faulty")


class Updated(OnLan):
    """A board that starts with the same firmware in slot A, and the gateway's part by hand."""

    def __init__(self, folder: Path, processes: Processes, key: Ed25519PrivateKey) -> None:
        super().__init__(folder, processes, key)
        self.first = release(key, revision=1, linked="agent-lan")
        self.hand = Hand(self.broker)
        self.broker.start()

    def boot(self) -> None:
        self.start(program="boot")

    async def grant(self, new: Release) -> None:
        await self.hand.grant(DEVICE, None, firmware=new.granted(BLOCK))

    async def given_up(self, bad: Release, reason: Reason) -> State:
        """Grant it, and wait until the board has gone back."""
        await self.hand.publish_blocks(bad.b, block=BLOCK)
        await self.grant(bad)
        state = await self.hand.state(DEVICE, lambda s: s.phase == Phase.ROLLEDBACK, SLOW)
        assert (state.reason, state.target) == (reason, digest(bad.b))
        assert state.firmware.active == digest(self.first.a)
        return state


@pytest_asyncio.fixture
async def field(tmp_path: Path, key: Ed25519PrivateKey):
    with Processes(tmp_path) as processes:
        made = Updated(tmp_path, processes, key)
        made.provision(made.secure(), made.first.a)
        made.boot()
        async with made.hand:
            yield made


async def test_firmware_is_updated_by_tls_over_a_power_cut(field, key):
    hand = field.hand
    new = release(key, revision=2, security_counter=3, linked="agent-lan")
    total = -(-len(new.b) // BLOCK)
    await hand.publish_blocks(new.b, leave_out=frozenset({total - 1}), block=BLOCK)
    await field.grant(new)
    await hand.state(DEVICE, lambda s: s.got == total - 1, SLOW)
    field.kill()
    await hand.remove_blocks(new.b, block=BLOCK)  # what it holds it cannot get again
    await hand.publish_blocks(new.b, leave_out=frozenset(range(total - 1)), block=BLOCK)
    field.boot()
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL, SLOW)
    await field.grant(new)  # the gateway's answer
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED, SLOW)
    assert state.firmware.active == digest(new.b)
    assert (state.firmware.standby, state.firmware.floor) == (digest(field.first.a), 3)


async def test_firmware_that_crashes_is_given_up(field, key):
    bad = release(key, revision=2, linked="crashes-lan")
    state = await field.given_up(bad, Reason.CRASHED)
    assert (state.crash.cause, state.crash.firmware) == (Cause.FAULT, digest(bad.b)[:16])


async def test_firmware_that_never_hears_the_gateway_is_given_up(field, key):
    bad = release(key, revision=2, linked="deaf-lan")
    await field.given_up(bad, Reason.UNREACHABLE)


@pytest.mark.long
async def test_firmware_that_hangs_is_given_up(field, key):
    bad = release(key, revision=2, linked="hangs-lan")
    state = await field.given_up(bad, Reason.HUNG)
    assert state.crash.cause == Cause.WATCHDOG
