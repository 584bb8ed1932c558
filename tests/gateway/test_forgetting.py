"""What nobody needs any more is forgotten: devices that were provisioned anew, blocks left over."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiomqtt
import pytest
from typer.testing import CliRunner

from petiole.cli.main import app
from petiole.gateway import schema, sweep
from petiole.gateway.settings import Settings
from petiole.gateway.store import Store
from petiole.wire import topics
from petiole.wire.messages import Reason

from .devices import TestDevice
from .replicas import Several
from .world import World, eventually


async def retained(world: World, *patterns: str) -> set[str]:
    """Topics of what the broker retains: it sends all of that before it acknowledges a ping."""
    found: set[str] = set()
    end = f"{topics.PREFIX}/f/end/halt"
    async with aiomqtt.Client(
        "127.0.0.1", world.broker.port,
        username=world.broker.gateway_user, password=world.broker.gateway_password,
    ) as client:  # fmt: skip
        for pattern in (*patterns, end):
            await client.subscribe(pattern)
        await client.publish(end, b"end")
        async for message in client.messages:
            if message.payload == b"end":
                return found
            found.add(str(message.topic))
    return found


async def provision_anew(world: World, device: TestDevice) -> TestDevice:
    """The same id and password on an empty board."""
    await device.stop()
    fresh = TestDevice(device.id, device.password, device.port)
    world.devices[world.devices.index(device)] = fresh
    return fresh


async def state(world: World, device: str) -> dict[str, object] | None:
    record = (await world.http.get(f"/v1/devices/{device}")).json()
    found: dict[str, object] | None = record["state"]
    return found


async def forget(world: World, device: str, **query: str) -> None:
    answer = await world.http.delete(f"/v1/devices/{device}", params=query)
    assert answer.status_code == 204, answer.text


async def test_a_device_provisioned_anew_is_heard_and_takes_part(tmp_path: Path) -> None:
    async with World(tmp_path, 4, own_process=True) as world:
        first, second = world.revision(1), world.revision(2)
        old = world.devices[0]
        old.boot = 16
        await old.stop()
        old.start()
        await world.put(world.rolling(first, 4))
        await world.until(lambda s: s.counts.updated == 4)
        fresh = await provision_anew(world, old)
        fresh.start()
        await asyncio.sleep(0.5)
        assert (await state(world, fresh.id) or {})["boot"] == 17, "boot 1 is older than boot 17"
        await fresh.stop()

        await forget(world, fresh.id, keep="registration")
        assert await retained(world, *topics.retained(fresh.id)) <= {topics.grant(fresh.id)}
        summary = await world.until(lambda s: s.counts.updated == 3 and s.counts.total == 4)
        assert (summary.exposed, summary.counts.pending + summary.counts.offered) == (3, 1)
        world.kill_gateway()
        await world.start_gateway()
        record = (await world.http.get(f"/v1/devices/{fresh.id}")).json()
        assert (record["registered"], record["labels"]) == (True, {"kind": "meter"})
        assert (record["state"], record["seenAt"], record["history"]) == (None, None, [])

        fresh.start()
        await world.until(lambda s: s.counts.updated == 4 and s.exposed == 4)
        assert (await state(world, fresh.id) or {})["boot"] == fresh.boot < 17
        await world.put(world.rolling(second, 4, stable=first))
        await world.until(lambda s: s.counts.updated == 4)
        assert len(fresh.ran) == 2


async def test_a_forgotten_device_leaves_no_row_and_no_count(tmp_path: Path) -> None:
    async with World(tmp_path, 3, own_process=True) as world:
        revision = world.revision(1)
        gone = world.devices[0]
        gone.behaviour = lambda _: Reason.GOLDEN_MISMATCH
        await world.put(world.rolling(revision, 3))
        await world.until(lambda s: s.counts.updated == 2 and s.counts.failed == 1)
        await gone.stop()
        await forget(world, gone.id)
        summary = await world.until(lambda s: s.counts.total == 2)
        assert (summary.counts.updated, summary.counts.failed, summary.reasons) == (2, 0, {})
        assert (await world.http.get(f"/v1/devices/{gone.id}")).status_code == 404
        assert await retained(world, *topics.retained(gone.id)) == set()
        world.kill_gateway()
        store = Store(Settings.sqlite(tmp_path / "gateway.db"))
        for table in (schema.devices, schema.histories, schema.members, schema.tallies):
            assert gone.id not in str(await store.read(table)), table.name
        await store.close()
        await world.start_gateway()
        summary = await world.until(lambda s: s.counts.total == 2)
        assert (summary.counts.updated, summary.unknown_devices) == (2, 0)


async def test_forgetting_twice_or_amiss_is_told(tmp_path: Path) -> None:
    async with World(tmp_path, 1) as world:
        device = world.devices[0]
        await eventually(lambda: known(world, device.id), "it is heard")
        await device.stop()
        for _ in range(2):  # the first answer may have been lost
            await forget(world, device.id)
        assert (await world.http.delete("/v1/devices/a+b")).status_code == 422
        answer = await world.http.delete(f"/v1/devices/{device.id}", params={"keep": "all"})
        assert answer.status_code == 422


async def known(world: World, device: str) -> bool:
    return await state(world, device) is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_follower_hands_it_on(tmp_path: Path, database_url: str) -> None:
    async with Several(tmp_path, 2, database_url) as world:
        await world.put(world.rolling(world.revision(1), 2))
        await world.until(lambda s: s.counts.updated == 2)
        leader = world.leader()
        assert leader is not None
        await world.ask(1 - leader)
        fresh = await provision_anew(world, world.devices[0])
        command = [
            "devices", "forget", fresh.id, "--keep-registration",
            "--gateway", f"http://127.0.0.1:{world.ports[1 - leader]}", "--token", "secret",
        ]  # fmt: skip
        done = await asyncio.to_thread(CliRunner().invoke, app, command)
        assert done.exit_code == 0, done.output
        assert f"{fresh.id} forgotten, still registered" in done.stdout
        await world.until(lambda s: s.counts.updated == 1)
        fresh.start()
        await world.until(lambda s: s.counts.updated == 2)
        assert (await state(world, fresh.id) or {})["boot"] == 1


async def test_blocks_that_a_lost_database_knew_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "PATIENCE", 3.0)
    async with World(tmp_path, 2, own_process=True) as world:
        lost, current = world.revision(1), world.revision(2)
        await world.put(world.rolling(current, 2, stable=lost))
        await world.until(lambda s: s.counts.updated == 2)
        before = await retained(world, topics.ALL_BLOCKS)
        digests = {
            d: next(iter(r.variants.values())).digest
            for d, r in (("lost", lost), ("current", current))
        }
        assert {t.split("/")[3] for t in before} > set(digests.values())  # and their patch
        world.kill_gateway()
        world.own_process = False  # the next one has the patience of this process
        for name in ("gateway.db", "gateway.db-wal", "gateway.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        await world.start_gateway()
        await world.register()
        await world.put(world.rolling(current, 2))

        async def swept() -> bool:
            found = await retained(world, topics.ALL_BLOCKS)
            assert {t for t in before if digests["current"] in t} <= found, "these are needed"
            return not any(digests["lost"] in topic for topic in found)

        assert not await swept(), "nothing of the database tells of them"
        await eventually(swept, "blocks that nothing names are removed", 30)
        assert (await world.until(lambda s: s.counts.updated == 2)).problems == ()
