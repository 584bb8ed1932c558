"""A broker with certificates, and one board that reaches it over Ethernet."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import lan
from hack.testbed.boards import BoardName, Program, provision_board, start_board
from hack.testbed.broker import Broker
from hack.testbed.devices import passwords
from hack.testbed.link import Answer, SensorLink
from hack.testbed.models import Model
from hack.testbed.pki import SERVER, Pki, new_key
from hack.testbed.processes import Process, Processes
from hack.testbed.waits import wait_until
from petiole.artifact.keys import public_raw
from petiole.artifact.network import Network, Secure

from .booted import device

DEVICE = "leaf-0"
SLOW = 60.0  # QEMU beside another worker of pytest
LONG_AGO = timedelta(days=60)  # the board was provisioned; the broker's certificate is newer


class OnLan:
    """A broker with certificates and without, and one board on a LAN."""

    def __init__(self, folder: Path, processes: Processes, key: Ed25519PrivateKey) -> None:
        self.folder = folder
        self.device = device(DEVICE)
        self.pki = Pki(folder / "pki")
        self.broker = Broker(
            folder / "broker", passwords([self.device]), processes, pki=self.pki.folder
        )
        self.answers: list[Answer] = []
        self._processes = processes
        self._keys = (public_raw(key.public_key()),)
        self._numbers = itertools.count(1)
        self._memory: Path
        self._agent: Process | None = None
        self._said = 0
        self._link: SensorLink | None = None

    def secure(
        self,
        *,
        certified: bool = True,
        certified_days_ago: float = 0,
        issued: datetime | None = None,
    ) -> Network:
        """The way by TLS, with the device's own certificate or without."""
        key, now = new_key(), datetime.now(UTC)
        then = now - timedelta(days=certified_days_ago)
        chain = (self.pki.authority.issue(DEVICE, key.public_key(), then),) if certified else ()
        secure = Secure(
            name=SERVER,
            authorities=(self.pki.authority.certificate,),
            issued=issued or now - LONG_AGO,
            key=key if certified else None,
            chain=chain,
        )
        return lan.network(self.broker.tls_port, secure)

    def provision(self, network: Network, firmware: bytes = b"") -> None:
        """Write the board's memory; ``firmware`` goes to slot A."""
        self._memory = provision_board(
            self.folder, self.device, self._keys, network=network, firmware=firmware
        )

    def start(self, board: BoardName = "an386", program: Program = "agent") -> None:
        self._sensor = self.folder / f"sensor-{next(self._numbers)}"
        self._said = self._agent.log.stat().st_size if self._agent else 0
        self._link = None
        self._agent = start_board(
            self._processes,
            self._memory,
            broker_port=None,
            sensor=self._sensor,
            board=board,
            program=program,
        )

    def kill(self) -> None:
        self._agent.kill()

    def plug(self, *, into: bool) -> None:
        lan.plug(self._memory, into=into)

    @property
    def log(self) -> str:
        """What the board has said since its last start."""
        return self._agent.log.read_bytes()[self._said :].decode(errors="replace")

    def says(self, text: str) -> None:
        """Wait until the board's log has ``text``."""
        wait_until(lambda: text in self.log, SLOW, f"{text!r} in {self._agent.log}")

    def refuses(self, why: str) -> None:
        """Start the board, which must not connect, and say why."""
        self.start()
        self.says(f"no connection: {why}")
        assert "connected" not in self.log.splitlines()
        log = self.folder / "logs" / "mosquitto.log"
        assert f" as {DEVICE} " not in log.read_text()

    async def show(self, model: Model, times: int = 8) -> None:
        """Show the board the model's golden inputs in turn."""
        if self._link is None:  # QEMU hears one link at a time, so that a second one would wait
            self._link = SensorLink(self._sensor)
            self._link.on_answer = lambda _link, _index, answer: self.answers.append(answer)
            await self._link.connect()
        for number in range(times):
            self._link.show(0, model.inputs[number % len(model.inputs)].tobytes())
        await self._link.flush()
