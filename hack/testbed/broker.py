"""A Mosquitto of one's own on loopback: free ports, access rules, passwords or certificates.

With an authority it has three listeners: one for devices by certificate, which knows no user with
more rights than a device, one for gateways by certificate, and one by password for devices on wires
that TLS would not protect any further (UART, one's own machine).
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import secrets
import shutil
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

from petiole.identity.authority import GATEWAY

from .lifetime import Lifetime
from .processes import Process, Processes
from .waits import free_port

ITERATIONS = 101  # Mosquitto's own number; its file states it, so any other would do

# Whoever logs in under a device's id may write below that id and read what is meant for it.
DEVICE_RULES = """\
pattern write petiole/1/d/%u/state
pattern write petiole/1/d/%u/stats
pattern write petiole/1/d/%u/sample/+
pattern write petiole/1/d/%u/online
pattern write petiole/1/d/%u/csr
pattern read petiole/1/d/%u/grant
pattern read petiole/1/d/%u/ack
pattern read petiole/1/d/%u/cert
pattern read petiole/1/f/+/halt
pattern read petiole/1/b/+/+
"""

GATEWAY_RULES = """\
user {gateway}
topic readwrite petiole/1/#
"""

CONFIG = """\
per_listener_settings true
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
{tls}persistence false
max_queued_messages 0
max_inflight_messages 0
set_tcp_nodelay true
user {user}
log_dest stderr
log_type error
log_type warning
log_type notice
"""

# A client id is the certificate's name: nobody takes over a session, or ends it, that is not his.
DEVICE_LISTENER = """\
listener {port} 127.0.0.1
acl_file {folder}/device.acl
use_username_as_clientid true
"""
GATEWAY_LISTENER = """\
listener {port} 127.0.0.1
acl_file {folder}/gateway.acl
"""
TLS = """\
allow_anonymous false
cafile {pki}/ca.crt
certfile {pki}/broker.crt
keyfile {pki}/broker.key
crlfile {pki}/crl.pem
require_certificate true
use_identity_as_username true
"""


def password_line(user: str, password: str) -> str:
    """One line of a Mosquitto password file: PBKDF2-HMAC-SHA512, tag ``$7$``."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"{user}:$7${ITERATIONS}${_b64(salt)}${_b64(key)}\n"


class Broker(Lifetime):
    """Mosquitto in ``folder`` with a user for each of ``passwords`` and for the gateway.

    ``pki`` is a folder as `petiole key ca` and `petiole key services` leave it. With it devices
    connect to ``tls_port`` and gateways to ``gateway_tls_port`` by their certificates.

    Start with ``with Broker(...)`` or ``start()`` and ``stop()``; starting again keeps port,
    passwords and, unless it was killed, what was retained.
    """

    def __init__(
        self,
        folder: Path,
        passwords: Mapping[str, str],
        processes: Processes | None = None,
        pki: Path | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.host = "127.0.0.1"
        self.port = free_port()
        self.pki = pki
        self.tls_port = free_port() if pki else 0
        self.gateway_tls_port = free_port() if pki else 0
        self.gateway_user = "gateway"
        self.gateway_password = secrets.token_urlsafe(16)
        self._passwords = dict(passwords)
        self._owned = processes is None
        self._processes = processes or Processes(self.folder)
        self._process: Process | None = None

    def start(self) -> None:
        """Write the files, start the process and wait until it listens."""
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise FileNotFoundError("mosquitto is missing; install it: apt-get install mosquitto")
        self.folder.mkdir(parents=True, exist_ok=True)
        users = {**self._passwords, self.gateway_user: self.gateway_password}
        self._write("passwords", "".join(password_line(u, p) for u, p in users.items()))
        self._write("acl", GATEWAY_RULES.format(gateway=self.gateway_user) + DEVICE_RULES)
        user, tls = getpass.getuser(), self._tls()
        config = CONFIG.format(port=self.port, folder=self.folder, user=user, tls=tls)
        self._write("mosquitto.conf", config)
        arguments = [program, "-c", str(self.folder / "mosquitto.conf")]
        self._process = self._processes.start("mosquitto", arguments)
        self._process.wait_ready(self._listens, 15.0)

    def stop(self) -> None:
        """End the process; it saves what it retains."""
        if self._process is not None:
            self._process.stop()
        if self._owned:
            self._processes.stop()

    def reload(self) -> None:
        """SIGHUP: read rules, certificates and revocations anew; nobody is disconnected."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGHUP)

    def kill(self) -> None:
        """SIGKILL: all that was retained is lost."""
        if self._process is not None:
            self._process.kill()

    def _tls(self) -> str:
        """Write the rules and return the configuration of both listeners with certificates."""
        if self.pki is None:
            return ""
        self._write("device.acl", DEVICE_RULES)
        self._write("gateway.acl", GATEWAY_RULES.format(gateway=GATEWAY))
        files = {"folder": self.folder, "pki": self.pki.resolve()}
        common = TLS.format(**files)
        devices = DEVICE_LISTENER.format(port=self.tls_port, **files)
        gateways = GATEWAY_LISTENER.format(port=self.gateway_tls_port, **files)
        return f"{devices}{common}{gateways}{common}"

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), 0.2).close()
        except OSError:
            return False
        return True


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
