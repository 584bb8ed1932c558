"""Blocks at the broker that the database does not know: it was lost, or an older one came back.

At each connection the leader looks which artefacts have a first block at the broker. Those that no
plan and no grant names lose their blocks, the first one last: it is how the others are found again
when this is broken off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from petiole.wire import topics

from .broker import Message
from .outbox import Outbox
from .relay import Subscriber

log = structlog.get_logger()

PATIENCE = 30.0  # seconds after a connection for the operator to send plans that were lost
LISTEN = 2.0  # seconds for the broker to send what it retains
REMOVED = 30.0  # seconds for the broker to take removals


class Sweep:
    """``named`` tells which artefacts a plan or a grant needs now."""

    def __init__(self, broker: Subscriber, outbox: Outbox, named: Callable[[], set[str]]) -> None:
        self._broker = broker
        self._outbox = outbox
        self._named = named
        self._found: set[str] = set()
        self._connected = asyncio.Event()

    def connected(self) -> None:
        """Note a new connection."""
        self._connected.set()

    def hear(self, topic: str, payload: bytes) -> bool:
        """Take a message if it is a block; tell whether it was one."""
        if topics.parse_block(topic) is None:
            return False
        if payload:
            self._found.add(topic)
        return True

    async def run(self) -> None:
        """Sweep after each connection, for ever."""
        while True:
            await self._connected.wait()
            self._connected.clear()
            await asyncio.sleep(PATIENCE)
            for digest in sorted(map(_digest, await self._retained(topics.FIRST_BLOCKS))):
                if digest not in self._named():
                    await self._clear(digest)

    async def _clear(self, digest: str) -> None:
        first = topics.block(digest, 0)
        while rest := await self._retained(topics.blocks(digest)) - {first}:
            if not await self._remove(digest, rest):
                return
        if await self._remove(digest, {first}):
            log.info("blocks that nothing names removed", digest=digest)

    async def _remove(self, digest: str, blocks: set[str]) -> bool:
        """Remove blocks unless a plan came that names them: its own come after, and win."""
        if digest in self._named():
            return False
        self._outbox.put(Message(topic, b"") for topic in sorted(blocks))
        return await self._outbox.told(blocks, REMOVED)

    async def _retained(self, pattern: str) -> set[str]:
        """Topics of the blocks that the broker retains."""
        self._found = set()
        if await self._broker.subscribe([pattern]):
            await asyncio.sleep(LISTEN)
            await self._broker.unsubscribe([pattern])
        found, self._found = self._found, set()
        return found


def _digest(topic: str) -> str:
    return topic.split("/")[3]
