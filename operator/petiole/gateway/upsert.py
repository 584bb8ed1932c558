"""Writing thousands of rows in few statements, made once a table and database.

SQLAlchemy's own ``executemany`` spends some 20 us of Python on each row; here a row is turned into
a tuple in C. SQLite runs a prepared statement a row. PostgreSQL gets one array a column and joins
them with ``unnest``: one message each way, whatever the number of rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, String, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

Row = dict[str, Any]
Key = tuple[Any, ...]

AT_ONCE = 10_000  # rows a statement

_postgresql = postgresql.dialect()  # type: ignore[no-untyped-call]


def to_json(value: object) -> str | None:
    """Return the text of a JSON column; None is no value."""
    return None if value is None else json.dumps(value, separators=(",", ":"))


class Writer:
    """The statements of one table for one dialect, ``sqlite`` or ``postgresql``."""

    def __init__(self, table: Table, dialect: str) -> None:
        columns, keys = list(table.columns), list(table.primary_key)
        self._tuple = _getter([c.name for c in columns])
        self._json = [n for n, c in enumerate(columns) if isinstance(c.type, JSON)]
        self._arrays = dialect == "postgresql"
        make = (_postgresql_upsert, _postgresql_delete) if self._arrays else (_upsert, _delete)
        self._upsert, self._delete = make[0](table, columns), make[1](table, keys)

    async def put(self, connection: AsyncConnection, rows: Iterable[Row]) -> None:
        """Insert or replace; all columns must be there. KeyError names one that is not."""
        tuples = [self._tuple(row) for row in rows]
        if self._json:
            tuples = [self._with_json(values) for values in tuples]
        await self._run(connection, self._upsert, tuples)

    async def delete(self, connection: AsyncConnection, keys: Sequence[Key]) -> None:
        """Delete the rows with these primary keys."""
        await self._run(connection, self._delete, keys)

    async def _run(
        self, connection: AsyncConnection, statement: str, tuples: Sequence[tuple[Any, ...]]
    ) -> None:
        for start in range(0, len(tuples), AT_ONCE):
            some = tuples[start : start + AT_ONCE]
            columns = tuple(map(list, zip(*some, strict=True)))
            await connection.exec_driver_sql(statement, columns if self._arrays else list(some))

    def _with_json(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        changed = list(values)
        for n in self._json:
            changed[n] = to_json(changed[n])
        return tuple(changed)


@cache
def writer(table: Table, dialect: str) -> Writer:
    """Return the table's writer."""
    return Writer(table, dialect)


@cache
def key_of(table: Table) -> Callable[[Row], Key]:
    """Return what takes the primary key out of a row."""
    return _getter([c.name for c in table.primary_key])


def _getter(names: Sequence[str]) -> Callable[[Row], Key]:
    if len(names) == 1:
        (name,) = names
        return lambda row: (row[name],)
    return itemgetter(*names)


def _q(name: str) -> str:
    return f'"{name}"'


def _names(columns: Iterable[Column[Any]], prefix: str = "") -> str:
    return ", ".join(prefix + _q(c.name) for c in columns)


def _on_conflict(table: Table) -> str:
    keys = _names(table.primary_key)
    values = [c for c in table.columns if not c.primary_key]
    if not values:
        return f"ON CONFLICT ({keys}) DO NOTHING"
    sets = ", ".join(f"{_q(c.name)} = excluded.{_q(c.name)}" for c in values)
    return f"ON CONFLICT ({keys}) DO UPDATE SET {sets}"


# All names in these statements are those of our own tables.


def _upsert(table: Table, columns: Sequence[Column[Any]]) -> str:
    marks = ", ".join("?" * len(columns))
    return (
        f"INSERT INTO {_q(table.name)} ({_names(columns)}) VALUES ({marks}) "  # noqa: S608
        f"{_on_conflict(table)}"
    )


def _delete(table: Table, keys: Sequence[Column[Any]]) -> str:
    where = " AND ".join(f"{_q(c.name)} = ?" for c in keys)
    return f"DELETE FROM {_q(table.name)} WHERE {where}"  # noqa: S608


def _postgresql_upsert(table: Table, columns: Sequence[Column[Any]]) -> str:
    values = ", ".join(
        f"u.{_q(c.name)}::json" if isinstance(c.type, JSON) else f"u.{_q(c.name)}" for c in columns
    )
    return (
        f"INSERT INTO {_q(table.name)} ({_names(columns)}) SELECT {values} "  # noqa: S608
        f"FROM {_unnest(columns)} {_on_conflict(table)}"
    )


def _postgresql_delete(table: Table, keys: Sequence[Column[Any]]) -> str:
    where = " AND ".join(f"t.{_q(c.name)} = u.{_q(c.name)}" for c in keys)
    return f"DELETE FROM {_q(table.name)} t USING {_unnest(keys)} WHERE {where}"  # noqa: S608


def _unnest(columns: Sequence[Column[Any]]) -> str:
    arrays = ", ".join(f"${n}::{_array(c)}[]" for n, c in enumerate(columns, 1))
    return f"unnest({arrays}) AS u({_names(columns)})"


def _array(column: Column[Any]) -> str:
    if isinstance(column.type, (JSON, String)):
        return "text"  # a cast to varchar(n) would cut off without a word
    if isinstance(column.type, LargeBinary):
        return "bytea"
    return column.type.compile(dialect=_postgresql)
