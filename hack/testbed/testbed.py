"""A whole Petiole in one folder: control plane, broker, gateway, operator.

    with Testbed(folder, passwords(devices)) as testbed:
        testbed.register(devices)
        start_posix(testbed.processes, ...)
        testbed.cluster.apply(Path("examples/digits"))

Everything listens on loopback, on free ports. ``gateway`` and ``operator`` are processes of their
own: ``testbed.operator.kill()`` and ``testbed.start_operator()`` do what a crash does.
"""

from __future__ import annotations

import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx

from petiole.artifact.keys import load_private, new_private_pem, public_raw

from .broker import Broker
from .controlplane import ControlPlane
from .devices import Device
from .lifetime import Lifetime
from .processes import ROOT, Process, Processes
from .waits import free_port

_READY_SECONDS = 120.0
_PYTHON_PATH = ":".join(str(ROOT / part) for part in ("operator", "pipelines", ""))


class Testbed(Lifetime):
    """Start with ``with`` or ``start()``; ``stop()`` leaves the folder for reading.

    ``users`` are the devices' names and passwords at the broker. ``operator_options`` are added to
    the operator's command line. ``database_url`` is the fleet store; without one, an SQLite file.
    With the folder ``pki`` devices may also connect by certificate: see ``Broker``.
    """

    __test__ = False  # its name is no reason for pytest to collect it

    def __init__(
        self,
        folder: Path,
        users: Mapping[str, str] = {},
        *,
        operator_options: Iterable[str] = (),
        database_url: str | None = None,
        pki: Path | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self._database_url = database_url or f"sqlite+aiosqlite:///{self.folder / 'gateway.db'}"
        self.store = self.folder / "store"
        self.work = self.folder / "work"
        self.signing_key = self.folder / "signing.pem"
        self.gateway_token = secrets.token_urlsafe(24)
        self.gateway_url = f"http://127.0.0.1:{free_port()}"
        self.processes = Processes(self.folder)
        self.cluster = ControlPlane(self.folder / "controlplane", self.processes)
        self.broker = Broker(self.folder / "broker", users, self.processes, pki)
        self._operator_options = tuple(operator_options)
        self.gateway: Process | None = None
        self.operator: Process | None = None
        self.operator_url = ""  # of the operator that was started last

    @property
    def public_key(self) -> bytes:
        """What devices verify artefacts with: 32 bytes, raw Ed25519."""
        return public_raw(load_private(self.signing_key.read_bytes()).public_key())

    def start(self) -> Self:
        """Bring all up, in about ten seconds, or nothing."""
        try:
            self._prepare()
            self.broker.start()
            gateway = self._spawn_gateway()
            self.cluster.start()
            self.cluster.install_crds(ROOT / "crds")
            self.start_operator()
            self._await_http(gateway, self.gateway_url)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything that this testbed started, and what those started."""
        for process in (self.operator, self.gateway):
            if process is not None:
                process.stop()
        self.cluster.stop()
        self.broker.stop()
        self.processes.stop()

    def start_gateway(self) -> Process:
        """Start the gateway, also again after it was killed; ready when it reaches the broker."""
        gateway = self._spawn_gateway()
        self._await_http(gateway, self.gateway_url)
        return gateway

    def start_operator(
        self, kubeconfig: Path | None = None, options: Sequence[str] = ()
    ) -> Process:
        """Start the operator, also again after it was killed; ready when it watches.

        It has the rights that the chart gives it. ``kubeconfig`` has credentials of another name in
        the audit log; ``options`` are added to its command line this time.
        """
        listen = f"127.0.0.1:{free_port()}"
        self.operator = self._petiole(
            "operator",
            "--kubeconfig", str(kubeconfig or self.cluster.operator_kubeconfig),
            "--gateway-url", self.gateway_url,
            "--store", self.store.as_uri(),
            "--work", str(self.work),
            "--signing-key", str(self.signing_key),
            "--listen", listen,
            *self._operator_options,
            *options,
        )  # fmt: skip
        self.operator_url = f"http://{listen}"
        self._await_http(self.operator, self.operator_url)
        return self.operator

    def register(self, devices: Iterable[Device]) -> None:
        """Make the devices and their labels known to the gateway."""
        body = [{"id": device.id, "labels": device.labels} for device in devices]
        with self.http() as client:
            client.put("/v1/devices", json=body).raise_for_status()

    def http(self) -> httpx.Client:
        """Return a client of the gateway's API, with its token."""
        headers = {"Authorization": f"Bearer {self.gateway_token}"}
        return httpx.Client(base_url=self.gateway_url, headers=headers, timeout=30.0)

    def _prepare(self) -> None:
        for folder in (self.folder, self.store, self.work):
            folder.mkdir(parents=True, exist_ok=True)
        if not self.signing_key.exists():
            self.signing_key.touch(mode=0o600)
            self.signing_key.write_bytes(new_private_pem())

    def _spawn_gateway(self) -> Process:
        self.gateway = self._petiole(
            "gateway",
            "--mqtt-port", str(self.broker.port),
            "--mqtt-user", self.broker.gateway_user,
            "--database-url", self._database_url,
            "--store", self.store.as_uri(),
            "--listen-port", self.gateway_url.rpartition(":")[2],
        )  # fmt: skip
        return self.gateway

    def _petiole(self, name: str, *options: str) -> Process:
        command = [sys.executable, "-m", "petiole.cli.main", name, *options]
        environment = {
            "PYTHONPATH": _PYTHON_PATH,
            "PYTHONUNBUFFERED": "1",
            "PETIOLE_GATEWAY_TOKEN": self.gateway_token,
            "PETIOLE_MQTT_PASSWORD": self.broker.gateway_password,
        }
        return self.processes.start(name, command, environment=environment)

    def _await_http(self, process: Process, url: str) -> None:
        last = ""

        def ready() -> bool:
            nonlocal last
            try:
                with urllib.request.urlopen(f"{url}/readyz", timeout=2.0):
                    return True
            except urllib.error.HTTPError as error:
                last = error.read().decode(errors="replace")
            except OSError as error:
                last = str(error)
            return False

        process.wait_ready(ready, _READY_SECONDS, detail=lambda: last)
