"""The database: migrations, upserts, what a failed commit leaves, and a server that dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from hack.testbed.postgres import Postgres
from petiole.gateway import schema
from petiole.gateway.store import Changes, DatabaseError, Store

ARTEFACT = {"digest": "a" * 64, "size": 10, "block_size": 4}
DEVICE = {
    "id": "d", "registered": True, "labels": {"site": "north \u00e9 \"'"}, "state": b"\x00\xff",
    "seen_at": 1.5, "fleet": None, "grant": None,
}  # fmt: skip


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    await store.open()
    yield store
    await store.close()


async def test_migrations_make_what_the_schema_says(store: Store) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, schema.metadata)

    async with store.begin() as connection:
        assert await connection.run_sync(differences) == []


async def test_replicas_that_start_together_migrate_once(database_url: str) -> None:
    stores = [Store(database_url) for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    assert await stores[0].read(schema.devices) == []
    await asyncio.gather(*(store.close() for store in stores))


async def test_the_last_word_on_a_row_counts(store: Store) -> None:
    changes = Changes()
    changes.put(schema.artefacts, ARTEFACT)
    changes.put(schema.artefacts, {**ARTEFACT, "size": 11})
    await store.commit(changes)
    assert [dict(r) for r in await store.read(schema.artefacts)] == [{**ARTEFACT, "size": 11}]

    again = Changes()
    again.put(schema.artefacts, ARTEFACT)
    later = Changes()
    later.delete(schema.artefacts, {"digest": ARTEFACT["digest"]})
    await store.commit(again.before(later))
    assert await store.read(schema.artefacts) == []


async def test_values_come_back_as_they_went(store: Store) -> None:
    others = [{**DEVICE, "id": f"d{n}", "labels": {}, "seen_at": None} for n in range(3)]
    changes = Changes()
    for row in (DEVICE, *others):
        changes.put(schema.devices, row)
    await store.commit(changes)
    for _ in range(2):  # inserted, then replaced
        read = {r["id"]: dict(r) for r in await store.read(schema.devices)}
        assert read == {row["id"]: row for row in (DEVICE, *others)}
        await store.commit(changes)


async def test_a_commit_is_all_or_nothing(store: Store) -> None:
    changes = Changes()
    changes.put(schema.artefacts, ARTEFACT)
    changes.put(schema.histories, {"device": None, "entries": []})
    with pytest.raises(DatabaseError, match=r"(?i)not.null"):
        await store.commit(changes)
    assert await store.read(schema.artefacts) == []


async def test_a_fence_stops_a_commit(store: Store) -> None:
    class NotNowError(Exception):
        pass

    async def closed(_connection: object) -> None:
        raise NotNowError

    changes = Changes()
    changes.put(schema.artefacts, ARTEFACT)
    store.fence(closed)
    with pytest.raises(NotNowError):
        await store.commit(changes)
    assert await store.read(schema.artefacts) == []


async def test_a_text_too_long_is_refused_not_cut(tmp_path: Path, postgres: Postgres) -> None:
    store = Store(await postgres.database("long"))
    await store.open()
    changes = Changes()
    changes.put(schema.artefacts, {**ARTEFACT, "digest": "a" * 65})
    with pytest.raises(DatabaseError, match="too long"):
        await store.commit(changes)
    await store.close()


async def test_a_killed_server_is_met_again_with_all_that_was_committed(tmp_path: Path) -> None:
    with Postgres(tmp_path) as server:
        store = Store(await server.database("fleet"))
        await store.open()
        changes = Changes()
        changes.put(schema.artefacts, ARTEFACT)
        await store.commit(changes)
        server.kill()
        later = Changes()
        later.put(schema.artefacts, {**ARTEFACT, "size": 11})
        with pytest.raises(DatabaseError):
            await store.commit(later)
        await asyncio.to_thread(server.start)
        assert [r["size"] for r in await store.read(schema.artefacts)] == [10]
        await store.commit(later)
        assert [r["size"] for r in await store.read(schema.artefacts)] == [11]
        await store.close()
