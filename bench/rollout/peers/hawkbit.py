"""Eclipse hawkBit 1.1.0, its own jar, with its default database in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from bench.rollout.ddi import Devices
from bench.rollout.measure import Meter
from bench.rollout.work import Counted, Kind, Run, Skip, Tell, Trace, Work, choose_failing
from hack.testbed.processes import ROOT, Process, Processes
from hack.testbed.waits import free_port

JAR = ROOT.parent / "shared" / "peers" / "hawkbit-update-server-1.1.0.jar"
OLDEST_JAVA = 21
GROUPS, ERROR_PERCENT, SUCCESS_PERCENT = 10, 5, 90
_TOKEN = "token-of-the-bench"
_ADMIN = aiohttp.BasicAuth("admin", "admin")
_BATCH = 500  # targets a request
_READY_SECONDS = 240.0
_WATCH = 0.25  # seconds between looks at a rollout that may pause
_QUIET = 5.0  # seconds without a new device after which a paused rollout is over


class HawkbitError(Exception):
    """hawkBit refused a request of its administrator; the message has its answer."""


class Hawkbit:
    """One group where speed counts, ten with an error threshold where devices fail."""

    name = "hawkbit"
    setting = (
        "Eclipse hawkBit 1.1.0, Java with 2 GiB heap, H2 in memory: nothing is durable, which "
        "favours it. Its devices poll over HTTP, once a second and 50 at a time. Failing devices: "
        "10 groups, error threshold 5 %, action PAUSE."
    )

    def run(self, work: Work, tell: Tell, done: Callable[[Run], None]) -> None:
        jar, java = find_jar(), find_java()
        folder = work.folder / self.name
        with Processes(folder) as processes:
            server = _Server(folder, processes, java, jar)
            tell("starting Java")
            server.start()
            uvloop.run(self._work(server, work, tell, done))

    async def _work(
        self, server: _Server, work: Work, tell: Tell, done: Callable[[Run], None]
    ) -> None:
        await server.admit_devices()
        tell(f"warming up with {work.warm_up} devices")
        await server.roll_out(work, "speed", work.warm_up, 0.0, 0)
        number = 1
        for count in work.devices:
            tell(f"{count} devices")
            done(await server.roll_out(work, "speed", count, 0.0, number))
            number += 1
        for share in work.failing:
            for repeat in range(work.repeats):
                tell(f"{work.failing_devices} devices, {share:.0%} failing, run {repeat + 1}")
                done(await server.roll_out(work, "failing", work.failing_devices, share, number))
                number += 1


def find_jar() -> Path:
    """``HAWKBIT_JAR``, else the place beside the repository. ``Skip`` when there is none."""
    jar = Path(os.environ.get("HAWKBIT_JAR") or JAR)
    if not jar.is_file():
        raise Skip(f"no file {jar}: name hawkBit's update server in HAWKBIT_JAR")
    return jar


def find_java() -> Path:
    """Return the newest Java of JAVA_HOME, PATH and /usr/lib/jvm; ``Skip`` below 21."""
    found = [(java_version(java), java) for java in _javas()]
    newest = max(found, default=(0, Path()))
    if newest[0] < OLDEST_JAVA:
        raise Skip(
            f"hawkBit needs Java {OLDEST_JAVA} or newer, and the newest one in JAVA_HOME, PATH and "
            f"/usr/lib/jvm is {newest[0] or 'none'}"
        )
    return newest[1]


def _javas() -> Iterable[Path]:
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    places = [Path(home) / "bin" / "java"] if home else []
    places += [Path(on_path)] if on_path else []
    places += Path("/usr/lib/jvm").glob("*/bin/java")
    return (place for place in places if place.is_file())


def java_version(java: Path) -> int:
    """Feature number of a Java, such as 21; 0 when it does not run."""
    try:
        said = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    number = re.search(r'version "(\d+)', said.stderr)
    return int(number.group(1)) if number else 0


def deciding(trace: Trace, groups: Sequence[frozenset[str]], percent: int) -> float | None:
    """When the failure came that puts a group above the error threshold; None when none did.

    hawkBit's condition is: errors / targets of the group > threshold / 100.
    """
    failed = [0] * len(groups)
    for at, device in trace.failures():
        for index, group in enumerate(groups):
            if device in group:
                failed[index] += 1
                if failed[index] * 100 > percent * len(group):
                    return at
    return None


class _Server:
    def __init__(self, folder: Path, processes: Processes, java: Path, jar: Path) -> None:
        self._folder = folder.resolve()
        self._processes = processes
        self._command: list[str | Path] = [java, "-Xmx2g", "-jar", jar]
        self._url = f"http://127.0.0.1:{free_port()}"
        self._devices = Devices(
            f"{self._url}/DEFAULT/controller/v1", {"Authorization": f"GatewayToken {_TOKEN}"}
        )
        self._process: Process | None = None

    def start(self) -> None:
        options = {
            "server.address": "127.0.0.1",
            "server.port": self._url.rpartition(":")[2],
            "hawkbit.rollout.scheduler.fixedDelay": "500",
            "org.eclipse.hawkbit.artifact.fs.path": str(self._folder / "artifacts"),
        }
        command = [*self._command, *(f"--{name}={value}" for name, value in options.items())]
        self._process = self._processes.start("hawkbit", command)
        self._process.wait_ready(lambda: asyncio.run(self._answers()), _READY_SECONDS)

    async def admit_devices(self) -> None:
        """One token for all devices, as a gateway in front of them would have."""
        for key, value in (("enabled", True), ("key", _TOKEN)):
            path = f"/rest/v1/system/configs/authentication.gatewaytoken.{key}"
            await self._ask("PUT", path, {"value": value})

    async def roll_out(self, work: Work, kind: Kind, count: int, share: float, number: int) -> Run:
        """Make targets, artefact and rollout; then measure from its start."""
        assert self._process is not None
        devices = [f"h{number}-{n:05d}" for n in range(count)]
        content = random.Random(work.seed + number).randbytes(work.artefact_size)
        await self._make_targets(devices)
        rollout = await self._make_rollout(number, content, 1 if kind == "speed" else GROUPS)
        groups = await self._groups(rollout, count) if kind == "failing" else []
        failing = choose_failing(devices, share, work.seed + number)
        meter = Meter({"hawkbit": self._process.pid})
        meter.start()
        await self._ask("POST", f"/rest/v1/rollouts/{rollout}/start")
        watch = _Watch(time.monotonic() + work.budget)
        watching = asyncio.create_task(self._watch(rollout, watch)) if groups else None
        trace = await self._devices.play(
            devices, failing, hashlib.sha1(content).hexdigest(), watch.over
        )
        usage = meter.stop()
        if watching is not None:
            watching.cancel()
        self._process.check()
        counted = await self._counts(rollout)
        return Run(
            kind, count, share, trace, counted, usage, deciding(trace, groups, ERROR_PERCENT)
        )

    async def _make_targets(self, devices: Sequence[str]) -> None:
        for start in range(0, len(devices), _BATCH):
            body = [{"controllerId": d, "name": d} for d in devices[start : start + _BATCH]]
            await self._ask("POST", "/rest/v1/targets", body)

    async def _make_rollout(self, number: int, content: bytes, groups: int) -> int:
        module = await self._ask(
            "POST",
            "/rest/v1/softwaremodules",
            [{"name": f"module-{number}", "version": "1", "type": "os"}],
        )
        form = aiohttp.FormData()
        form.add_field(
            "file", content, filename="firmware.bin", content_type="application/octet-stream"
        )
        await self._ask("POST", f"/rest/v1/softwaremodules/{module[0]['id']}/artifacts", form=form)
        parts = [{"id": module[0]["id"]}]
        name = {"name": f"set-{number}", "version": "1", "type": "os", "modules": parts}
        made = await self._ask("POST", "/rest/v1/distributionsets", [name])
        body = {
            "name": f"rollout-{number}",
            "targetFilterQuery": f"id==h{number}-*",
            "distributionSetId": made[0]["id"],
            "amountGroups": groups,
            "successCondition": {"condition": "THRESHOLD", "expression": str(SUCCESS_PERCENT)},
            "successAction": {"action": "NEXTGROUP", "expression": ""},
            "errorCondition": {"condition": "THRESHOLD", "expression": str(ERROR_PERCENT)},
            "errorAction": {"action": "PAUSE", "expression": ""},
        }
        rollout = int((await self._ask("POST", "/rest/v1/rollouts", body))["id"])
        await self._ready(rollout)
        return rollout

    async def _ready(self, rollout: int) -> None:
        """Wait until its scheduler has put the targets into groups."""
        async with asyncio.timeout(_READY_SECONDS):
            while (await self._status(rollout)) != "ready":  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(_WATCH)

    async def _status(self, rollout: int) -> str:
        return str((await self._ask("GET", f"/rest/v1/rollouts/{rollout}"))["status"])

    async def _groups(self, rollout: int, count: int) -> list[frozenset[str]]:
        """Which devices are in which group."""
        path = f"/rest/v1/rollouts/{rollout}/deploygroups"
        found = await self._ask("GET", f"{path}?limit={GROUPS}")
        members = [
            await self._ask("GET", f"{path}/{group['id']}/targets?limit={count}")
            for group in found["content"]
        ]
        return [frozenset(t["controllerId"] for t in page["content"]) for page in members]

    async def _watch(self, rollout: int, watch: _Watch) -> None:
        while True:
            watch.paused = await self._status(rollout) == "paused"
            await asyncio.sleep(_WATCH)

    async def _counts(self, rollout: int) -> Counted:
        """Read the counts once they have settled; the rollout's own view may lag behind."""
        await asyncio.sleep(2.0)
        found = await self._ask("GET", f"/rest/v1/rollouts/{rollout}?representation=full")
        totals = found["totalTargetsPerStatus"]
        return Counted(succeeded=totals["finished"], failed=totals["error"])

    async def _ask(
        self, method: str, path: str, body: object = None, form: aiohttp.FormData | None = None
    ) -> Any:  # noqa: ANN401 - an object or a list, as the call has it
        async with (
            aiohttp.ClientSession(auth=_ADMIN) as session,
            session.request(method, self._url + path, json=body, data=form) as answer,
        ):
            text = await answer.text()
            if answer.status >= 400:
                raise HawkbitError(f"hawkBit: {method} {path}: {answer.status} {text[:300]}")
            return await answer.json(content_type=None) if text else {}

    async def _answers(self) -> bool:
        try:
            await self._ask("GET", "/rest/v1/targets?limit=1")
        except (aiohttp.ClientError, HawkbitError):
            return False
        return True


class _Watch:
    """When a rollout is over: at its deadline, or some time after the last device of a pause."""

    def __init__(self, deadline: float) -> None:
        self.paused = False
        self._deadline = deadline

    def over(self, trace: Trace) -> bool:
        now = time.monotonic()
        return now > self._deadline or (self.paused and now - trace.last_begin > _QUIET)
