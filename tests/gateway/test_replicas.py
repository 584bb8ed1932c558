"""Several gateways on one broker: any may die or be stopped, and nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from pathlib import Path

import httpx
import pytest
import structlog
from sqlalchemy import text

from hack.testbed.postgres import Postgres
from petiole.gateway import schema
from petiole.gateway.lease import LIFE, LeaseLostError
from petiole.gateway.relay import REREAD
from petiole.gateway.settings import Settings
from petiole.gateway.store import Store
from petiole.rollout.cohort import order
from petiole.rollout.plan import Revision
from petiole.rollout.stages import in_flight

from .replicas import Several, witness
from .world import FLEET, World, eventually

log = structlog.get_logger()

FLEET_SIZE = 200
CANARIES = 60
TAKEN_OVER = 10.0  # seconds: 4 for the lease to run out, the rest for a busy machine


def digest(revision: Revision) -> str:
    return revision.variants["m4"].digest


def cohort(world: Several) -> list[str]:
    return order(1, [d.id for d in world.devices])


async def taken_over(world: Several, earlier: int) -> int:
    """Wait until another replica leads; returns its number."""
    start = time.monotonic()

    def other() -> bool:
        return world.leader() not in (None, earlier)

    await eventually(lambda: asyncio.to_thread(other), "another leads", TAKEN_OVER)
    log.info("taken over", seconds=round(time.monotonic() - start, 1))
    leader = world.leader()
    assert leader is not None
    return leader


async def roll(world: Several, revision: Revision, limit: int) -> None:
    await world.put(world.rolling(revision, limit, max_in_flight=20))


def ran_once(world: Several, revision: Revision, allowed: set[str]) -> None:
    """Each allowed device took the revision, once, and nobody else did."""
    assert {d.id for d in world.devices if d.ran} == allowed
    assert all(d.ran in ([], [digest(revision)]) for d in world.devices)


LONG = pytest.mark.long
BOTH_IN_LONG = pytest.mark.parametrize(
    "database_url", ["postgresql", pytest.param("sqlite", marks=LONG)], indirect=True
)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("database_url", "victim"),
    [
        ("postgresql", "leader"),
        ("sqlite", "follower"),
        pytest.param("sqlite", "leader", marks=LONG),
        pytest.param("postgresql", "follower", marks=LONG),
    ],
    indirect=["database_url"],
)
async def test_a_killed_replica_changes_nothing_in_the_end(
    tmp_path: Path, database_url: str, victim: str
) -> None:
    world = Several(tmp_path, FLEET_SIZE, database_url)
    revision = world.revision(1)
    async with world, witness(world, revision) as seen:
        await roll(world, revision, CANARIES)
        await world.until(lambda s: s.counts.updated >= 10)
        leader = world.leader()
        assert leader is not None
        killed = leader if victim == "leader" else 1 - leader
        await world.ask(1 - killed)
        world.replicas[killed].kill()
        if victim == "leader":
            leader = await taken_over(world, killed)
        summary = await world.until(lambda s: s.counts.updated == CANARIES, 40)
        assert (summary.exposed, summary.counts.pending) == (CANARIES, FLEET_SIZE - CANARIES)
        await eventually(lambda: len(seen.first) >= CANARIES, "the witness has seen them granted")
        assert set(seen.first) == set(cohort(world)[:CANARIES])
        ran_once(world, revision, set(cohort(world)[:CANARIES]))

        await world.start(killed)
        assert world.leader() == leader
        await world.followed(1)
        await world.ask(killed)  # the one that came back follows, and hands on
        widened = time.monotonic()
        await roll(world, revision, FLEET_SIZE)
        summary = await world.until(lambda s: s.counts.updated == FLEET_SIZE, 60)
        assert summary.exposed == FLEET_SIZE
        assert summary.running == {digest(revision): FLEET_SIZE}
        ran_once(world, revision, {d.id for d in world.devices})
        late = set(cohort(world)[CANARIES:])
        assert all(at >= widened for device, at in seen.first.items() if device in late)


@BOTH_IN_LONG
async def test_both_hear_and_all_counts_arrive(tmp_path: Path, database_url: str) -> None:
    async with Several(tmp_path, 40, database_url) as world:
        revision = world.revision(1)
        await roll(world, revision, 40)
        await world.until(lambda s: s.counts.updated == 40)
        for confidence in (200, 100):
            for device in world.devices:
                await device.send_stats(5, confidence)
        query = {"digest": digest(revision)}

        async def all_there() -> bool:
            url = f"/v1/fleets/{world.plan().fleet}/windows"
            found = (await world.http.get(url, params=query)).json()
            return (
                sum(w["count"] for w in found) == 40 * 10
                and sum(w["confidenceSum"] for w in found) == 40 * 5 * 300
            )

        await eventually(all_there, "closed windows add up to what was sent")
        samples = [await d.send_sample(f"input of {d.id}".encode()) for d in world.devices]
        await eventually(
            lambda: all(s in d.acks for d, s in zip(world.devices, samples, strict=True)),
            "every sample is acknowledged",
        )
        leader = world.leader()
        assert leader is not None
        relayed = await asyncio.to_thread(
            world.number, "petiole_gateway_relayed_messages_total", 1 - leader
        )
        assert relayed >= 20, "the follower was dealt its part"


@BOTH_IN_LONG
async def test_a_leader_that_was_stopped_does_no_harm(tmp_path: Path, database_url: str) -> None:
    world = Several(tmp_path, 60, database_url)
    revision = world.revision(1)
    async with world, witness(world, revision) as seen:
        await roll(world, revision, 5)
        await world.until(lambda s: s.counts.updated == 5)
        stopped = world.leader()
        assert stopped is not None
        await world.ask(stopped)
        plan = world.rolling(revision, 60, max_in_flight=2)
        if "postgresql" in database_url:
            await world.put(plan)  # in the midst of things; who holds SQLite's lock holds all
            await world.until(lambda s: s.counts.updated > 7)
        world.signal(stopped, signal.SIGSTOP)
        await world.ask(1 - stopped)
        leader = await taken_over(world, stopped)
        await world.put(plan.model_copy(update={"mode": "Paused", "serial": world.serial + 1}))
        settled = await world.until(lambda s: in_flight(s.counts) == 0)
        granted = dict(seen.first)
        world.signal(stopped, signal.SIGCONT)
        status = await asyncio.to_thread(world.replicas[stopped].wait, 15)
        assert status == 3
        assert "another replica took the lead" in world.replicas[stopped].tail()
        await asyncio.sleep(1.0)
        assert seen.first == granted
        assert world.leader() == leader
        summary = await world.summary()
        assert (summary.exposed, summary.counts) == (settled.exposed, settled.counts)
        assert len(granted) == settled.exposed


@BOTH_IN_LONG
async def test_a_follower_leads_at_once_when_the_leader_is_told_to_end(
    tmp_path: Path, database_url: str
) -> None:
    async with Several(tmp_path, 2, database_url) as world:
        leader = world.leader()
        assert leader is not None
        await world.ask(1 - leader)
        await asyncio.to_thread(world.replicas[leader].stop)
        start = time.monotonic()
        await world.put(world.plan())
        assert world.leader() == 1 - leader
        assert time.monotonic() - start < LIFE - 0.5, "it did not wait for the lease to run out"


@BOTH_IN_LONG
async def test_what_a_stopped_follower_was_dealt_is_read_again(
    tmp_path: Path, database_url: str
) -> None:
    async with Several(tmp_path, 30, database_url) as world:
        leader = world.leader()
        assert leader is not None
        await world.ask(leader)
        await asyncio.sleep(REREAD + 1)  # from then on the leader hears its share only
        world.signal(1 - leader, signal.SIGSTOP)
        revision = world.revision(1)
        await world.put(world.rolling(revision, 30))
        await eventually(lambda: all(d.ran for d in world.devices), "all took it", 10)
        await world.until(lambda s: s.counts.updated == 30, 15)
        world.signal(1 - leader, signal.SIGCONT)
        await world.followed(1)
        assert (await world.summary()).counts.updated == 30


async def test_a_killed_database_stops_everything_until_it_is_back(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres") as server:
        url = await server.database("fleet")
        async with Several(tmp_path, 30, url, count=1) as world:
            revision = world.revision(1)
            await world.put(world.rolling(revision, 30, max_in_flight=3))
            await world.until(lambda s: s.counts.updated >= 5)
            server.kill()
            await eventually(lambda: unready(world), "it says so")
            await asyncio.sleep(LIFE)  # longer than the lead lasts without the database
            assert sum(bool(d.ran) for d in world.devices) < 30, "nothing moves"
            await asyncio.to_thread(server.start)
            summary = await world.until(lambda s: s.counts.updated == 30 and not s.problems, 30)
            assert summary.exposed == 30
            ran_once(world, revision, {d.id for d in world.devices})
            assert world.replicas[0].alive


async def test_nothing_is_written_once_the_lead_is_lost(tmp_path: Path) -> None:
    async with World(tmp_path, 2) as world:
        store = Store(Settings.sqlite(tmp_path / "gateway.db"))
        async with store.begin() as connection:
            await connection.execute(
                text("UPDATE lease SET term = term + 1, holder = 'http://other'")
            )
        body = world.plan().model_dump(mode="json", by_alias=True)
        with contextlib.suppress(httpx.HTTPError):  # the process ends before it can answer
            await world.http.put(f"/v1/fleets/{FLEET}/plan", json=body)
        assert world._task is not None
        with pytest.raises(LeaseLostError, match="another replica"):
            await asyncio.wait_for(world._task, 10)
        world._task = None
        assert await store.read(schema.fleets) == []
        await store.close()


async def unready(world: Several) -> bool:
    answer = await world.http.get("/readyz")
    return answer.status_code == 503 and "database" in answer.text
