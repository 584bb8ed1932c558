"""What waits to be published, at a broker that is busy with some of it."""

import asyncio

from petiole.gateway.broker import Message, speaker
from petiole.gateway.metrics import Metrics
from petiole.gateway.outbox import AGAIN, Outbox
from petiole.wire import topics

from .world import eventually

HALT = topics.halt("default.meters")
GRANTS = [topics.grant(f"dev-{n}") for n in range(100)]


class Busy:
    """Acknowledges nothing that the speaker of dev-0's grant has to say."""

    connected, problem = True, ""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []

    async def publish(self, messages: list[Message]) -> bool:
        self.said += [(message.topic, message.payload) for message in messages]
        if any(speaker(message.topic) == speaker(GRANTS[0]) for message in messages):
            await asyncio.Event().wait()
        return True

    def topics(self) -> set[str]:
        return {topic for topic, _ in self.said}


async def test_a_busy_speaker_holds_up_nothing_of_the_others() -> None:
    """Least of all a halt, which has a speaker to itself."""
    theirs = [topic for topic in GRANTS if speaker(topic) != speaker(GRANTS[0])]
    first, *waiting = [topic for topic in GRANTS if topic not in theirs]
    assert theirs
    assert waiting
    assert all(speaker(topic) != speaker(HALT) for topic in GRANTS)
    broker, metrics = Busy(), Metrics()
    outbox = Outbox(broker, metrics)
    running = asyncio.create_task(outbox.run())
    try:
        outbox.put([Message(first, b"grant")])
        await eventually(lambda: first in broker.topics(), "the first grant is on its way")
        outbox.put([*(Message(topic, b"grant") for topic in GRANTS), Message(HALT, b"first")])
        await eventually(lambda: HALT not in outbox, "the first halt is acknowledged")
        outbox.put([Message(HALT, b"second")])
        await eventually(
            lambda: not any(topic in outbox for topic in [HALT, *theirs]), "the others are through"
        )
        assert [said for said in broker.said if said[0] == HALT] == [
            (HALT, b"first"),
            (HALT, b"second"),
        ]
        assert all(topic in outbox for topic in [first, *waiting])
        assert not broker.topics() & set(waiting)
        told = metrics.registry.get_sample_value
        assert told("petiole_gateway_published_messages_total", {"lane": "halts"}) == 2
        assert told("petiole_gateway_publish_seconds_count", {"lane": "halts"}) == 2
        assert told("petiole_gateway_published_messages_total", {"lane": "others"}) == len(theirs)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_message_that_did_not_get_through_has_waited_since_it_was_decided() -> None:
    class Refusing:
        connected, problem, tries = True, "", 0

        async def publish(self, _: list[Message]) -> bool:
            self.tries += 1
            return self.tries > 2

    metrics = Metrics()
    outbox = Outbox(Refusing(), metrics)
    running = asyncio.create_task(outbox.run())
    try:
        outbox.put([Message(HALT, b"stop")])
        await eventually(lambda: HALT not in outbox, "the halt is acknowledged")
        told = metrics.registry.get_sample_value
        assert told("petiole_gateway_publish_seconds_count", {"lane": "halts"}) == 1
        waited = told("petiole_gateway_publish_seconds_sum", {"lane": "halts"})
        assert waited is not None
        assert waited >= 2 * AGAIN
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
