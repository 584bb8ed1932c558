"""The broker, as the gateway needs it, and the adapter to aiomqtt.

Whatever the gateway wants retained it keeps in its own database, so a broker that comes back empty
is simply told everything again (``on_connect``). A publish without a connection loses nothing.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol, TypeVar

import aiomqtt
import structlog

from petiole.wire import topics

from .client import DirectClient
from .settings import Settings
from .tls import context

log = structlog.get_logger()

FIRST_WAIT = 0.1  # seconds until the first new attempt
LONGEST_WAIT = 5.0
WINDOW = 1000  # publishes in flight at once on a connection
SPEAKERS = 17  # connections to speak by; the first is for halts alone
SUBSCRIPTIONS = (topics.ALL_STATE, topics.ALL_STATS, topics.ALL_SAMPLES, topics.ALL_ONLINE)


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message. An empty retained payload removes the retained one."""

    topic: str
    payload: bytes
    retain: bool = True


class Broker(Protocol):
    """What the engine publishes through."""

    @property
    def connected(self) -> bool: ...

    @property
    def problem(self) -> str: ...

    async def publish(self, messages: Sequence[Message]) -> bool: ...


class AiomqttBroker:
    """Keeps its connections up for as long as ``run`` runs: one to hear, and some to speak.

    Mosquitto reads one packet of a connection before it looks at the next one. With thousands of
    devices that takes milliseconds, so that what is said on one connection waits for all that was
    said before, acknowledgements of what is heard too. A topic is always spoken of on the same
    connection, which keeps the order of its messages.

    All leaders of a fleet connect under the same names, ``identifier`` and what is made of it: the
    broker ends the connections of an earlier one, and with them whatever that one had still to say.
    Without ``identifier`` it only hears. Without ``permitted`` nothing is said, nor is a connection
    made.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        identifier: str | None = None,
        subscriptions: Sequence[str] = SUBSCRIPTIONS,
        permitted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._identifier = identifier
        self._subscriptions = subscriptions
        self._permitted = permitted
        self._client: DirectClient | None = None
        self._speakers: list[DirectClient] = []
        self._problem = "the broker was not reached yet"

    @property
    def connected(self) -> bool:
        return self._client is not None

    @property
    def problem(self) -> str:
        """Why devices are not heard, in words; empty while they are."""
        return self._problem

    async def publish(self, messages: Sequence[Message]) -> bool:
        """Send at QoS 1; True when the broker has them all. The order holds within a topic."""
        shares: dict[int, list[Message]] = {}
        for message in messages:
            shares.setdefault(speaker(message.topic), []).append(message)
        sent = await asyncio.gather(*(self._say(n, share) for n, share in shares.items()))
        return all(sent)

    async def _say(self, number: int, messages: Sequence[Message]) -> bool:
        for start in range(0, len(messages), WINDOW):
            if not self._speakers or not self._permitted():
                return False
            try:
                await self._speakers[number].send(messages[start : start + WINDOW])
            except aiomqtt.MqttError as error:
                log.warning("publish failed", error=str(error))
                return False
        return True

    async def subscribe(self, wanted: Sequence[str]) -> bool:
        """Hear more; the broker sends what it retains there, also when it was heard before."""
        client = self._client
        if client is None:
            return False
        try:
            for topic in wanted:
                await client.subscribe(topic, qos=1)
        except aiomqtt.MqttError as error:
            log.warning("subscribe failed", error=str(error))
            return False
        return True

    async def unsubscribe(self, unwanted: Sequence[str]) -> bool:
        """Hear less."""
        client = self._client
        if client is None:
            return False
        try:
            for topic in unwanted:
                await client.unsubscribe(topic)
        except aiomqtt.MqttError as error:
            log.warning("unsubscribe failed", error=str(error))
            return False
        return True

    async def run(
        self,
        on_message: Callable[[str, bytes], None],
        on_connect: Callable[[], None],
    ) -> None:
        """Connect, subscribe, tell and listen; begin again after every fault. Never returns."""
        wait = FIRST_WAIT
        while True:
            if not self._permitted():
                await asyncio.sleep(FIRST_WAIT)
                continue
            try:
                async with AsyncExitStack() as stack:
                    clients = await _connect(stack, self._clients())
                    self._client, *self._speakers = clients
                    self._problem, wait = "", FIRST_WAIT
                    log.info("connected to broker", port=self._settings.mqtt_port)
                    await self._listen(clients[0], on_message, on_connect)
                    await _until_one_ends(clients)
            except (aiomqtt.MqttError, OSError) as error:  # OSError: of the TLS files
                self._problem = (
                    f"broker {self._settings.mqtt_host}:{self._settings.mqtt_port}: {error}; "
                    "devices are not heard until it is back"
                )
                log.warning("broker lost", error=str(error), again_in=wait)
            finally:
                self._client, self._speakers = None, []
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def _clients(self) -> list[DirectClient]:
        """Make the connection to hear by, and those to speak by."""
        name = self._identifier
        names = [name] if name is None else [name, *(f"{name}-{n}" for n in range(SPEAKERS))]
        return [new_client(self._settings, identifier=n, kind=DirectClient) for n in names]

    async def _listen(
        self,
        client: DirectClient,
        on_message: Callable[[str, bytes], None],
        on_connect: Callable[[], None],
    ) -> None:
        client.hear = on_message
        for topic in self._subscriptions:
            await client.subscribe(topic, qos=1)
        on_connect()


def speaker(topic: str) -> int:
    """Choose the connection that speaks of a topic. A halt must wait for nothing else."""
    if topics.is_halt(topic):
        return 0
    return 1 + zlib.crc32(topic.encode()) % (SPEAKERS - 1)


async def _connect(stack: AsyncExitStack, clients: Sequence[DirectClient]) -> list[DirectClient]:
    """Connect all of them, at once. Raises MqttError or OSError when one cannot."""
    entering = [stack.enter_async_context(client) for client in clients]
    connected = await asyncio.gather(*entering, return_exceptions=True)
    for failure in connected:
        if isinstance(failure, BaseException):
            raise failure
    return list(clients)


async def _until_one_ends(clients: Sequence[DirectClient]) -> None:
    """Wait for the end of a connection: then the others have no use either. Raises MqttError."""
    reading = [asyncio.create_task(_read(client)) for client in clients]
    try:
        ended, _ = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def _read(client: DirectClient) -> None:
    async for _ in client.messages:
        pass  # none come here; it raises when the connection ends


C = TypeVar("C", bound=aiomqtt.Client)


def new_client(
    settings: Settings,
    waiting: int = 0,
    identifier: str | None = None,
    kind: type[C] = aiomqtt.Client,  # type: ignore[assignment]
) -> C:
    """Make a client, not connected yet, that keeps ``waiting`` unread messages; 0: all.

    Without ``identifier`` the client takes a random one.

    OSError when the files for TLS cannot be read; ssl.SSLError, one of them, when they do not fit.
    """
    client = kind(
        settings.mqtt_host,
        settings.mqtt_port,
        identifier=identifier,
        username=settings.mqtt_user,
        password=settings.mqtt_password.get_secret_value(),
        tls_context=context(settings),
        clean_session=True,
        keepalive=20,
        max_inflight_messages=WINDOW,
        max_queued_incoming_messages=waiting,
    )
    client.pending_calls_threshold = 2 * WINDOW  # below that aiomqtt need not warn
    return client
