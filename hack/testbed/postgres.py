"""A PostgreSQL of one's own on loopback: a free port, a password, a database a test.

PostgreSQL refuses to run as root; root starts it as the user ``postgres`` (Debian's package makes
it) or ``nobody``, with its files in a folder of that user below the system's temporary folder.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import asyncpg

from .lifetime import Lifetime
from .processes import Process, Processes
from .waits import free_port

USERS = ("postgres", "nobody")  # the first that there is runs the server for root
OWNER = "petiole"  # superuser of the cluster


def program(name: str) -> str:
    """Return where a program of the server is; Debian keeps them off the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    path = ":".join([os.environ.get("PATH", ""), *map(str, folders)])
    found = shutil.which(name, path=path)
    if found is None:
        raise FileNotFoundError(f"{name} is missing; install it: apt-get install postgresql")
    return found


class Postgres(Lifetime):
    """One server. Start with ``with Postgres(...)``, or ``start()`` and ``stop()``.

    ``kill`` is a crash: ``start`` again recovers what was committed, under the same address.
    """

    def __init__(self, folder: Path, processes: Processes | None = None) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self.password = secrets.token_urlsafe(16)
        self._owned = processes is None
        self._processes = processes or Processes(folder.resolve())
        self._process: Process | None = None
        self._as = _other_user()
        self._folder = _private(folder.resolve(), self._as)

    def start(self) -> None:
        """Make the cluster when it is not there, start the server, wait until it answers."""
        data = self._folder / "data"
        if not data.exists():
            self._initialise(data)
        command = [
            *_run_as(self._as), program("postgres"), "-D", str(data), "-p", str(self.port),
            "-c", f"listen_addresses={self.host}", "-c", "unix_socket_directories=",
            "-c", "max_connections=50",
        ]  # fmt: skip
        self._process = self._processes.start("postgres", command)
        self._process.wait_ready(self._answers, 60.0)

    def stop(self) -> None:
        """End the server and remove its files."""
        self.kill()
        if self._owned:
            self._processes.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """SIGKILL to the server and all that it forked."""
        if self._process is None:
            return
        forked = _children(self._process.pid)
        self._process.kill()
        for pid in forked:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    async def database(self, name: str) -> str:
        """Make an empty database; returns its SQLAlchemy URL."""
        connection = await asyncpg.connect(
            host=self.host, port=self.port, user=OWNER, password=self.password, database="postgres"
        )
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return self.url(name)

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+asyncpg://{OWNER}:{self.password}@{self.host}:{self.port}/{database}"

    def _initialise(self, data: Path) -> None:
        password = self._folder / "password"
        password.write_text(self.password)
        if self._as is not None:
            os.chown(password, self._as.pw_uid, self._as.pw_gid)
        password.chmod(0o600)
        command = [
            *_run_as(self._as), program("initdb"), "-D", str(data), "-U", OWNER, "--no-sync",
            "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8",
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def _answers(self) -> bool:
        asked = [program("pg_isready"), "-q", "-h", self.host, "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def _other_user() -> pwd.struct_passwd | None:
    """Return whom root has to become; None for anyone else."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in USERS if name in known)


def _run_as(user: pwd.struct_passwd | None) -> list[str]:
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _private(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Return a folder that the server's user reaches; a test's own may be closed to it."""
    if user is None:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="postgres-", dir=folder))
    path = Path(tempfile.mkdtemp(prefix="petiole-postgres-"))
    os.chown(path, user.pw_uid, user.pw_gid)
    return path


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]
