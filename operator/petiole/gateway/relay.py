"""How messages that one replica hears reach the one that leads: by the table ``heard``.

While it is alone the leader hears everything by plain subscriptions. With others it joins them in
one shared subscription: the broker deals each message to one of them. A follower writes what it is
dealt to ``heard``, under the name of its connection and a number that rises by one; the leader
reads on from the last number, and deletes what it took with its next commit.

What is under way to a replica that dies is lost, and comes back because every message is a whole
state: whenever the others change, the leader subscribes plainly again, for which the broker sends
all retained states. Counts are cumulative, samples are repeated. Presence has no order of its own
that could be told afterwards, so that only the leader hears it, always plainly.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import structlog
from sqlalchemy import select

from petiole.wire import topics

from . import schema
from .store import Changes, DatabaseError, Store
from .upsert import Row

log = structlog.get_logger()

DEALT = (topics.ALL_STATE, topics.ALL_STATS, topics.ALL_SAMPLES)  # one replica hears each of these
GATHER = 0.05  # seconds in which messages gather for one transaction, and between two looks at them
REREAD = 3.0  # seconds for the broker to send what it retains
AT_ONCE = 5_000  # rows taken at once
ROOM = 20_000  # topics a follower holds when it cannot write; the devices repeat the rest
LONGEST = 160  # characters of a topic; a longer one would make the whole batch fail
AGAIN = 0.5  # seconds before the database is tried again


class Subscriber(Protocol):
    """What the leader changes its subscriptions by; False when there is no connection."""

    async def subscribe(self, wanted: Sequence[str]) -> bool: ...

    async def unsubscribe(self, unwanted: Sequence[str]) -> bool: ...


def dealt(secret: str) -> tuple[str, ...]:
    """Return the subscriptions that all replicas share, under a ``secret`` that they share."""
    return tuple(topics.shared(secret, topic) for topic in DEALT)


class Relay:
    """The follower's end: keeps the newest message of each topic until it is written."""

    def __init__(self, store: Store, written: Callable[[int], None]) -> None:
        self.hearing = ""
        self.problem = ""
        self._written = written
        self._store = store
        self._held: dict[str, bytes] = {}
        self._number = 0
        self._filled = asyncio.Event()
        self.connected()

    def connected(self) -> None:
        """Take a new name: what the broker dealt to the earlier connection may be lost."""
        self.hearing, self._number = secrets.token_hex(8), 0

    def hear(self, topic: str, payload: bytes) -> None:
        """Take a message of a device; whether it means anything the leader will see."""
        if not payload or len(topic) > LONGEST or topics.parse_device_topic(topic) is None:
            return
        if topic in self._held or len(self._held) < ROOM:
            self._held[topic] = payload
            self._filled.set()

    async def run(self) -> None:
        """Write for ever; while the database cannot, hold."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(GATHER)
            try:
                await self.write()
            except DatabaseError as error:
                log.warning("messages of devices wait for the database", error=str(error))
                await asyncio.sleep(AGAIN)

    async def write(self) -> None:
        """Write what is held. DatabaseError, and all is still held, when that cannot be done."""
        self._filled.clear()
        held, self._held = self._held, {}
        hearing, first = self.hearing, self._number + 1
        self._number += len(held)
        changes = Changes()
        for number, (topic, payload) in enumerate(held.items(), first):
            row = {"hearing": hearing, "number": number, "topic": topic, "payload": payload}
            changes.put(schema.heard, row)
        try:
            await self._store.commit(changes)
        except DatabaseError as error:
            self.problem = f"the database cannot be written, messages of devices wait: {error}"
            self._held = {**held, **self._held}
            self._filled.set()
            raise
        self.problem = ""
        self._written(len(held))


class Collector:
    """The leader's end: decides what to subscribe, and brings what others heard."""

    def __init__(
        self, store: Store, broker: Subscriber, secret: str, take: Callable[[Sequence[Row]], None]
    ) -> None:
        self._store = store
        self._broker = broker
        self._dealt = dealt(secret)
        self._take = take
        self._others: frozenset[str] = frozenset()
        self._last: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._changed.set()  # rows of an earlier leader's time may be there
        self._stale = False  # what is retained must be read again
        self._sharing = False
        self._plain_until: float | None = None  # None: no plain subscription is to end

    def connected(self) -> None:
        """Note a new connection: it has the plain subscriptions only, and all that is retained."""
        self._stale = self._sharing = False
        self._changed.set()

    def others(self, hearing: frozenset[str]) -> None:
        """Say by what connections others hear now."""
        if hearing != self._others:
            log.info("other replicas", hearing=sorted(hearing))
            self._others = hearing
            self._stale = True
            self._changed.set()

    async def run(self) -> None:
        """Adapt and collect for ever; without other replicas it sleeps."""
        while True:
            if not self._others:
                await self._changed.wait()
            try:
                if self._changed.is_set():
                    await self._adapt()
                await self._collect()
            except DatabaseError as error:
                log.warning("what others heard cannot be read", error=str(error))
                await asyncio.sleep(AGAIN)
            await self._end_reread()
            await asyncio.sleep(GATHER)

    async def _adapt(self) -> None:
        """Read all that is retained again; share when there are others, else do not."""
        self._changed.clear()
        if self._stale:
            self._stale = False
            await self._broker.subscribe(DEALT)
        if self._others:
            self._sharing = await self._broker.subscribe(self._dealt)
            self._plain_until = time.monotonic() + REREAD
        elif self._sharing:
            self._sharing = not await self._broker.unsubscribe(self._dealt)
            self._plain_until = None
        await self._look_around()

    async def _end_reread(self) -> None:
        if self._plain_until is not None and time.monotonic() > self._plain_until:
            self._plain_until = None
            if self._sharing:
                await self._broker.unsubscribe(DEALT)

    async def _look_around(self) -> None:
        """Find whose rows there are: also those that died before theirs were taken."""
        async with self._store.begin() as connection:
            found = await connection.execute(select(schema.heard.c.hearing).distinct())
            known = {*found.scalars(), *self._others}
        self._last = {hearing: self._last.get(hearing, 0) for hearing in known}

    async def _collect(self) -> None:
        for hearing in list(self._last):
            while rows := await self._after(hearing, self._last[hearing]):
                self._take(rows)
                self._last[hearing] = rows[-1]["number"]
                if len(rows) < AT_ONCE:
                    break

    async def _after(self, hearing: str, last: int) -> list[dict[str, Any]]:
        table = schema.heard
        query = (
            select(table)
            .where(table.c.hearing == hearing, table.c.number > last)
            .order_by(table.c.number)
            .limit(AT_ONCE)
        )
        async with self._store.begin() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]
