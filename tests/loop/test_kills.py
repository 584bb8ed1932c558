"""``kill -9`` of the operator and the gateway, in a round and in a rollout, changes nothing."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from petiole.rollout.cohort import order
from petiole.wire.messages import Phase

from .orchard import Orchard, device_fleet, digests_of, meters, planted, tiny_model

FLEET_SIZE = 40
ROUND_SECONDS = 240.0
ROLLOUT_SECONDS = 150.0
FEWEST = 4  # kills in a rollout


@pytest.mark.timeout(600)
async def test_the_end_is_the_same(tmp_path: Path) -> None:
    async with planted(tmp_path, meters(FLEET_SIZE)) as orchard, limits_seen(orchard) as stages:
        orchard.apply(tiny_model(orchard.data), device_fleet())
        await kill_both_in_every_step_of_the_round(orchard)
        model = await orchard.wait(
            "version 1", "tinymodels", "digits", lambda s: s.get("latestVersion"), ROUND_SECONDS
        )
        killed = await kill_both_while_it_rolls_out(orchard)
        fleet = await orchard.wait(
            "the promotion",
            "devicefleets",
            "meters",
            lambda s: s.get("revision", {}).get("stable") == 1 and s["mode"] == "Idle",
            ROLLOUT_SECONDS,
        )
        assert killed >= FEWEST, "the rollout was over before it had been disturbed enough"

        digests = digests_of(model, 1)
        await all_devices_run(orchard, digests)
        assert [entry["result"] for entry in fleet["history"]] == ["Promoted"]
        assert fleet["history"][0]["updated"] == FLEET_SIZE
        no_run_started_twice(orchard)
        no_device_ahead_of_its_stage(orchard, digests, stages)


@asynccontextmanager
async def limits_seen(orchard: Orchard) -> AsyncIterator[list[tuple[float, int]]]:
    """What the operator allowed, and when that was seen in the object's status."""
    stages: list[tuple[float, int]] = []
    watching = asyncio.create_task(_watch(orchard, stages))
    try:
        yield stages
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(orchard: Orchard, stages: list[tuple[float, int]]) -> None:
    while True:
        try:
            status = await asyncio.to_thread(orchard.status, "devicefleets", "meters")
        except Exception:  # noqa: BLE001 - the object is not there yet
            status = {}
        limit = status.get("stage", {}).get("limit", 0)
        if limit and (not stages or stages[-1][1] != limit):
            stages.append((time.time(), limit))
        await asyncio.sleep(0.05)


async def kill_both_in_every_step_of_the_round(orchard: Orchard) -> None:
    """Once while each pipeline run is under way: the run goes on and is found again."""
    killed: set[str] = set()
    end = time.monotonic() + ROUND_SECONDS
    while time.monotonic() < end:
        status = await asyncio.to_thread(orchard.status, "tinymodels", "digits")
        if status.get("latestVersion"):
            break
        for folder in orchard.run_folders():
            if folder.name not in killed and not (folder / "result.json").exists():
                await kill_operator(orchard)
                await kill_gateway(orchard)
                killed.add(folder.name)
        await asyncio.sleep(0.1)
    assert any(name.endswith("-query") for name in killed)
    assert any(name.endswith("-train") for name in killed)


async def kill_both_while_it_rolls_out(orchard: Orchard) -> int:
    """Operator and gateway in turn, at seeded moments, until the revision is stable."""
    moments = random.Random(5)
    kills = 0
    end = time.monotonic() + ROLLOUT_SECONDS
    while time.monotonic() < end:
        status = await asyncio.to_thread(orchard.status, "devicefleets", "meters")
        if status.get("revision", {}).get("stable") == 1:
            break
        # Soon at first, before it is over; then seldom, so that it moves between them.
        await asyncio.sleep(moments.uniform(*((0.2, 1.5) if kills < FEWEST else (0.5, 3.0))))
        await (kill_gateway, kill_operator)[kills % 2](orchard)
        kills += 1
    return kills


async def kill_operator(orchard: Orchard) -> None:
    assert orchard.testbed.operator is not None
    orchard.testbed.operator.kill()
    await asyncio.to_thread(orchard.testbed.start_operator)


async def kill_gateway(orchard: Orchard) -> None:
    assert orchard.testbed.gateway is not None
    orchard.testbed.gateway.kill()
    await asyncio.to_thread(orchard.testbed.start_gateway)


async def all_devices_run(orchard: Orchard, digests: list[str]) -> None:
    end = time.monotonic() + 20.0
    while True:
        latest = orchard.witness.latest()
        settled = [
            d
            for d, state in latest.items()
            if state.active in digests and state.phase is Phase.CONFIRMED
        ]
        if len(settled) == FLEET_SIZE:
            return
        assert time.monotonic() < end, {d: (s.phase, s.reason) for d, s in latest.items()}
        await asyncio.sleep(0.2)


def no_run_started_twice(orchard: Orchard) -> None:
    """One folder a step, each started once: two queries and one training."""
    results = [json.loads((f / "result.json").read_text()) for f in orchard.run_folders()]
    assert [result["state"] for result in results] == ["Succeeded"] * len(results)
    names = [folder.name for folder in orchard.run_folders()]
    assert sorted(name.rsplit("-", 1)[1] for name in names) == ["query", "query", "train"], names


def no_device_ahead_of_its_stage(
    orchard: Orchard, digests: list[str], stages: list[tuple[float, int]]
) -> None:
    """The witness' first sight of a device with the revision comes after its rank was allowed."""
    rank = {device: n for n, device in enumerate(order(1, [d.id for d in orchard.devices]))}
    allowed_at: dict[int, float] = {}
    for at, limit in stages:
        for n in range(limit):
            allowed_at.setdefault(n, at)
    assert [limit for _, limit in stages] == [12, 20, FLEET_SIZE]
    early: list[Any] = [
        (device, rank[device], at - allowed_at[rank[device]])
        for device, at in orchard.witness.first_active(digests).items()
        if at < allowed_at[rank[device]] - 1.0  # the status is written beside the plan, not before
    ]
    assert early == []
