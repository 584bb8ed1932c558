"""What a broker holds for devices, seen by one more client of the gateways' listener."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt

from petiole.wire import topics

_FOR_DEVICES = tuple(f"{topics.PREFIX}/{part}" for part in ("d/+/grant", "f/+/halt", "b/+/+"))


class Mirror:
    """``held`` are the topics of grants, halts and blocks that are retained now."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.ended = asyncio.Event()

    async def listen(self, client: aiomqtt.Client) -> None:
        """Until cancelled, or until the broker goes."""
        try:
            async for message in client.messages:
                topic = str(message.topic)
                self.held.add(topic) if message.payload else self.held.discard(topic)
        except aiomqtt.MqttError:
            pass
        finally:
            self.ended.set()


@asynccontextmanager
async def mirrored(address: str, port: int, pki: Path) -> AsyncIterator[Mirror]:
    """Look on with the gateway's certificate."""
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.check_hostname = False  # reached by its address, certified for its name
    context.load_cert_chain(pki / "gateway.crt", pki / "gateway.key")
    mirror = Mirror()
    client = aiomqtt.Client(address, port, tls_context=context, timeout=30)
    await client.__aenter__()
    listening = asyncio.create_task(mirror.listen(client))
    try:
        for topic in _FOR_DEVICES:
            await client.subscribe(topic, qos=1)
        yield mirror
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
