"""Devices outside of a cluster: how they come in, and what they themselves say they did."""

from __future__ import annotations

import socket
import ssl
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

from bench.kills.truth import Event, Events
from hack.demo.example import CALM, Prepared
from hack.testbed import lan
from hack.testbed.boards import provision_board, start_board
from hack.testbed.devices import Device, provision_posix, start_posix
from hack.testbed.field import Field, Place
from hack.testbed.link import SensorLink
from hack.testbed.processes import Processes
from hack.testbed.uplink import start_uplink
from petiole.artifact.network import Secure
from tests.gateway.test_security import CONNECT

ACCEPTED = bytes.fromhex("20020000")
INPUTS_PER_SECOND = 4.0


class Outside:
    """``posix`` behind a machine that speaks TLS for them, ``board`` with TLS of its own.

    ``broker`` is where they find it, ``name`` what its certificate says; below ``certificates``
    each device has what `petiole enrol` left. ``key`` is what artefacts are signed with.
    """

    def __init__(
        self,
        folder: Path,
        processes: Processes,
        posix: Sequence[Device],
        board: Device,
        *,
        broker: tuple[str, int],
        name: str,
        certificates: Path,
        key: bytes,
    ) -> None:
        self.devices = [*posix, board]
        self.folder, self._processes = folder, processes
        self._posix, self._board = posix, board
        self._broker, self._name, self._key = broker, name, key
        self._certificates = certificates
        self._file = folder / "events"
        self._events = Events(self._file)
        self.seen: list[Event] = []

    def start(self) -> list[Place]:
        """Start all of them; return where their sensors are."""
        provision_posix(self.folder / "flash", self._posix, (self._key,), seed=1)
        _, port = start_uplink(self._processes, self._broker, self._name, self._certificates)
        sensor = self.folder / "posix.sock"
        start_posix(
            self._processes,
            self.folder / "flash",
            broker_port=port,
            sensor=sensor,
            events=self._file,
        )
        link = SensorLink(sensor)
        ordered = sorted(device.id for device in self._posix)
        places = [Place(device, link, index) for index, device in enumerate(ordered)]
        return [*places, Place(self._board.id, SensorLink(self._start_board()), 0)]

    def board_entered(self, phase: str) -> int:
        """How often the board entered a phase, by its own log."""
        log = self.folder / "logs" / f"device-{self._board.id}.log"
        return sum(line.startswith(f"{phase} ") for line in log.read_text().splitlines())

    def _start_board(self) -> Path:
        host, port = self._broker
        network = lan.network(port, self._secure(), broker=IPv4Address(host))
        memory = provision_board(self.folder, self._board, (self._key,), network=network, seed=1000)
        sensor = self.folder / f"{self._board.id}.sock"
        start_board(self._processes, memory, broker_port=None, sensor=sensor)
        return sensor

    def _secure(self) -> Secure:
        mine = self._certificates / self._board.id
        key = load_pem_private_key((mine / "device.key").read_bytes(), password=None)
        assert isinstance(key, EllipticCurvePrivateKey)
        return Secure(
            name=self._name,
            authorities=tuple(load_pem_x509_certificates((mine / "ca.crt").read_bytes())),
            issued=datetime.now(UTC) - timedelta(days=1),
            key=key,
            chain=tuple(load_pem_x509_certificates((mine / "device.crt").read_bytes())),
        )

    def refusal(self, device: str) -> str:
        """Why the broker refuses a device, in OpenSSL's words; empty where it lets it in."""
        mine = self._certificates / device
        context = ssl.create_default_context(cafile=str(mine / "ca.crt"))
        context.load_cert_chain(mine / "device.crt", mine / "device.key")
        try:
            with (
                socket.create_connection(self._broker, 10) as plain,
                context.wrap_socket(plain, server_hostname=self._name) as tls,
            ):
                tls.sendall(CONNECT)
                answer = tls.recv(4)
        except ssl.SSLError as error:
            return str(error.reason)
        except OSError as error:
            return str(error)
        return "" if answer == ACCEPTED else repr(answer)

    def entered(self, phase: str, digests: Sequence[str]) -> Counter[str]:
        """How often each POSIX device entered a phase with one of the artefacts."""
        self.seen += self._events.new() if self._file.exists() else []
        return Counter(
            event.device
            for event in self.seen
            if event.phase == phase and any(d.startswith(event.digest) for d in digests)
        )


async def feed(places: Sequence[Place], data: Prepared) -> None:
    """Show the field to the devices until cancelled."""
    links = {id(place.link): place.link for place in places}.values()
    for link in links:
        await link.connect()
    field = Field(data.streams, phase=CALM, per_second=INPUTS_PER_SECOND, seed=11)
    field.reach(places)
    try:
        await field.run()
    finally:
        for link in links:
            await link.close()
