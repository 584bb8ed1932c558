"""What is to be published, while the engine goes on deciding.

Everything that the gateway writes is retained and whole, so of each topic only the newest message
counts: one that waits is replaced. Each connection to the broker has a queue, and a slow one holds
up no other; halts have one to themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from .broker import SPEAKERS, Broker, Message, speaker
from .metrics import LANES, Metrics

AT_ONCE = 1000  # messages that are acknowledged together
AGAIN = 0.1  # seconds until the broker is tried again


class Outbox:
    """Publishes what is of one topic in the order of arrival. Loses nothing while it lives."""

    def __init__(self, broker: Broker, metrics: Metrics) -> None:
        halts, others = LANES
        lanes = [halts] + [others] * (SPEAKERS - 1)
        self._queues = [_Queue(broker, metrics, lane) for lane in lanes]

    def __contains__(self, topic: str) -> bool:
        """Whether a message of this topic is not at the broker yet."""
        return topic in self._queues[speaker(topic)]

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def put(self, messages: Iterable[Message]) -> None:
        """Have messages published, instead of older ones of the same topics."""
        for message in messages:
            self._queues[speaker(message.topic)].put(message)

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
        async with asyncio.TaskGroup() as running:
            for number, one in enumerate(self._queues):
                running.create_task(one.run(), name=f"speaker {number}")


class _Queue:
    """Messages that go one batch after another."""

    def __init__(self, broker: Broker, metrics: Metrics, lane: str) -> None:
        self._broker = broker
        self._published = metrics.published.labels(lane)
        self._publishing = metrics.publishing.labels(lane)
        self._since = 0.0  # monotonic seconds when the first that waits was put here
        self._waiting: dict[str, Message] = {}
        self._leaving: dict[str, Message] = {}
        self._wake = asyncio.Event()

    def __contains__(self, topic: str) -> bool:
        return topic in self._waiting or topic in self._leaving

    def __len__(self) -> int:
        return len(self._waiting) + len(self._leaving)

    def put(self, message: Message) -> None:
        if not self._waiting:
            self._since = time.monotonic()
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
        since, self._since = self._since, time.monotonic()
        self._leaving = {topic: waiting.pop(topic) for topic in list(waiting)[:AT_ONCE]}
        sent = await self._broker.publish(list(self._leaving.values()))
        leaving, self._leaving = self._leaving, {}
        if sent:
            self._published.inc(len(leaving))
            self._publishing.observe(time.monotonic() - since)
        else:
            waiting.update({t: m for t, m in leaving.items() if t not in waiting})
            self._since = since
        return sent
