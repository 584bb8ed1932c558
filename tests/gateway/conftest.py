"""Both databases for tests: a file, or a database of its own in a PostgreSQL of the session."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.testbed.postgres import Postgres
from petiole.gateway.settings import Settings

KINDS = ("sqlite", "postgresql")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A running server; tests that kill it start one of their own."""
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=KINDS)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once for each kind."""
    if request.param == "sqlite":
        return Settings.sqlite(tmp_path / "gateway.db")
    server: Postgres = request.getfixturevalue("postgres")
    return await server.database(f"test{next(_numbers)}")
