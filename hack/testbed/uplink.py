"""A machine at the other end of devices' wires: it has their certificates, and speaks TLS for them.

``python -m hack.testbed.uplink PORT HOST:PORT NAME FOLDER`` listens on loopback and brings each
connection to the broker at HOST:PORT, whose certificate must be for NAME, with the certificate of
the device that the MQTT client id names: ``FOLDER/<id>/device.crt``, ``device.key`` and ``ca.crt``,
as ``petiole enrol`` leaves them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
from pathlib import Path

from .processes import Process, Processes
from .waits import free_port

READY = "listening"
_CONNECT = 0x10
_FIXED = 10  # bytes of a CONNECT of MQTT 3.1.1 before its payload
_LONGEST = 1024  # bytes of a CONNECT
_SECONDS = 20.0


class Uplink:
    """``host``, ``port`` and ``name`` are the broker's."""

    def __init__(self, host: str, port: int, name: str, folder: Path) -> None:
        self._host, self._port, self._name, self._folder = host, port, name, folder
        self._contexts: dict[str, ssl.SSLContext] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One device's connection, until either side ends it."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
            async with asyncio.timeout(_SECONDS):
                said = await _connect(reader)
                up_reader, up_writer = await asyncio.open_connection(
                    self._host,
                    self._port,
                    ssl=self._context(client_id(said)),
                    server_hostname=self._name,
                )
            up_writer.write(said)
            ways = [
                asyncio.create_task(_carry(reader, up_writer)),
                asyncio.create_task(_carry(up_reader, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            up_writer.close()
        writer.close()

    def _context(self, device: str) -> ssl.SSLContext:
        if device not in self._contexts:
            mine = self._folder / device
            context = ssl.create_default_context(cafile=str(mine / "ca.crt"))
            context.load_cert_chain(mine / "device.crt", mine / "device.key")
            self._contexts[device] = context
        return self._contexts[device]


def client_id(connect: bytes) -> str:
    """Whom a CONNECT of MQTT 3.1.1 is from; ValueError for anything else."""
    length, header = _length(connect[1:])
    body = connect[1 + header :]
    if connect[0] != _CONNECT or len(body) != length or body[:7] != b"\x00\x04MQTT\x04":
        raise ValueError("not a CONNECT of MQTT 3.1.1")
    size = int.from_bytes(body[_FIXED : _FIXED + 2])
    return body[_FIXED + 2 : _FIXED + 2 + size].decode()


def _length(data: bytes) -> tuple[int, int]:
    """The remaining length of a packet, and the bytes that it takes itself."""
    value = 0
    for position, byte in enumerate(data[:4]):
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return value, position + 1
    raise ValueError("no remaining length")


async def _connect(reader: asyncio.StreamReader) -> bytes:
    """Read the first packet, whole."""
    said = await reader.readexactly(2)
    while said[-1] >= 0x80:
        said += await reader.readexactly(1)
    length, _ = _length(said[1:])
    if length > _LONGEST:
        raise ValueError("too long for a CONNECT")
    return said + await reader.readexactly(length)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


def start_uplink(
    processes: Processes, broker: tuple[str, int], name: str, folder: Path
) -> tuple[Process, int]:
    """Start one in a process of its own; return it with its port once it listens."""
    port, (host, far) = free_port(), broker
    module = [sys.executable, "-m", "hack.testbed.uplink", str(port), f"{host}:{far}"]
    process = processes.start("uplink", [*module, name, folder])
    process.wait_ready(lambda: READY in process.tail())
    return process, port


async def _main(port: int, broker: str, name: str, folder: Path) -> None:
    host, _, far = broker.rpartition(":")
    uplink = Uplink(host, int(far), name, folder)
    server = await asyncio.start_server(uplink.serve, "127.0.0.1", port, backlog=1000)
    print(READY, flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])))
