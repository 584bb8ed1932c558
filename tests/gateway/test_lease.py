"""The lease: one holder at a time, by the database's clock, and no commit of an earlier one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from hack.testbed.postgres import Postgres
from petiole.gateway import schema
from petiole.gateway.lease import Lease, LeaseLostError
from petiole.gateway.store import Changes, DatabaseError, Store

ARTEFACT = {"digest": "a" * 64, "size": 10, "block_size": 4}


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[list[Store]]:
    stores = [Store(database_url) for _ in range(3)]
    await stores[0].open()
    yield stores
    for store in stores:
        await store.close()


async def run_out(store: Store) -> None:
    """Let the lease's time pass."""
    async with store.begin() as connection:
        await connection.execute(text("UPDATE lease SET expires = expires - 100"))


async def test_one_of_many_takes_it(stores: list[Store]) -> None:
    leases = [Lease(store, f"http://{n}") for n, store in enumerate(stores)]
    taken = await asyncio.gather(*(lease.take() for lease in leases))
    assert sorted(taken) == [False, False, True]
    first = leases[taken.index(True)]
    assert [lease.held for lease in leases] == taken
    assert await leases[0].leader() == first.holder

    await run_out(stores[0])
    assert await leases[0].leader() == ""
    others = [lease for lease in leases if lease is not first]
    assert sorted(await asyncio.gather(*(lease.take() for lease in others))) == [False, True]
    with pytest.raises(LeaseLostError, match="took the lead"):
        await first.renew()
    assert not first.held


async def test_a_commit_of_an_earlier_holder_writes_nothing(stores: list[Store]) -> None:
    old, new = Lease(stores[0], "http://old"), Lease(stores[1], "http://new")
    for lease, store in ((old, stores[0]), (new, stores[1])):
        store.fence(lease.fence)
    changes = Changes()
    changes.put(schema.artefacts, ARTEFACT)
    assert await old.take()
    await run_out(stores[2])
    await stores[0].commit(changes)  # late, but nobody took it: the commit renews
    assert not await new.take()
    await run_out(stores[2])
    assert await new.take()
    changes.put(schema.artefacts, {**ARTEFACT, "size": 11})
    with pytest.raises(LeaseLostError):
        await stores[0].commit(changes)
    assert [row["size"] for row in await stores[2].read(schema.artefacts)] == [10]
    assert await old.leader() == "http://new"


async def test_a_process_takes_its_own_address_lease_at_once(stores: list[Store]) -> None:
    before, after = (Lease(store, "http://same") for store in stores[:2])
    assert await before.take()
    assert await after.take()
    assert after.term == before.term + 1
    with pytest.raises(LeaseLostError):
        await before.renew()


async def test_the_leader_sees_who_follows(stores: list[Store]) -> None:
    leader, other = Lease(stores[0], "http://a"), Lease(stores[1], "http://b")
    assert await leader.take()
    assert await other.follow("first connection") == "http://a"
    assert await leader.renew() == {"first connection"}
    assert await other.follow("second connection") == "http://a"
    assert await leader.renew() == {"second connection"}
    async with stores[2].begin() as connection:
        await connection.execute(text("UPDATE replicas SET expires = expires - 100"))
    assert await leader.renew() == set()

    await other.follow("third connection")
    await leader.release()
    assert await other.take()
    assert await other.renew() == set(), "who leads is no other"


async def test_a_leader_stopped_in_a_transaction_does_not_hold_it_for_ever(
    postgres: Postgres,
) -> None:
    """With PostgreSQL. The lock of SQLite ends with the process that holds it only."""
    url = await postgres.database("stopped")
    stores = Store(url), Store(url)
    await stores[0].open()
    old, new = Lease(stores[0], "http://old"), Lease(stores[1], "http://new")
    assert await old.take()
    held = stores[0].begin()
    connection = await held.__aenter__()
    await old.fence(connection)  # the row is locked, and the process says nothing more
    deadline = time.monotonic() + 15
    while not await new.take():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    with pytest.raises(DatabaseError):
        await held.__aexit__(None, None, None)
    for store in stores:
        await store.close()
