"""What is to be published, while the engine goes on deciding.

Everything that the gateway writes is retained and whole, so of each topic only the newest message
counts: one that waits is replaced. Halts go by a lane of their own, past all that waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from petiole.wire import topics

from .broker import Broker, Message

AT_ONCE = 1000  # messages that are acknowledged together
AGAIN = 0.1  # seconds until the broker is tried again


class Outbox:
    """Publishes in about the order of arrival, halts at once. Loses nothing while it lives."""

    def __init__(self, broker: Broker) -> None:
        self._halts, self._others = _Lane(broker), _Lane(broker)

    def __contains__(self, topic: str) -> bool:
        """Whether a message of this topic is not at the broker yet."""
        return topic in self._halts or topic in self._others

    def __len__(self) -> int:
        return len(self._halts) + len(self._others)

    def put(self, messages: Iterable[Message]) -> None:
        """Have messages published, instead of older ones of the same topics."""
        for message in messages:
            lane = self._halts if topics.is_halt(message.topic) else self._others
            lane.put(message)

    async def told(self, spoken: Iterable[str], wait: float) -> bool:
        """Wait at most ``wait`` seconds until the broker has all that waits of these topics."""
        spoken, deadline = list(spoken), time.monotonic() + wait
        while any(topic in self for topic in spoken):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(AGAIN)
        return True

    async def run(self) -> None:
        """Publish, for ever."""
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(self._halts.run(), name="halts")
            lanes.create_task(self._others.run(), name="others")


class _Lane:
    """Messages that go one batch after another."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._waiting: dict[str, Message] = {}
        self._leaving: dict[str, Message] = {}
        self._wake = asyncio.Event()

    def __contains__(self, topic: str) -> bool:
        return topic in self._waiting or topic in self._leaving

    def __len__(self) -> int:
        return len(self._waiting) + len(self._leaving)

    def put(self, message: Message) -> None:
        self._waiting.pop(message.topic, None)
        self._waiting[message.topic] = message
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                if not await self._publish():
                    await asyncio.sleep(AGAIN)

    async def _publish(self) -> bool:
        """Publish some; what did not get through waits again unless it was replaced."""
        if not self._broker.connected:
            return False
        waiting = self._waiting
        self._leaving = {topic: waiting.pop(topic) for topic in list(waiting)[:AT_ONCE]}
        sent = await self._broker.publish(list(self._leaving.values()))
        leaving, self._leaving = self._leaving, {}
        if not sent:
            waiting.update({t: m for t, m in leaving.items() if t not in waiting})
        return sent
