"""From Git to devices: a repository, a real Argo CD that follows it, a whole Petiole behind it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from hack.argocd import programs
from hack.argocd.installation import USER, ArgoCd
from hack.demo.example import FLEET_FILE, MODEL_FILE, Example
from hack.demo.examples.digits import example
from hack.demo.manifests import Manifests
from hack.demo.stage import fleet_of
from hack.gitops import FOLDER
from hack.node.able import why_not
from hack.node.alone import is_alone
from hack.testbed import audit
from hack.testbed.rights import READS
from petiole.api.base import GROUP, VERSION
from tests.loop.orchard import Orchard, planted

NAME = "meters"  # of the fleet, and as application.yaml has it: the application, namespace, folder
_EVERY = 0.3  # seconds between two looks
_EVER = datetime.min.replace(tzinfo=UTC)
Object = dict[str, Any]


class Repository:
    """A bare repository in a folder, and a clone in which people work."""

    def __init__(self, folder: Path) -> None:
        self._bare, self._clone = folder / "fleets.git", folder / "clone"
        self.url = self._bare.as_uri()
        _git(folder, "init", "-q", "--bare", "--initial-branch=main", str(self._bare))
        _git(folder, "init", "-q", "--initial-branch=main", str(self._clone))

    def commit(self, message: str, files: dict[str, Object | None]) -> str:
        """Write files of the folder NAME, or remove them, and push; return the commit."""
        folder = self._clone / NAME
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            if content is None:
                (folder / name).unlink()
            else:
                (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
        return self._push(message)

    def add(self, message: str, folder: Path) -> None:
        """Put a folder beside NAME, as it is, and push."""
        shutil.copytree(folder, self._clone / folder.name)
        self._push(message)

    def _push(self, message: str) -> str:
        _git(self._clone, "add", "-A")
        _git(self._clone, "commit", "-q", "-m", message)
        _git(self._clone, "push", "-q", str(self._bare), "main")
        return _git(self._clone, "rev-parse", "HEAD").strip()


@dataclass(slots=True)
class Delivery:
    """What the test may touch. ``seen`` is each health that the Application has had, in order."""

    orchard: Orchard
    argocd: ArgoCd
    repository: Repository
    example: Example
    manifests: Manifests
    api: client.CustomObjectsApi
    seen: list[str] = field(default_factory=list)

    async def commit(self, message: str, files: dict[str, Object | None]) -> None:
        """Commit, and wait until Argo CD has synced just that."""
        commit = await asyncio.to_thread(self.repository.commit, message, files)

        def done() -> bool:
            status = self.application()["status"]
            over = status.get("operationState", {})
            synced = status["sync"]["status"] == "Synced" and over.get("phase") == "Succeeded"
            return synced and status["sync"]["revision"] == commit == _revision(over)

        await self.until(done, 120, f"commit {message!r} synced")

    def application(self, name: str = NAME) -> Object:
        return self.argocd.get(f"applications/{name}")

    def nodes(self) -> dict[str, Object]:
        """The application's objects and what belongs to them, by kind."""
        tree = self.argocd.get(f"applications/{NAME}/resource-tree")
        return {node["kind"]: node for node in tree.get("nodes", [])}

    def health(self, kind: str) -> tuple[str, str]:
        """Argo CD's word and message for the object of one kind; empty while there is none."""
        health = self.nodes().get(kind, {}).get("health", {})
        return health.get("status", ""), health.get("message", "")

    def offered(self) -> dict[str, bool]:
        """Actions of the fleet, and whether they can be chosen now."""
        asked = {"namespace": NAME, "resourceName": NAME, "kind": "DeviceFleet"}
        path = f"applications/{NAME}/resource/actions"
        found = self.argocd.get(path, **asked, group=GROUP, version=VERSION)["actions"]
        return {action["name"]: not action.get("disabled", False) for action in found}

    async def act(self, action: str, kind: str = "DeviceFleet", name: str = NAME) -> None:
        """Run an action of an object, with the words of docs/gitops.md."""
        what = ("--kind", kind, "--resource-name", name)
        await asyncio.to_thread(self.argocd.cli, "app", "actions", "run", NAME, action, *what)

    def read(self, plural: str, name: str, namespace: str = NAME) -> Object:
        found: Object = self.api.get_namespaced_custom_object(
            GROUP, VERSION, namespace, plural, name, _request_timeout=10
        )
        return found

    def fleet(self) -> Object:
        """The fleet's status, once the operator has looked at its newest spec; before that none."""
        found = self.read("devicefleets", NAME)
        status: Object = found["status"]
        seen = status["observedGeneration"] == found["metadata"]["generation"]
        return status if seen else {}

    def running(self) -> set[str | None]:
        """The artefacts that devices said last that they run."""
        return {state.active for state in self.orchard.witness.latest().values()}

    async def until(self, done: Callable[[], object], seconds: float, what: str) -> None:
        """Fails at the deadline with what Argo CD says."""
        end = time.monotonic() + seconds
        while True:
            await self._look()
            if await asyncio.to_thread(done):
                return
            if time.monotonic() > end:
                there = yaml.dump([self.application()["status"], self.nodes()])
                raise AssertionError(f"waited {seconds:.0f} s for {what}; {self.seen}:\n{there}")
            await asyncio.sleep(_EVERY)

    async def until_health(self, wanted: str, seconds: float, *, told: str = "") -> None:
        """Until the Application is that, and the fleet's message has ``told`` in it."""

        def done() -> bool:
            return self.seen[-1:] == [wanted] and told in self.health("DeviceFleet")[1]

        await self.until(done, seconds, f"{wanted} {told}")

    async def watch(self, seconds: float) -> None:
        """Look on for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self._look()
            await asyncio.sleep(_EVERY)

    async def _look(self) -> None:
        status = (await asyncio.to_thread(self.application)).get("status", {})
        health = status.get("health", {}).get("status", "")
        if health and self.seen[-1:] != [health]:
            self.seen.append(health)

    def writes(self, user: str = USER, since: datetime = _EVER) -> Iterator[Object]:
        """Audited writes of Argo CD or the operator to what belongs to the fleet's namespace."""
        for event in audit.events(self.orchard.testbed.cluster.folder, f'"{user}"'):
            here = event.get("objectRef", {}).get("namespace") == NAME
            wrote = event["user"]["username"] == user and event["verb"] not in READS
            if here and wrote and datetime.fromisoformat(event["stageTimestamp"]) > since:
                yield event


