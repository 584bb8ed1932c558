"""Uncertain inputs on their way from devices to the store.

A device repeats a sample until it is acknowledged, and it is acknowledged when the store has it. So
a full queue or a full disk costs nothing but time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cbor2
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore

from petiole.wire import topics
from petiole.wire.messages import MAX_ACKS, encode_ack

from .broker import Broker, Message

log = structlog.get_logger()

QUEUE = 1000  # samples that wait; more are left to the devices to repeat


@dataclass(frozen=True, slots=True)
class Arrival:
    """A valid sample: who sent it, its hash, the message as it came and the folder it goes to."""

    device: str
    hash: bytes
    payload: bytes
    folder: str


class Samples:
    """Stores samples in order of arrival. ``changed`` is called when a count or problem changed."""

    def __init__(self, store: ObjectStore, broker: Broker, changed: Callable[[], None]) -> None:
        self._store = store
        self._broker = broker
        self._changed = changed
        self._queue: asyncio.Queue[Arrival] = asyncio.Queue(QUEUE)
        self._counts: dict[str, int] = {}
        self.problem = ""

    def offer(self, arrival: Arrival) -> bool:
        """Queue a sample; False when there is no room now."""
        try:
            self._queue.put_nowait(arrival)
        except asyncio.QueueFull:
            return False
        return True

    def count(self, folder: str) -> int:
        """Return how many samples a folder of the store has, as far as known."""
        return self._counts.get(folder, 0)

    async def run(self) -> None:
        """Store and acknowledge, for ever."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_ACKS and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            safe: dict[str, list[bytes]] = {}
            for arrival in batch:
                if await self._keep(arrival):
                    safe.setdefault(arrival.device, []).append(arrival.hash)
            await self._broker.publish(
                [
                    Message(topics.ack(device), encode_ack(tuple(hashes)), retain=False)
                    for device, hashes in safe.items()
                ]
            )

    async def _keep(self, arrival: Arrival) -> bool:
        path = f"{arrival.folder}/{arrival.hash.hex()}.cbor"
        try:
            await self._count(arrival.folder)
            await self._store.put_async(path, _kept(arrival), mode="create")
        except AlreadyExistsError:
            return True
        except (BaseError, OSError) as error:
            self._trouble(_words(error))
            return False
        self._counts[arrival.folder] += 1
        self._trouble("")
        self._changed()
        return True

    async def survey(self, folders: Iterable[str]) -> None:
        """Count what folders have already, each once; a store out of reach is tried again later."""
        for folder in folders:
            if folder in self._counts:
                continue
            try:
                await self._count(folder)
            except (BaseError, OSError) as error:
                self._trouble(_words(error))

    async def _count(self, folder: str) -> None:
        if folder not in self._counts:
            found = 0
            async for batch in self._store.list(folder):
                found += len(batch)
            self._counts.setdefault(folder, found)
            self._changed()

    def _trouble(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._changed()
            if problem:
                log.error("samples", problem=problem)


def _kept(arrival: Arrival) -> bytes:
    """Return what is stored: the message and, which a message itself never has, who sent it."""
    return cbor2.dumps(cbor2.loads(arrival.payload) | {"device": arrival.device})


def _words(error: Exception) -> str:
    what = str(error).splitlines()[0]
    return (
        f"samples cannot be kept, devices hold on to them: {what}; make room in the store or "
        "correct its permissions"
    )
