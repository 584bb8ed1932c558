"""Sees what a user of the cluster sees: the objects, and waits on them with deadlines."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from kubernetes import client, config
from urllib3.exceptions import HTTPError

from petiole.api.base import GROUP, VERSION

T = TypeVar("T")
Object = dict[str, Any]

POLL_SECONDS = 0.5


class ActFailedError(Exception):
    """The story stopped: what was waited for, what was last seen, where to look."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One object to watch."""

    kind: str
    plural: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def watched(manifest: Object) -> Watched:
    """What a manifest makes."""
    kind = manifest["kind"]
    return Watched(kind, f"{kind.lower()}s", manifest["metadata"]["name"])


def status_of(obj: Object | None) -> Object:
    return (obj or {}).get("status") or {}


def condition(obj: Object | None, type_: str) -> Object | None:
    found = [c for c in status_of(obj).get("conditions", []) if c["type"] == type_]
    return found[0] if found else None


def is_true(obj: Object | None, type_: str) -> bool:
    return (condition(obj, type_) or {}).get("status") == "True"


def last_words(obj: Object | None) -> str:
    """What the object says about itself: its message, and conditions that complain."""
    if obj is None:
        return "it does not exist"
    words = [status_of(obj).get("message") or "no status message yet"]
    for type_ in ("Stalled", "Degraded", "Rejected"):
        found = condition(obj, type_)
        if found is not None and found["status"] == "True":
            words.append(f"{type_}: {found['reason']}: {found.get('message', '')}")
    return "; ".join(words)


@dataclass(slots=True)
class Snapshot:
    """The objects at one moment. ``second`` counts from the start of the run."""

    second: float
    model: Object | None = None
    fleet: Object | None = None


@dataclass(slots=True)
class Cluster:
    """Reads both objects all the time; acts wait on what it reads and write by kubectl."""

    model: Watched
    fleet: Watched
    kubeconfig: Path
    kubectl: Path
    namespace: str
    logs: Path
    dead: Callable[[], str | None] = lambda: None  # which process has died, in words
    latest: Snapshot = field(default_factory=lambda: Snapshot(0.0))
    listeners: list[Callable[[Snapshot], None]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    problem: str = ""

    async def follow(self) -> None:
        """Poll until cancelled and tell the listeners."""
        api = client.CustomObjectsApi(config.new_client_from_config(str(self.kubeconfig)))
        while True:
            before = self.latest
            model = await asyncio.to_thread(self._read, api, self.model, before.model)
            fleet = await asyncio.to_thread(self._read, api, self.fleet, before.fleet)
            self.latest = Snapshot(time.monotonic() - self.started, model, fleet)
            for listener in self.listeners:
                listener(self.latest)
            await asyncio.sleep(POLL_SECONDS)

    def _read(
        self, api: client.CustomObjectsApi, what: Watched, before: Object | None
    ) -> Object | None:
        """The object now; as it was ``before`` while the server does not answer."""
        try:
            found: Object = api.get_namespaced_custom_object(
                GROUP, VERSION, self.namespace, what.plural, what.name, _request_timeout=5
            )
        except client.ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                self.problem = ""
                return None
            self.problem = f"{what}: {error.status} {error.reason}"
            return before
        except HTTPError as error:  # on a machine that is busy it may be slow for a while
            self.problem = f"{what}: {error}"
            return before
        self.problem = ""
        return found

    async def apply(self, *files: Path) -> None:
        """``kubectl apply -f`` for each file, as a user would."""
        for file in files:
            await self._run(str(self.kubectl), "apply", "-f", str(file))

    async def petiole(self, *arguments: str) -> None:
        """``petiole ...``, as a user would."""
        await self._run(sys.executable, "-m", "petiole.cli.main", *arguments)

    async def _run(self, *command: str, deadline: float = 60.0) -> None:
        """Run a command at this cluster. Raises ActFailedError when it fails or takes too long."""
        words = " ".join(command)
        process = await asyncio.create_subprocess_exec(
            *command,
            *("--kubeconfig", str(self.kubeconfig), "-n", self.namespace),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, err = await asyncio.wait_for(process.communicate(), deadline)
        except TimeoutError:
            process.kill()
            raise ActFailedError(f"{words} took over {deadline} s") from None
        if process.returncode != 0:
            raise ActFailedError(f"{words}: {err.decode().strip()}")

    async def wait(self, what: str, done: Callable[[Snapshot], T | None], deadline: float) -> T:
        """The first value of ``done`` that is not None.

        Raises ActFailedError at the deadline or when a process has died.
        """
        end = time.monotonic() + deadline
        while True:
            found = done(self.latest)
            if found is not None:
                return found
            dead = self.dead()
            if dead is not None:
                raise ActFailedError(f"waiting for {what}: {dead}. Logs: {self.logs}")
            if time.monotonic() > end:
                raise ActFailedError(self._gave_up(what, deadline))
            await asyncio.sleep(0.1)

    def _gave_up(self, what: str, deadline: float) -> str:
        lines = [
            f"waited {deadline:.0f} s for {what}, in vain.",
            f"  {self.model}: {last_words(self.latest.model)}",
            f"  {self.fleet}: {last_words(self.latest.fleet)}",
        ]
        if self.problem:
            lines.append(f"  API server: {self.problem}")
        return "\n".join([*lines, f"  Logs: {self.logs}"])