def application(repository: Repository, name: str = NAME) -> Object:
    """``gitops/argocd/application.yaml`` for a folder of this repository."""
    found: Object = yaml.safe_load((FOLDER / "application.yaml").read_text())
    found["metadata"]["name"] = found["spec"]["destination"]["namespace"] = name
    found["spec"]["source"] |= {"repoURL": repository.url, "path": name}
    return found


@asynccontextmanager
async def delivery(folder: Path) -> AsyncIterator[Delivery]:
    """Bring all up, with the example digits in Git; skips, saying why."""
    if reason := why_not():
        pytest.skip(reason)
    if not is_alone() or programs.missing():
        pytest.skip("no real Argo CD here: make test-argocd brings one up (docs/gitops.md)")
    digits = example(None, quick=True)
    manifests = Manifests(digits.manifests, folder / "data", digits.overrides)
    posix, _ = fleet_of(digits, manifests)
    async with planted(folder, posix) as orchard:
        testbed = orchard.testbed
        argocd = ArgoCd(folder / "argocd", testbed.cluster, testbed.processes)
        repository = Repository(folder)
        repository.commit(
            "A fleet and its model", {MODEL_FILE: manifests.model, FLEET_FILE: manifests.fleet}
        )
        await asyncio.to_thread(argocd.start)
        try:
            testbed.cluster.apply(application(repository))
            yield Delivery(orchard, argocd, repository, digits, manifests, orchard.api())
        finally:
            await asyncio.to_thread(argocd.stop)


def _revision(operation: Object) -> str:
    return str(operation.get("syncResult", {}).get("revision", ""))


def _git(folder: Path, *arguments: str) -> str:
    """What git says; fails with its words."""
    who = ("-c", "user.name=orchard", "-c", "user.email=orchard@example.com")
    command = ["git", *who, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
