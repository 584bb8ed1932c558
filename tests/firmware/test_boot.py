"""Firmware updates on boards in QEMU: boot loader, agent, broker and images are real."""

from __future__ import annotations

import asyncio

import pytest

from hack.testbed.boards import BOARDS, FIRMWARE_OFFSET, FIRMWARE_SIZE, BoardName
from hack.testbed.firmware import Release, release
from hack.testbed.models import digest
from petiole.wire.messages import Cause, Phase, Reason, State

from .booted import BLOCK, NAMES, SLOW, Booted, Field, FirmwareChange, confirmed

STARTS_MAX = 5  # firmware/boot/choose.h
SLOT_B = 0x21000000 + FIRMWARE_OFFSET + 0x4000 + FIRMWARE_SIZE


@pytest.fixture(scope="module", autouse=True)
def built(made):
    made("boards")
    made("faulty")


async def test_firmware_is_updated_over_a_power_cut(field, key):
    hand, board = field.hand, field.board("twig-0")
    new = release(key, revision=2, security_counter=3)
    board.start()
    state = await hand.state(board.id, lambda _: True, SLOW)
    assert state.firmware.active == digest(field.first().a)
    assert state.caps.firmware == FIRMWARE_SIZE
    total = -(-len(new.b) // BLOCK)
    await hand.publish_blocks(new.b, leave_out=frozenset({total - 1}), block=BLOCK)
    await hand.grant(board.id, None, firmware=new.granted(BLOCK))
    await hand.state(board.id, lambda s: s.got == total - 1, SLOW)
    board.kill()
    await hand.remove_blocks(new.b, block=BLOCK)  # what it holds it cannot get again
    await hand.publish_blocks(new.b, leave_out=frozenset(range(total - 1)), block=BLOCK)
    board.start()
    state = await confirmed(hand, board, FirmwareChange(new))
    assert (state.firmware.standby, state.firmware.floor) == (digest(field.first().a), 3)
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
        state = await confirmed(field.hand, made, FirmwareChange(new))
        assert state.firmware.standby == digest(field.first(board).a)

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


async def test_firmware_that_crashes_once_it_is_confirmed_gives_way_to_the_one_before(field, key):
    hand, board = field.hand, field.board("twig-0")
    bad = release(key, revision=2, linked="wears")
    board.start()
    await hand.publish_blocks(bad.b, block=BLOCK)
    change = FirmwareChange(bad)
    await change.offer(hand, board)
    await hand.state(board.id, lambda s: s.phase == Phase.TRIAL, SLOW)
    await change.support(hand, board)
    state = await given_up(field, board, bad, Reason.CRASHED)
    assert board.log.count("boot: slot B\n") == STARTS_MAX - 1  # it was first started on trial
    assert "boot: slot B: crashed" in board.log
    assert state.firmware.standby == digest(bad.b)


async def test_the_only_firmware_is_started_again_though_it_crashes(field, key):
    board = field.board("twig-0", first=release(key, revision=1, linked="wears"))
    board.start()
    for _ in range(SLOW * 10):
        if board.log.count("boot: slot A\n") > STARTS_MAX + 1:
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail(board.log)
    assert "no firmware may run" not in board.log


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
    assert state.firmware.active == digest(field.first().a)
    return state
