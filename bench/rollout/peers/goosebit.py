"""goosebit from PyPI, in an environment of its own, with its default SQLite."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import uvloop

from bench.rollout.ddi import Devices
from bench.rollout.measure import Meter
from bench.rollout.work import Counted, Kind, Run, Skip, Tell, Work, choose_failing
from hack.testbed import environments
from hack.testbed.processes import ROOT, Process, ProcessError, Processes
from hack.testbed.waits import free_port

VENV = ROOT / "build" / "bench" / "goosebit-venv"
LOCK = ROOT / "requirements" / "goosebit.txt"
_ADMIN = Path(__file__).with_name("goosebit_admin.py")
_ATTRIBUTES = {"hw_boardname": "default", "hw_revision": "default", "sw_version": "0.0.0"}
_WARM_UP = 100  # devices; Python has little to warm
_INSTALL_SECONDS = 600.0
_ADMIN_SECONDS = 60.0


class Goosebit:
    """Rolls out to all devices at once; it has neither groups nor a threshold."""

    name = "goosebit"
    setting = (
        "goosebit 0.2.12, uvicorn, SQLite on disk. Its devices poll over HTTP, once a second and "
        "50 at a time. It has no stages and no threshold, so nothing ever stops and every device "
        "is exposed."
    )

    def run(self, work: Work, tell: Tell, done: Callable[[Run], None]) -> None:
        install(tell)
        folder = work.folder / self.name
        with Processes(folder) as processes:
            server = _Server(folder, processes)
            server.start()
            tell("warming up")
            server.roll_out(work, "failing", _WARM_UP, 0.0, 0)
            number = 1
            for count in work.devices:
                tell(f"{count} devices")
                done(server.roll_out(work, "speed", count, 0.0, number))
                number += 1
            for share in work.failing:
                tell(f"{work.failing_devices} devices, {share:.0%} failing")
                done(server.roll_out(work, "failing", work.failing_devices, share, number))
                number += 1


def install(tell: Tell) -> None:
    """Make the environment from the lock unless it is there. ``Skip`` when that fails."""
    if not environments.is_made(VENV, LOCK):
        tell("installing goosebit into an environment of its own")
    try:
        environments.make(VENV, LOCK, _INSTALL_SECONDS)
    except environments.InstallError as error:
        raise Skip(f"goosebit cannot be installed: {error}") from error


class _Server:
    def __init__(self, folder: Path, processes: Processes) -> None:
        self._folder = folder.resolve()
        self._processes = processes
        self._port = free_port()
        self._devices = Devices(f"http://127.0.0.1:{self._port}/DEFAULT/controller/v1")
        self._environment = {
            "GOOSEBIT_DB_URI": f"sqlite://{self._folder / 'goosebit.db'}",
            "GOOSEBIT_ARTIFACTS_DIR": str(self._folder / "artifacts"),
            "PYTHONPATH": "",
        }
        self._process: Process | None = None

    def start(self) -> None:
        (self._folder / "artifacts").mkdir(parents=True)
        self._admin("prepare")
        uvicorn = VENV / "bin" / "uvicorn"
        options = ["--host", "127.0.0.1", "--port", str(self._port), "--log-level", "warning"]
        command: list[str | Path] = [uvicorn, "goosebit:app", *options]
        self._process = self._processes.start("goosebit", command, environment=self._environment)
        self._process.wait_ready(lambda: asyncio.run(self._answers()), 60.0)

    def roll_out(self, work: Work, kind: Kind, count: int, share: float, number: int) -> Run:
        """Register fresh devices, then measure one rollout to them."""
        assert self._process is not None
        devices = [f"g{number}-{n:05d}" for n in range(count)]
        uvloop.run(self._devices.register(devices, _ATTRIBUTES))
        content = random.Random(work.seed + number).randbytes(work.artefact_size)
        file = self._folder / "artifacts" / f"firmware-{number}.swu"
        file.write_bytes(content)
        failing = choose_failing(devices, share, work.seed)
        meter = Meter({"goosebit": self._process.pid})
        meter.start()
        rollout = self._admin("rollout", f"r{number}", f"1.0.{number}", str(file))["id"]
        deadline = time.monotonic() + work.budget
        trace = uvloop.run(
            self._devices.play(
                devices,
                failing,
                hashlib.sha1(content).hexdigest(),
                lambda _: time.monotonic() > deadline,
            )
        )
        usage = meter.stop()
        self._process.check()
        return Run(kind, count, share, trace, self._counts(rollout), usage)

    def _counts(self, rollout: int) -> Counted:
        return Counted(**self._admin("counts", str(rollout)))

    def _admin(self, *arguments: str) -> dict[str, int]:
        log = f"admin-{arguments[0]}"
        admin = self._processes.start(
            log, [VENV / "bin" / "python", "-P", _ADMIN, *arguments], environment=self._environment
        )
        if admin.wait(_ADMIN_SECONDS) != 0:
            raise ProcessError(f"goosebit's {arguments[0]} failed; {admin.log}:\n{admin.tail(5)}")
        found: dict[str, int] = json.loads(admin.tail(1))
        return found

    async def _answers(self) -> bool:
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self._port}/docs") as answer,
            ):
                return answer.status < 500
        except aiohttp.ClientError:
            return False
