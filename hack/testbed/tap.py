"""A wire tap between devices and their broker: counts what goes over, and what of it is blocks."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from petiole.wire import topics

PUBLISH = 3  # MQTT packet type


@dataclass(slots=True)
class Traffic:
    """Bytes of MQTT in both directions; of blocks, the payload by the digest that they are of."""

    to_devices: int = 0
    from_devices: int = 0
    blocks: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.to_devices + self.from_devices

    def copy(self) -> Traffic:
        return Traffic(self.to_devices, self.from_devices, self.blocks.copy())

    def clear(self) -> None:
        """Count from here."""
        self.to_devices = self.from_devices = 0
        self.blocks.clear()


class Tap:
    """Listens on ``port`` of loopback and hands on to a broker; use as an async context."""

    def __init__(self, port: int, broker_port: int) -> None:
        self.port = port
        self.traffic = Traffic()
        self._broker_port = broker_port
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.Task[None]] = set()  # of connections, two of each

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        for end in list(self._ends):
            end.cancel()
        await asyncio.gather(*self._ends, return_exceptions=True)

    async def _join(self, device: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        broker, out = await asyncio.open_connection("127.0.0.1", self._broker_port)
        ends = {
            asyncio.create_task(self._hand_on(device, out)),
            asyncio.create_task(self._hand_on(broker, answer, Packets(self.traffic))),
        }
        self._ends |= ends
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        self._ends -= ends
        out.close()
        answer.close()

    async def _hand_on(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        packets: Packets | None = None,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                if packets is None:
                    self.traffic.from_devices += len(data)
                else:
                    self.traffic.to_devices += len(data)
                    packets.take(data)
                sink.write(data)
                await sink.drain()


class Packets:
    """Reads one direction of an MQTT connection (MQTT 3.1.1, section 2) and counts its blocks."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._left = b""

    def take(self, data: bytes) -> None:
        self._left += data
        while (packet := self._next()) is not None:
            if packet[0] >> 4 == PUBLISH:
                self._count(packet)

    def _next(self) -> tuple[int, bytes] | None:
        """First byte and body of the next packet, once it is all there."""
        length, shift = 0, 0
        for at, byte in enumerate(self._left[1:5], start=2):
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if len(self._left) < at + length:
                    return None
                first, body = self._left[0], self._left[at : at + length]
                self._left = self._left[at + length :]
                return first, body
        return None

    def _count(self, packet: tuple[int, bytes]) -> None:
        first, body = packet
        size = int.from_bytes(body[:2], "big")
        topic = body[2 : 2 + size].decode()
        digest = topics.parse_block(topic)
        if digest is not None:
            numbered = 2 if first >> 1 & 3 else 0  # a packet with QoS has an identifier
            self._traffic.blocks[digest] += len(body) - 2 - size - numbered
