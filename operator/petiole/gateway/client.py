"""aiomqtt's connection with less work a message, for a gateway of ten thousand devices.

aiomqtt 2.5 makes a task for every message that is read and looks through all pending calls for each
that is published. Here a message goes from paho's callback to the reader at once, and a batch of
publishes waits for its acknowledgements together. The three overridden methods are paho's
callbacks. paho asks the system for each packet three times and more; ``ReadAhead`` asks once for
many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS, MQTTMessage

ACKNOWLEDGED = 10.0  # seconds within which the broker must have a batch
AHEAD = 16 * 1024  # bytes: some hundred reports, a few milliseconds of work


class Sendable(Protocol):
    """What there is to publish."""

    @property
    def topic(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def retain(self) -> bool: ...


class ReadAhead:
    """A socket that reads more than it is asked for; ``pending`` is what it still has.

    As of a TLS socket, which does the same, aiomqtt reads on while something is pending.
    """

    def __init__(self, socket: Any) -> None:  # noqa: ANN401 - plain, TLS, or what paho makes next
        self._socket = socket
        self._had, self._at = b"", 0

    def recv(self, size: int) -> bytes:
        """Read at most ``size`` bytes; what the socket raises when it has none is raised here."""
        if self._at == len(self._had):
            self._had, self._at = self._socket.recv(AHEAD), 0
        found = self._had[self._at : self._at + size]
        self._at += len(found)
        return found

    def pending(self) -> int:
        """Return how many bytes are here that the system knows nothing of any more."""
        inner = getattr(self._socket, "pending", int)
        return len(self._had) - self._at + int(inner())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the socket's
        return getattr(self._socket, name)


@dataclass(slots=True)
class _Batch:
    left: int
    done: asyncio.Future[None]


class DirectClient(aiomqtt.Client):
    """Hands each message to ``hear`` as it is read; ``messages`` only tells of the end."""

    hear: Callable[[str, bytes], None] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as aiomqtt's
        self._batches: dict[int, _Batch] = {}
        super().__init__(*args, **kwargs)

    async def send(self, messages: Sequence[Sendable]) -> None:
        """Publish at QoS 1 and wait until the broker has all. aiomqtt.MqttError when it has not."""
        batch = _Batch(0, asyncio.get_running_loop().create_future())
        mids = []
        try:
            for m in messages:
                info = self._client.publish(m.topic, m.payload, 1, m.retain)
                if info.rc != MQTT_ERR_SUCCESS:
                    raise aiomqtt.MqttCodeError(info.rc, "could not publish")
                self._batches[info.mid] = batch
                mids.append(info.mid)
                batch.left += 1
            await self._acknowledged(batch)
        finally:
            for mid in mids:
                self._batches.pop(mid, None)

    async def _acknowledged(self, batch: _Batch) -> None:
        if batch.left:
            await asyncio.wait(
                (batch.done, self._disconnected),
                timeout=ACKNOWLEDGED,
                return_when=asyncio.FIRST_COMPLETED,
            )
        if batch.left:
            raise aiomqtt.MqttError(f"the broker did not acknowledge {batch.left} messages")

    def _on_socket_open(self, client: Any, userdata: Any, sock: Any) -> None:  # noqa: ANN401
        client._sock = ReadAhead(sock)  # noqa: SLF001 - paho has no other way to give it one
        super()._on_socket_open(client, userdata, client._sock)  # noqa: SLF001

    def _on_message(self, _client: object, _data: object, message: MQTTMessage) -> None:
        if self.hear is not None:
            self.hear(message.topic, bytes(message.payload))

    def _on_publish(self, client: Any, userdata: Any, mid: int, *rest: Any) -> None:  # noqa: ANN401
        batch = self._batches.pop(mid, None)
        if batch is None:
            super()._on_publish(client, userdata, mid, *rest)
            return
        batch.left -= 1
        if not batch.left and not batch.done.done():
            batch.done.set_result(None)
