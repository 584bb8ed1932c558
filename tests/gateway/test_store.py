"""The database: migrations, upserts, and what a failed commit leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from petiole.gateway import schema
from petiole.gateway.settings import Settings
from petiole.gateway.store import Changes, Store, migrate

ARTEFACT = {"digest": "a" * 64, "size": 10, "block_size": 4}


@pytest.fixture
async def store(tmp_path: Path) -> Store:
    store = Store(Settings.sqlite(tmp_path / "gateway.db"))
    await store.open()
    return store


def test_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/gateway.db")
    with engine.begin() as connection:
        migrate(connection)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


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


async def test_a_commit_is_all_or_nothing(store: Store) -> None:
    changes = Changes()
    changes.put(schema.artefacts, ARTEFACT)
    changes.put(schema.histories, {"device": None, "entries": []})
    with pytest.raises(SQLAlchemyError):
        await store.commit(changes)
    assert await store.read(schema.artefacts) == []
