"""What waits to be published, at a broker that acknowledges halts only."""

import asyncio

from petiole.gateway.broker import Message
from petiole.gateway.outbox import Outbox
from petiole.wire import topics

from .world import eventually

HALT = topics.halt("default.meters")


class Busy:
    """Has too much to do to acknowledge anything else."""

    connected, problem = True, ""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []

    async def publish(self, messages: list[Message]) -> bool:
        self.said += [(message.topic, message.payload) for message in messages]
        if any(message.topic != HALT for message in messages):
            await asyncio.Event().wait()
        return True


async def test_a_halt_waits_for_nothing_else() -> None:
    broker = Busy()
    outbox = Outbox(broker)
    running = asyncio.create_task(outbox.run())
    try:
        outbox.put([Message(topics.grant(f"dev-{n}"), b"grant") for n in range(3)])
        await eventually(lambda: len(broker.said) == 3, "the grants are on their way")
        outbox.put([Message(topics.grant("dev-9"), b"grant"), Message(HALT, b"first")])
        await eventually(lambda: (HALT, b"first") in broker.said, "the first halt is said")
        outbox.put([Message(HALT, b"second")])
        await eventually(lambda: HALT not in outbox, "the second halt is acknowledged")
        assert broker.said[3:] == [(HALT, b"first"), (HALT, b"second")]
        assert topics.grant("dev-0") in outbox
        assert topics.grant("dev-9") in outbox
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
