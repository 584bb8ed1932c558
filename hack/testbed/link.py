"""The sensor link: frames to and from devices, as docs/architecture.md describes them."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"\xa5\x5a"
HEADER = struct.Struct("<2sHH")  # magic, device index, payload length
ANSWER = struct.Struct("<IBB32s")  # count, class, confidence, active digest
NO_MODEL = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device says about one input. ``confidence`` is 0..255."""

    count: int
    label: int
    confidence: int
    digest: str


def frame(index: int, payload: bytes) -> bytes:
    return HEADER.pack(MAGIC, index, len(payload)) + payload


def split_frames(buffer: bytearray) -> list[tuple[int, bytes]]:
    """Take all whole frames out of ``buffer``; bytes before a magic are noise and are dropped."""
    frames: list[tuple[int, bytes]] = []
    while True:
        start = buffer.find(MAGIC)
        if start < 0:
            del buffer[: max(0, len(buffer) - 1)]
            return frames
        del buffer[:start]
        if len(buffer) < HEADER.size:
            return frames
        _, index, length = HEADER.unpack_from(buffer)
        end = HEADER.size + length
        if len(buffer) < end:
            return frames
        frames.append((index, bytes(buffer[HEADER.size : end])))
        del buffer[:end]


def parse_answer(payload: bytes) -> Answer | None:
    if len(payload) != ANSWER.size:
        return None
    count, label, confidence, digest = ANSWER.unpack(payload)
    return Answer(count, label, confidence, digest.hex())


class SensorLink:
    """One connection: to a process of many devices, or to one board."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.on_answer: Callable[[SensorLink, int, Answer], None] = lambda *_: None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def connect(self, deadline: float = 10.0) -> None:
        """Connect to the unix socket at ``path``, which its process may still be making."""
        loop = asyncio.get_running_loop()
        end = loop.time() + deadline
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self.path)
                break
            except OSError as error:
                if loop.time() > end:
                    raise ConnectionError(
                        f"no sensor link at {self.path} within {deadline:.0f} s: {error}"
                    ) from error
                await asyncio.sleep(0.1)
        self._reading = asyncio.create_task(self._read(reader))

    def show(self, index: int, scan: bytes) -> None:
        """Queue one input; ``flush`` lets it go."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(frame(index, scan))

    async def flush(self) -> None:
        if self._writer is not None and not self._writer.is_closing():
            await self._writer.drain()

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        if self._writer is not None:
            self._writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        buffer = bytearray()
        while chunk := await reader.read(65536):
            buffer += chunk
            for index, payload in split_frames(buffer):
                answer = parse_answer(payload)
                if answer is not None:
                    self.on_answer(self, index, answer)
