"""Power fails in the middle of a flash operation of a board in QEMU, and comes back.

Whatever operation it is, the board ends with the update confirmed. ``firmware/tests/test_cuts.c``
tries two cuts in a row on the host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import pytest_asyncio

from hack.testbed.firmware import release
from hack.testbed.models import sign

from .booted import BLOCK, NAMES, Change, Field, FirmwareChange, ModelChange, confirmed


@pytest.fixture(scope="module", autouse=True)
def built(made):
    made("mps2")


@pytest_asyncio.fixture(params=["firmware", "model"])
async def change(request: pytest.FixtureRequest, field: Field, key, first) -> Change:
    """An update whose blocks are at the broker."""
    if request.param == "firmware":
        new = release(key, revision=2)
        await field.hand.publish_blocks(new.b, block=BLOCK)
        return FirmwareChange(new)
    artefact = sign(first, key, security_counter=2)
    await field.hand.publish_blocks(artefact, block=BLOCK)
    return ModelChange(first, artefact)


async def update(field: Field, name: str, change: Change, cut_in: int) -> int:
    """One update with one power cut, or none; returns the flash operations that it took."""
    board = field.board(name, cut_in)
    board.start(reboots=False)
    await change.offer(field.hand, board)
    await confirmed(field.hand, board, change)
    board.kill()
    assert "no firmware may run" not in board.log
    return board.operations


async def sweep(field: Field, change: Change, choose: Callable[[int], list[int]]) -> None:
    """An update for each chosen operation, with a cut there; two boards at a time."""
    total = await update(field, NAMES[0], change, 0)
    free = asyncio.Semaphore(2)

    async def one(name: str, cut: int) -> None:
        async with free:
            done = await update(field, name, change, cut)
            assert done > total, f"no cut in operation {cut} of {total}"

    async with asyncio.TaskGroup() as tasks:
        for name, cut in zip(NAMES[1:], choose(total), strict=False):
            tasks.create_task(one(name, cut))


async def test_power_fails_in_some_operations(field, change, record_property):
    """The first, one in the middle, and what the journal takes at the end."""
    record_property("cuts", 4)
    await sweep(field, change, lambda total: [1, total // 2, total - 1, total])


@pytest.mark.long
async def test_power_fails_in_every_operation(field, change, record_property):
    def every(total: int) -> list[int]:
        assert 10 < total < len(NAMES)
        record_property("cuts", total)
        return list(range(1, total + 1))

    await sweep(field, change, every)
