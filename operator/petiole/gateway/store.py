"""The fleet store: everything the gateway must know after a SIGKILL, in one database.

The gateway decides in memory and writes what changed in one transaction a step (a group commit),
always before it tells a device. SQLite is the default; PostgreSQL knows the same upsert.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, RowMapping, Table, bindparam, delete, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

Row = dict[str, Any]


class Changes:
    """Rows to write or delete; the last word on a key counts."""

    def __init__(self) -> None:
        self._tables: dict[Table, dict[tuple[Any, ...], Row | None]] = {}

    def __bool__(self) -> bool:
        return bool(self._tables)

    def put(self, table: Table, row: Row) -> None:
        """Insert or replace ``row``; all columns must be there."""
        self._tables.setdefault(table, {})[_key(table, row)] = row

    def delete(self, table: Table, key: Row) -> None:
        """Delete the row with this whole primary key."""
        self._tables.setdefault(table, {})[_key(table, key)] = None

    def before(self, later: Changes) -> Changes:
        """Join both, with the last word to ``later``."""
        for table, rows in later._tables.items():
            self._tables.setdefault(table, {}).update(rows)
        return self

    def items(self) -> list[tuple[Table, list[Row], list[Row]]]:
        """For each table: rows to put, keys to delete."""
        return [
            (
                table,
                [row for row in rows.values() if row is not None],
                [
                    dict(zip([f"k_{c.name}" for c in table.primary_key], key, strict=True))
                    for key, row in rows.items()
                    if row is None
                ],
            )
            for table, rows in self._tables.items()
        ]


class Store:
    """Opens, migrates, reads and writes the database."""

    def __init__(self, url: str) -> None:
        self._engine: AsyncEngine = create_async_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine.sync_engine, "connect", _tune_sqlite)

    async def open(self) -> None:
        """Bring the schema up to date."""
        async with self._engine.begin() as connection:
            await connection.run_sync(migrate)

    async def read(self, table: Table) -> Sequence[RowMapping]:
        """All rows of ``table``."""
        async with self._engine.connect() as connection:
            return (await connection.execute(select(table))).mappings().all()

    async def commit(self, changes: Changes) -> None:
        """Write all of ``changes`` or nothing; sqlalchemy.exc.SQLAlchemyError when it cannot."""
        async with self._engine.begin() as connection:
            for table, puts, deletes in changes.items():
                if puts:
                    await self._upsert(connection, table, puts)
                if deletes:
                    keys = [c == bindparam(f"k_{c.name}") for c in table.primary_key]
                    await connection.execute(delete(table).where(*keys), deletes)

    async def close(self) -> None:
        await self._engine.dispose()

    async def _upsert(self, connection: AsyncConnection, table: Table, rows: list[Row]) -> None:
        dialect = sqlite if self._engine.dialect.name == "sqlite" else postgresql
        insert = dialect.insert(table)
        keys = {c.name for c in table.primary_key}
        values = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in keys}
        await connection.execute(
            insert.on_conflict_do_update(index_elements=list(keys), set_=values), rows
        )


def migrate(connection: Connection) -> None:
    """Run the migrations that this database lacks."""
    config = Config()
    config.set_main_option("script_location", "petiole.gateway:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _key(table: Table, row: Row) -> tuple[Any, ...]:
    return tuple(row[c.name] for c in table.primary_key)


def _tune_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - DBAPI has no type
    # WAL with NORMAL keeps every commit over a SIGKILL; a power cut may lose the last ones, which
    # retained messages and cumulative counts bring back.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
