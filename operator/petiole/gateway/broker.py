"""The broker, as the gateway needs it, and the adapter to aiomqtt.

Whatever the gateway wants retained it keeps in its own database, so a broker that comes back empty
is simply told everything again (``on_connect``). A publish without a connection loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
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
WINDOW = 100  # publishes in flight at once
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
    """Keeps one connection up for as long as ``run`` runs.

    All leaders of a fleet connect under one ``identifier``: the broker ends the connection of an
    earlier one, and with it whatever that one had still to say. Without ``permitted`` nothing is
    said, nor is a connection made.
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
        self._problem = "the broker was not reached yet"

    @property
    def connected(self) -> bool:
        return self._client is not None

    @property
    def problem(self) -> str:
        """Why devices are not heard, in words; empty while they are."""
        return self._problem

    async def publish(self, messages: Sequence[Message]) -> bool:
        """Send at QoS 1, some at a time, in about this order; True when the broker has them all."""
        for start in range(0, len(messages), WINDOW):
            client = self._client
            if client is None or not self._permitted():
                return False
            try:
                await client.send(messages[start : start + WINDOW])
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
                async with new_client(
                    self._settings, identifier=self._identifier, kind=DirectClient
                ) as client:
                    self._client, self._problem, wait = client, "", FIRST_WAIT
                    log.info("connected to broker", port=self._settings.mqtt_port)
                    await self._listen(client, on_message, on_connect)
            except (aiomqtt.MqttError, OSError) as error:  # OSError: of the TLS files
                self._problem = (
                    f"broker {self._settings.mqtt_host}:{self._settings.mqtt_port}: {error}; "
                    "devices are not heard until it is back"
                )
                log.warning("broker lost", error=str(error), again_in=wait)
            finally:
                self._client = None
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

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
