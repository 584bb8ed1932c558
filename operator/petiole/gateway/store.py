"""The fleet store: everything the gateway must know after a SIGKILL, in one database.

The gateway decides in memory and writes what changed in one transaction at a time (a group commit),
always before it tells a device. SQLite is the default; PostgreSQL is for several replicas.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, RowMapping, Table, event, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .upsert import Key, Row, key_of, writer

Fence = Callable[[AsyncConnection], Awaitable[None]]

MIGRATING = 0x70657469  # PostgreSQL's advisory lock: one replica migrates, the others wait

# A replica that stops in the middle of a transaction must not hold its locks against the others.
POSTGRESQL = {
    "timeout": 10.0,  # seconds to connect
    "command_timeout": 10.0,
    "server_settings": {
        "application_name": "petiole-gateway",
        "idle_in_transaction_session_timeout": "4s",
    },
}


class DatabaseError(OSError):
    """The database did not do it. It changed nothing, or its answer was lost: ask again."""


class Changes:
    """Rows to write or delete; the last word on a key counts."""

    def __init__(self) -> None:
        self._tables: dict[Table, dict[Key, Row | None]] = {}

    def __bool__(self) -> bool:
        return bool(self._tables)

    def put(self, table: Table, row: Row) -> None:
        """Insert or replace ``row``; all columns must be there."""
        self._tables.setdefault(table, {})[key_of(table)(row)] = row

    def delete(self, table: Table, key: Row) -> None:
        """Delete the row with this whole primary key."""
        self._tables.setdefault(table, {})[key_of(table)(key)] = None

    def before(self, later: Changes) -> Changes:
        """Join both, with the last word to ``later``."""
        for table, rows in later._tables.items():
            self._tables.setdefault(table, {}).update(rows)
        return self

    def items(self) -> list[tuple[Table, list[Row], list[Key]]]:
        """For each table: rows to put, keys to delete."""
        return [
            (
                table,
                [row for row in rows.values() if row is not None],
                [key for key, row in rows.items() if row is None],
            )
            for table, rows in self._tables.items()
        ]


class Store:
    """Opens, migrates, reads and writes the database. All methods raise ``DatabaseError``."""

    def __init__(self, url: str) -> None:
        self._fence: Fence | None = None
        self.dialect = make_url(url).get_backend_name()
        sqlite = self.dialect == "sqlite"
        self._engine: AsyncEngine = create_async_engine(
            url, pool_pre_ping=not sqlite, connect_args={} if sqlite else POSTGRESQL
        )
        if sqlite:
            event.listen(self._engine.sync_engine, "connect", _tune_sqlite)

    async def open(self) -> None:
        """Bring the schema up to date; one process at a time."""
        async with self.begin() as connection:
            if self.dialect == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            await connection.run_sync(migrate)

    def fence(self, check: Fence) -> None:
        """Run ``check`` first in every commit; when it raises, nothing is written."""
        self._fence = check

    async def read(self, table: Table) -> Sequence[RowMapping]:
        """All rows of ``table``."""
        async with self.begin() as connection:
            return (await connection.execute(select(table))).mappings().all()

    async def commit(self, changes: Changes) -> None:
        """Write all of ``changes`` or nothing."""
        async with self.begin() as connection:
            if self._fence is not None:
                await self._fence(connection)
            for table, puts, deletes in changes.items():
                write = writer(table, self.dialect)
                if puts:
                    await write.put(connection, puts)
                if deletes:
                    await write.delete(connection, deletes)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end of the block."""
        try:
            async with self._engine.begin() as connection:
                yield connection
        except DatabaseError:
            raise
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise DatabaseError(_words(error)) from error

    async def close(self) -> None:
        await self._engine.dispose()


def migrate(connection: Connection) -> None:
    """Run the migrations that this database lacks."""
    config = Config()
    config.set_main_option("script_location", "petiole.gateway:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _words(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _tune_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - DBAPI has no type
    # WAL with NORMAL keeps every commit over a SIGKILL; a power cut may lose the last ones, which
    # retained messages and cumulative counts bring back.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
