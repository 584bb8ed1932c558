"""What is to be published, while the engine goes on deciding.

Everything that the gateway writes is retained and whole, so of each topic only the newest message
counts: one that waits is replaced, and a halt passes all that waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from .broker import Broker, Message

AT_ONCE = 200  # messages between two looks at what became urgent
AGAIN = 0.1  # seconds until the broker is tried again


class Outbox:
    """Publishes in order of arrival, urgent messages first. Loses nothing while it lives."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._urgent: dict[str, Message] = {}
        self._waiting: dict[str, Message] = {}
        self._leaving: dict[str, Message] = {}
        self._wake = asyncio.Event()

    def __contains__(self, topic: str) -> bool:
        """Whether a message of this topic is not at the broker yet."""
        return topic in self._waiting or topic in self._leaving or topic in self._urgent

    def __len__(self) -> int:
        return len(self._waiting) + len(self._leaving) + len(self._urgent)

    def put(self, messages: Iterable[Message], *, urgent: bool = False) -> None:
        """Have messages published, instead of older ones of the same topics."""
        for message in messages:
            self._waiting.pop(message.topic, None)
            if urgent or message.topic in self._urgent:
                self._urgent[message.topic] = message
            else:
                self._waiting[message.topic] = message
        self._wake.set()

    async def told(self, topics: Iterable[str], wait: float) -> bool:
        """Wait at most ``wait`` seconds until the broker has all that waits of these topics."""
        spoken, deadline = list(topics), time.monotonic() + wait
        while any(topic in self for topic in spoken):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(AGAIN)
        return True

    async def run(self) -> None:
        """Publish, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while len(self):
                if not await self._publish():
                    await asyncio.sleep(AGAIN)

    async def _publish(self) -> bool:
        """Publish some; what did not get through waits again unless it was replaced."""
        if not self._broker.connected:
            return False
        queue = self._urgent or self._waiting
        self._leaving = {topic: queue.pop(topic) for topic in list(queue)[:AT_ONCE]}
        sent = await self._broker.publish(list(self._leaving.values()))
        leaving, self._leaving = self._leaving, {}
        if not sent:
            late = self._urgent | self._waiting
            queue.update({t: m for t, m in leaving.items() if t not in late})
        return sent
