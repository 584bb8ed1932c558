"""Firmware for boards in QEMU, from ``kubectl apply`` of a bundle to the fleet's status.

Bundles are made by ``petiole firmware build`` and ``sign`` of what the linker made. What is bad in
one is in its code: firmware/tests/faulty_*.c.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hack.testbed.crowd import FLEET
from hack.testbed.waits import wait_until

from .boards import LAN, SERIAL, Boards, planted

# Both boards at once: one that fails may be broken itself, two are the firmware.
ROLLOUT = {
    "stages": [{"name": "all", "size": "100%"}],
    "gates": [
        {"name": "update", "outcome": "Confirmed", "test": {"good": "10%", "bad": "90%"}},
    ],
    "noReportAfter": "120s",
}
REASONS = {"crashes": "crashed", "hangs": "hung", "deaf": "unreachable", "wears": "crashed"}
SOAKED = {**ROLLOUT, "stages": [{"name": "all", "size": "100%", "soak": "2m"}]}
HASTY = {**ROLLOUT, "gates": []}
CAUSES = {"crashed": "fault", "hung": "watchdog"}
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", autouse=True)
def built(made) -> None:
    for target in ("mps2", "faulty", "lan", "lan-faulty"):
        made(target)


@pytest_asyncio.fixture
async def boards(tmp_path: Path) -> AsyncIterator[Boards]:
    async with planted(tmp_path) as fleet:
        yield fleet


@pytest.mark.long
async def test_good_firmware_reaches_both_boards_and_what_crashes_is_taken_back(boards) -> None:
    await reaches_all(boards)
    await is_taken_back(boards, "crashes")


@pytest.mark.long
async def test_what_hangs_or_reaches_nobody_is_taken_back(boards) -> None:
    await reaches_all(boards)
    for linked in ("hangs", "deaf"):
        await is_taken_back(boards, linked)


@pytest.mark.long
async def test_what_is_well_on_trial_and_then_crashes_is_taken_back_while_it_soaks(boards) -> None:
    await reaches_all(boards)
    await is_taken_back(boards, "wears", SOAKED)


@pytest.mark.long
async def test_what_crashes_after_its_rollout_is_given_up_by_each_board_and_seen(boards) -> None:
    await reaches_all(boards)
    good = boards.firmware()
    await boards.bundle("wears", HASTY)
    status = await boards.wait(lambda s: s["gaveUp"] == 2, 180.0, "both boards to give it up")
    assert status["history"][-1]["result"] == "Promoted"
    assert (status["firmware"]["stable"], status["mode"]) == (2, "Idle")
    described = boards.crowd.testbed.cluster.kubectl("describe", "devicefleet", FLEET)
    assert "2 devices gave up firmware 2: 2 crashed" in described
    said_so(boards, "crashed")
    assert boards.firmware() == good
    await boards.answer()


async def reaches_all(boards: Boards) -> None:
    """Roll out the model, and firmware as it should be."""
    before = boards.firmware()
    await boards.bundle("agent", ROLLOUT)
    status = await boards.wait(
        lambda s: (
            s.get("mode") == "Idle" and (s["firmware"]["stable"], s["revision"]["stable"]) == (1, 1)
        ),
        120.0,
        "firmware and model",
    )
    assert [(e["kind"], e["updated"]) for e in status["history"]] == [("Firmware", 2), ("Model", 2)]
    after = boards.firmware()
    assert all(after[name] != before[name] for name in (SERIAL, LAN))
    await boards.answer()


async def is_taken_back(boards: Boards, linked: str, rollout: Mapping[str, Any] = ROLLOUT) -> None:
    """Roll out a bundle that fails: both boards fall back by themselves, the fleet says why."""
    reason, good = REASONS[linked], boards.firmware()
    await boards.bundle(linked, rollout)
    number = boards.revision - 1
    status = await boards.wait(
        lambda s: s["firmware"]["failed"] == number and s["mode"] == "Idle",
        180.0,
        f"the end of firmware that {linked}",
    )
    ended = status["history"][-1]
    assert (ended["kind"], ended["result"], ended["exposed"]) == ("Firmware", "Reverted", 2)
    assert f"2 {reason})" in ended["message"]
    assert (status["firmware"]["stable"], status["revision"]["stable"]) == (1, 1)
    described = boards.crowd.testbed.cluster.kubectl("describe", "devicefleet", FLEET)
    assert f"Reverted firmware {number}" in described
    assert f"2 {reason})" in described
    said_so(boards, reason)
    await asyncio.to_thread(
        wait_until, lambda: boards.firmware() == good, 60.0, "both to run what is good"
    )
    await boards.answer()


def said_so(boards: Boards, reason: str) -> None:
    """Check that the record of each board has the reason, and its last crash where it crashed."""
    for record in boards.records().values():
        assert (reason, "rolledback") in [(e["reason"], e["phase"]) for e in record["history"]]
        if reason in CAUSES:
            assert record["state"]["crash"]["cause"] == CAUSES[reason]
