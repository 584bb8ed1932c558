"""Who leads among the replicas of the gateway: one row in the database they share.

The holder renews it with every commit and once a second; who finds it run out takes it. Times are
the database's, so the replicas' clocks need not agree. Each commit of the leader renews in the same
transaction, and fails when the lease has passed on: a leader that was stopped for a while cannot
write on waking (a fencing token, checked where it matters; Gray and Cheriton 1989 on leases).

A process that comes back under its old address takes its own lease at once: the address is bound by
one process at a time, so the earlier one is dead.
"""

from __future__ import annotations

import time

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from .store import Store

LIFE = 4.0  # seconds; a dead leader is followed after this at the latest
RENEW = 1.0  # seconds between two renewals without a commit
LOOK = 0.5  # seconds between two looks of a follower

_CLOCK = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "extract(epoch FROM clock_timestamp())::float8",
}


class LeaseLostError(Exception):
    """Another replica leads: this process may decide nothing more, and ends."""


class Lease:
    """The lease as one replica sees it; all but ``held`` raise ``DatabaseError``."""

    def __init__(self, store: Store, holder: str) -> None:
        self._store = store
        self._now = _CLOCK[store.dialect]
        self.holder = holder
        self._term = 0
        self._sure_until = 0.0

    @property
    def held(self) -> bool:
        """Whether nobody else can have taken the lease yet, whatever the database does."""
        return time.monotonic() < self._sure_until

    @property
    def term(self) -> int:
        """Number of this lead, counted over all replicas; 0 before the first."""
        return self._term

    async def follow(self, hearing: str) -> str:
        """Say that this replica hears by ``hearing``; returns who leads, "" for nobody."""
        async with self._store.begin() as connection:
            await connection.execute(
                self._sql(
                    "INSERT INTO replicas (name, hearing, expires)"
                    " VALUES (:me, :hearing, @ + :life) ON CONFLICT (name) DO UPDATE"
                    " SET hearing = excluded.hearing, expires = excluded.expires"
                ),
                {"me": self.holder, "hearing": hearing, "life": LIFE},
            )
            return await self._leader(connection)

    async def leader(self) -> str:
        """Return the address of whoever leads; "" for nobody."""
        async with self._store.begin() as connection:
            return await self._leader(connection)

    async def take(self) -> bool:
        """Take the lead, if it is free or was this address's; True when this replica leads now."""
        begun = time.monotonic()
        async with self._store.begin() as connection:
            taken = await connection.execute(
                self._sql(
                    "INSERT INTO lease (name, holder, term, expires)"
                    " VALUES ('gateway', :me, 1, @ + :life) ON CONFLICT (name) DO UPDATE"
                    " SET holder = excluded.holder, term = lease.term + 1,"
                    " expires = excluded.expires"
                    " WHERE lease.expires < @ OR lease.holder = excluded.holder RETURNING term"
                ),
                {"me": self.holder, "life": LIFE},
            )
            term = taken.scalar()
            if term is None:
                return False
            mine = {"me": self.holder}
            await connection.execute(text("DELETE FROM replicas WHERE name = :me"), mine)
        self._term, self._sure_until = term, begun + LIFE
        return True

    async def fence(self, connection: AsyncConnection) -> None:
        """Renew inside a transaction. LeaseLostError when another replica took the lead."""
        kept = await connection.execute(
            self._sql(
                "UPDATE lease SET expires = @ + :life"
                " WHERE name = 'gateway' AND holder = :me AND term = :term"
            ),
            {"me": self.holder, "term": self._term, "life": LIFE},
        )
        if kept.rowcount != 1:
            self._sure_until = 0.0
            raise LeaseLostError(
                f"another replica took the lead from {self.holder} (term {self._term}); this"
                " process ends, and follows when it is started again"
            )

    async def renew(self) -> frozenset[str]:
        """Renew, and return by what connections other replicas hear now. LeaseLostError."""
        begun = time.monotonic()
        async with self._store.begin() as connection:
            await self.fence(connection)
            rows = await connection.execute(
                self._sql("SELECT hearing FROM replicas WHERE expires > @")
            )
            others = frozenset(rows.scalars())
        self._sure_until = begun + LIFE
        return others

    async def release(self) -> None:
        """Let another replica lead at once, as far as this one does."""
        self._sure_until = 0.0
        async with self._store.begin() as connection:
            await connection.execute(
                text("UPDATE lease SET expires = 0 WHERE holder = :me AND term = :term"),
                {"me": self.holder, "term": self._term},
            )

    async def _leader(self, connection: AsyncConnection) -> str:
        row = await connection.execute(self._sql("SELECT holder FROM lease WHERE expires >= @"))
        return str(row.scalar() or "")

    def _sql(self, statement: str) -> TextClause:
        return text(statement.replace("@", self._now))
