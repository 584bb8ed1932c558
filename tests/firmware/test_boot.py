"""Firmware updates on boards in QEMU: boot loader, agent, broker and images are real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import devices
from hack.testbed.boards import BOARDS, FIRMWARE_OFFSET, FIRMWARE_SIZE, BoardName
from hack.testbed.broker import Broker
from hack.testbed.firmware import Release, release
from hack.testbed.models import digest
from hack.testbed.processes import Processes
from petiole.artifact.keys import public_raw
from petiole.wire.messages import Cause, Phase, Reason, State

from .booted import Booted, device
from .hand import Hand

NAMES = tuple(f"twig-{n}" for n in range(500))
SLOW = 60  # QEMU on a busy machine
BLOCK = 1024
SLOT_B = 0x21000000 + FIRMWARE_OFFSET + 0x4000 + FIRMWARE_SIZE


@pytest.fixture(autouse=True)
def built(made):
    made("boards")
    made("faulty")


class Field:
    """Boards at one broker that start with the same firmware in slot A."""

    def __init__(self, folder: Path, processes: Processes, key: Ed25519PrivateKey) -> None:
        self.first = {name: release(key, revision=1, board=name) for name in BOARDS}
        self._folder = folder
        self._processes = processes
        self._keys = (public_raw(key.public_key()),)
        self._known = {name: device(name) for name in NAMES}
        known = devices.passwords(self._known.values())
        self._broker = Broker(folder / "broker", known, processes)
        self._broker.start()
        self.hand = Hand(self._broker)

    def board(self, name: str, cut_in: int = 0, board: BoardName = "an386") -> Booted:
        """A board that was just provisioned, whose power fails once or never."""
        one = self._known[name]
        first = self.first[board].a
        memory = devices.provision_board(self._folder, one, self._keys, firmware=first)
        made = Booted(one, memory, self._broker, self._processes, board)
        made.cut_in(cut_in)
        return made


@pytest_asyncio.fixture
async def field(tmp_path: Path, key: Ed25519PrivateKey):
    with Processes(tmp_path) as processes:
        made = Field(tmp_path, processes, key)
        async with made.hand:
            yield made


async def confirmed(hand: Hand, board: Booted, new: Release) -> State:
    """Wait until the board has confirmed it; answers, as the gateway does, when it says "trial".

    Turns the power on again when the board went off.
    """
    answered = None
    end = asyncio.get_running_loop().time() + SLOW
    while True:
        assert asyncio.get_running_loop().time() < end, f"{hand.states.get(board.id)}\n{board.log}"
        if not board.alive:
            board.start(reboots=False)
        state = hand.states.get(board.id)
        if state is not None and state.phase == Phase.TRIAL and state is not answered:
            answered = state
            await hand.grant(board.id, None, firmware=new.granted(BLOCK))
        if state is not None and state.phase == Phase.CONFIRMED and state.target is None:
            assert state.firmware.active == digest(new.b)
            return state
        await asyncio.sleep(0.05)


async def test_firmware_is_updated_over_a_power_cut(field, key):
    hand, board = field.hand, field.board("twig-0")
    new = release(key, revision=2, security_counter=3)
    board.start()
    state = await hand.state(board.id, lambda _: True, SLOW)
    assert state.firmware.active == digest(field.first["an386"].a)
    assert state.caps.firmware == FIRMWARE_SIZE
    total = -(-len(new.b) // BLOCK)
    await hand.publish_blocks(new.b, leave_out=frozenset({total - 1}), block=BLOCK)
    await hand.grant(board.id, None, firmware=new.granted(BLOCK))
    await hand.state(board.id, lambda s: s.got == total - 1, SLOW)
    board.kill()
    await hand.remove_blocks(new.b, block=BLOCK)  # what it holds it cannot get again
    await hand.publish_blocks(new.b, leave_out=frozenset(range(total - 1)), block=BLOCK)
    board.start()
    state = await confirmed(hand, board, new)
    assert (state.firmware.standby, state.firmware.floor) == (digest(field.first["an386"].a), 3)
    board.kill()
    hand.states.clear()
    board.start()
    state = await hand.state(board.id, lambda _: True, SLOW)
    assert state.firmware.active == digest(new.b)
    assert "boot: slot B, on trial" in board.log


async def test_every_board_takes_firmware(field, key):
    async def take(name: str, board: BoardName) -> None:
        new, made = release(key, revision=2, board=board), field.board(name, board=board)
        made.start()
        await field.hand.publish_blocks(new.b, block=BLOCK)
        await field.hand.grant(made.id, None, firmware=new.granted(BLOCK))
        state = await confirmed(field.hand, made, new)
        assert state.firmware.standby == digest(field.first[board].a)

    async with asyncio.TaskGroup() as tasks:
        for name, board in zip(NAMES, BOARDS, strict=False):
            tasks.create_task(take(name, board))


async def test_firmware_that_crashes_or_hears_nothing_is_given_up(field, key):
    hand = field.hand
    faults = {
        "crashes": Reason.CRASHED,
        "overflows": Reason.CRASHED,
        "deaf": Reason.UNREACHABLE,
    }
    bad = {linked: release(key, revision=2, linked=linked) for linked in faults}
    boards = {linked: field.board(name) for linked, name in zip(bad, NAMES, strict=False)}
    for linked, board in boards.items():
        board.start()
        await hand.publish_blocks(bad[linked].b, block=BLOCK)
        await hand.grant(board.id, None, firmware=bad[linked].granted(BLOCK))
    for linked, reason in faults.items():
        await given_up(field, boards[linked], bad[linked], reason)
    for linked in ("crashes", "overflows"):
        crash = hand.states[boards[linked].id].crash
        assert (crash.cause, crash.firmware) == (Cause.FAULT, digest(bad[linked].b)[:16])
        assert crash.fault != 0
    crash = hand.states[boards["crashes"].id].crash
    assert SLOT_B <= crash.pc < SLOT_B + FIRMWARE_SIZE
    assert SLOT_B <= crash.lr < SLOT_B + FIRMWARE_SIZE


@pytest.mark.long  # three times as long as the watchdog waits
async def test_firmware_that_hangs_is_given_up(field, key):
    hand, board = field.hand, field.board("twig-0")
    bad = release(key, revision=2, linked="hangs")
    board.start()
    await hand.publish_blocks(bad.b, block=BLOCK)
    await hand.grant(board.id, None, firmware=bad.granted(BLOCK))
    state = await given_up(field, board, bad, Reason.HUNG)
    assert (state.crash.cause, state.crash.firmware) == (Cause.WATCHDOG, digest(bad.b)[:16])


async def given_up(field: Field, board: Booted, bad: Release, reason: Reason) -> State:
    state = await field.hand.state(board.id, lambda s: s.phase == Phase.ROLLEDBACK, SLOW)
    assert (state.reason, state.target) == (reason, digest(bad.b))
    assert state.firmware.active == digest(field.first["an386"].a)
    return state


async def update(field: Field, name: str, new: Release, cut_in: int) -> int:
    """One update with one power cut; returns the flash operations it took in all."""
    board = field.board(name, cut_in)
    board.start(reboots=False)
    await field.hand.grant(board.id, None, firmware=new.granted(BLOCK))
    await confirmed(field.hand, board, new)
    board.kill()
    assert "no firmware may run" not in board.log
    return board.operations


async def sweep(field: Field, key: Ed25519PrivateKey, choose: Callable[[int], list[int]]) -> None:
    """An update for each chosen operation, with a cut there; two boards at a time."""
    new = release(key, revision=2)
    await field.hand.publish_blocks(new.b, block=BLOCK)
    total = await update(field, NAMES[0], new, 0)
    cuts = choose(total)
    free = asyncio.Semaphore(2)

    async def one(number: int, cut: int) -> None:
        async with free:
            done = await update(field, NAMES[1 + number], new, cut)
            assert done > total, f"no cut at operation {cut} of {total}"

    async with asyncio.TaskGroup() as tasks:
        for number, cut in enumerate(cuts):
            tasks.create_task(one(number, cut))


async def test_power_fails_in_some_operations_of_an_update(field, key):
    """The first, one in the middle, and all that the journal takes at the end."""
    await sweep(field, key, lambda total: [1, total // 2, *range(total - 3, total + 1)])


@pytest.mark.long
async def test_power_fails_in_every_operation_of_an_update(field, key, record_property):
    def every(total: int) -> list[int]:
        record_property("cuts", total)
        return list(range(1, total + 1))

    await sweep(field, key, every)
