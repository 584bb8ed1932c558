"""Rollouts through a real gateway process and a real broker."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from petiole.rollout.cohort import order
from petiole.rollout.plan import Revision
from petiole.wire.messages import Reason

from .world import CONFIDENCE, UPDATE, World, eventually


def digest(revision: Revision) -> str:
    return revision.variants["m4"].digest


async def promoted(world: World, revision: Revision) -> None:
    """Bring all devices to ``revision`` and make it stable."""
    everyone = len(world.devices)
    await world.put(world.rolling(revision, everyone))
    await world.until(lambda s: s.counts.updated == everyone)
    await world.put(world.plan(target=revision, stable=revision))


async def test_only_the_stage_gets_the_revision_in_cohort_order(tmp_path: Path) -> None:
    async with World(tmp_path, 12) as world:
        revision = world.revision(1)
        await world.put(world.rolling(revision, 4))
        summary = await world.until(lambda s: s.counts.updated == 4)
        assert (summary.counts.pending, summary.exposed) == (8, 4)
        await asyncio.sleep(0.5)
        expected = set(order(1, [d.id for d in world.devices])[:4])
        assert {d.id for d in world.devices if d.ran} == expected

        await world.put(world.rolling(revision, 12))
        summary = await world.until(lambda s: s.counts.updated == 12)
        assert summary.running == {digest(revision): 12}
        assert summary.online == 12


async def test_few_are_in_flight_at_once(tmp_path: Path) -> None:
    async with World(tmp_path, 10) as world:
        revision = world.revision(1)
        await world.put(world.rolling(revision, 10, max_in_flight=2))
        most = 0

        def all_updated(summary: object) -> bool:
            nonlocal most
            counts = summary.counts  # type: ignore[attr-defined]
            most = max(most, counts.offered + counts.downloading + counts.trial)
            return bool(counts.updated == 10)

        await world.until(all_updated)
        assert 1 <= most <= 2


async def test_a_bad_revision_is_halted_and_taken_back(tmp_path: Path) -> None:
    async with World(tmp_path, 20) as world:
        good, bad = world.revision(1), world.revision(2)
        await promoted(world, good)
        for device in world.devices:
            device.behaviour = lambda d: Reason.GOLDEN_MISMATCH if d == digest(bad) else Reason.NONE
        plan = world.rolling(bad, 10, stable=good, gates=(UPDATE,), max_in_flight=2)
        await world.put(plan)
        summary = await world.until(lambda s: s.halt is not None)
        assert summary.halt is not None
        assert summary.halt.gate == "update"
        assert "failed" in summary.halt.message
        settled = await world.until(lambda s: s.counts.offered + s.counts.downloading == 0)
        assert settled.reasons == {"golden-mismatch": settled.counts.failed}
        assert settled.counts.failed < 10
        await eventually(
            lambda: all(digest(bad) in d.halted for d in world.devices), "halt reaches everyone"
        )
        await world.put(plan.model_copy(update={"mode": "Reverting", "serial": world.serial + 1}))
        end = await world.until(lambda s: s.running == {digest(good): 20})
        assert end.halt == summary.halt
        await eventually(
            lambda: all(d.grant and d.grant.artefact and d.grant.artefact.digest == digest(good)
                        for d in world.devices),
            "everyone is granted the stable revision",
        )  # fmt: skip


async def test_low_confidence_halts_and_reverts_exposed_devices(tmp_path: Path) -> None:
    async with World(tmp_path, 26) as world:
        good, bad = world.revision(1), world.revision(2)
        await promoted(world, good)
        plan = world.rolling(bad, 12, stable=good, gates=(CONFIDENCE,))
        await world.put(plan)
        await world.until(lambda s: s.counts.updated == 12)

        async def feed() -> None:
            while True:
                for number, device in enumerate(world.devices):
                    mean = 150 if device.active == digest(bad) else 220
                    await device.send_stats(30, mean + number % 5)
                await asyncio.sleep(0.3)

        feeding = asyncio.create_task(feed())
        try:
            summary = await world.until(lambda s: s.halt is not None)
        finally:
            feeding.cancel()
        assert summary.halt is not None
        assert summary.halt.gate == "confidence"
        (part,) = summary.evidence[0].strata
        assert (part.canary.devices, part.control.devices) == (12, 14)
        assert part.control.mean - part.canary.mean == pytest.approx(70 / 255, abs=0.02)

        # The operator is slow: exposed devices keep what they have until it says otherwise.
        assert summary.running[digest(bad)] == 12
        await world.put(plan.model_copy(update={"mode": "Reverting", "serial": world.serial + 1}))
        end = await world.until(lambda s: s.counts.reverted == 12)
        assert end.running == {digest(good): 26}
        assert end.exposed == 12


@pytest.mark.parametrize(
    "moment", [0.3, *(pytest.param(m, marks=pytest.mark.long) for m in (0.0, 0.8))]
)
async def test_a_killed_gateway_changes_nothing_in_the_end(tmp_path: Path, moment: float) -> None:
    async with World(tmp_path, 12, own_process=True) as world:
        revision = world.revision(1)
        await world.put(world.rolling(revision, 5, max_in_flight=1))
        await asyncio.sleep(moment)
        world.kill_gateway()
        await asyncio.sleep(0.3)
        await world.start_gateway()
        summary = await world.until(lambda s: s.counts.updated == 5)
        assert summary.exposed == 5
        await asyncio.sleep(0.5)
        expected = set(order(1, [d.id for d in world.devices])[:5])
        assert {d.id for d in world.devices if d.ran} == expected
        assert all(d.ran == [digest(revision)] for d in world.devices if d.ran)


async def test_a_halt_outlives_the_gateway(tmp_path: Path) -> None:
    async with World(tmp_path, 16, own_process=True) as world:
        good, bad = world.revision(1), world.revision(2)
        await promoted(world, good)
        for device in world.devices:
            device.behaviour = lambda d: Reason.BAD_SIGNATURE if d == digest(bad) else Reason.NONE
        await world.put(world.rolling(bad, 16, stable=good, gates=(UPDATE,), max_in_flight=1))
        before = await world.until(lambda s: s.halt is not None)
        world.kill_gateway()
        await world.start_gateway()
        after = await world.until(lambda s: s.counts.offered + s.counts.downloading == 0)
        assert after.halt == before.halt
        assert after.version > before.version
        await asyncio.sleep(0.5)
        assert (await world.summary()).counts.failed == after.counts.failed < 16


async def test_everything_retained_comes_back_with_an_empty_broker(tmp_path: Path) -> None:
    async with World(tmp_path, 4) as world:
        revision = world.revision(1)
        await promoted(world, revision)
        late = world.devices[0]
        await late.stop()
        world.broker.kill()
        (tmp_path / "broker" / "mosquitto.db").unlink(missing_ok=True)
        await world.until(lambda s: any("broker" in p for p in s.problems))
        world.broker.start()
        await world.until(lambda s: s.problems == ())
        late.active, late.ran = None, []
        late.start()
        await eventually(lambda: late.ran == [digest(revision)], "the device is served again")


async def test_a_new_device_gets_the_stable_revision(tmp_path: Path) -> None:
    async with World(tmp_path, 4) as world:
        newcomer = world.devices.pop()
        revision = world.revision(1)
        await newcomer.stop()
        await world.http.put("/v1/devices", json=[{"id": newcomer.id, "labels": {}}])
        await promoted(world, revision)
        world.devices.append(newcomer)
        newcomer.start()
        await world.register()
        await eventually(lambda: newcomer.ran == [digest(revision)], "it is up to date")
        await world.until(lambda s: s.counts.updated == 4)


async def test_silent_and_ineligible_devices_are_named(tmp_path: Path) -> None:
    async with World(tmp_path, 5) as world:
        world.devices[0].slot = 100
        world.devices[1].target = "other"
        for device in world.devices[:3]:
            await device.stop()
        for device in world.devices[:2]:
            device.start()
        revision = world.revision(1)
        dead = world.devices[2]
        await world.put(world.rolling(revision, 5, no_report_after_seconds=1.5))
        summary = await world.until(lambda s: s.counts.silent == 1 and s.counts.ineligible == 2)
        assert summary.counts.updated == 2
        assert (
            await reason(world, "dev-000") == "the artefact has 2700 bytes, the device's slot 100"
        )
        assert "no variant for target 'other'" in await reason(world, "dev-001")
        dead.start()
        await world.until(lambda s: s.counts.updated == 3 and s.counts.silent == 0)


async def reason(world: World, device: str) -> str:
    return str((await world.http.get(f"/v1/devices/{device}")).json()["reason"])
