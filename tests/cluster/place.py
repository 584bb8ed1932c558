"""A node with all that the chart names, and whoever installs it, uses it and looks on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from hack.cluster.desk import Desk
from hack.cluster.images import images
from hack.cluster.volumes import volumes
from hack.image.mosquitto import NAME as MOSQUITTO
from hack.node import names, programs
from hack.node.able import why_not
from hack.node.alone import is_alone
from hack.node.node import Node
from hack.testbed.processes import Processes
from hack.testbed.waits import free_port

NAMESPACE = "petiole"  # of docs/install.md, and the release's name
EVERY = 0.5  # seconds between two looks
# The cluster's own: its registry, no balancer, and the broker that Debian has.
VALUES = {
    "image": {"registry": "localhost"},
    "mosquitto": {
        "image": {
            "repository": MOSQUITTO.removeprefix("localhost/").partition(":")[0],
            "tag": MOSQUITTO.rpartition(":")[2],
        },
        "service": {"type": "NodePort"},
    },
}
Object = dict[str, Any]


@dataclass(slots=True)
class Place:
    """What the test may touch.

    ``person`` is the kubeconfig of one who may edit in the namespace, and has no other right.
    ``before`` are the cluster's objects before the installation, ``times`` seconds by step.
    """

    folder: Path
    processes: Processes
    node: Node
    desk: Desk
    person: Path
    times: dict[str, float] = field(default_factory=dict)
    before: set[str] = field(default_factory=set)

    @property
    def store(self) -> Path:
        """The folder of the node that is the store's volume."""
        return self.folder / "volumes" / "store"

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Note how long it takes."""
        began = time.monotonic()
        yield
        self.times[name] = time.monotonic() - began

    async def run(self, command: str, **more: Any) -> str:
        """Run a command at the desk, beside what else goes on."""
        return await asyncio.to_thread(self.desk.run, command, **more)

    async def ask(self, command: str) -> str:
        """Run a command of the person's."""
        return await self.run(command, kubeconfig=self.person)

    def read(self, kind: str, name: str) -> Object:
        return self.node.cluster.get(kind, name, NAMESPACE)

    def list(self, kind: str, *options: str) -> list[Object]:
        """Objects of the namespace."""
        asked = ("get", kind, "-n", NAMESPACE, "-o", "json", *options)
        items: list[Object] = json.loads(self.node.cluster.kubectl(*asked))["items"]
        return items

    async def until(self, done: Callable[[], object], seconds: float, what: str) -> None:
        """Fails at the deadline with what the namespace holds."""
        end = time.monotonic() + seconds
        while not await asyncio.to_thread(done):
            if time.monotonic() > end:
                there = self.node.cluster.kubectl("get", "all,tm,df", "-n", NAMESPACE, "-o", "wide")
                raise AssertionError(f"waited {seconds:.0f} s for {what}:\n{there}")
            await asyncio.sleep(EVERY)

    @contextmanager
    def gateway(self) -> Iterator[httpx.Client]:
        """The gateway's API, as a person with its token reaches it from outside."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        kubectl = [self.node.cluster.kubectl_path, "--kubeconfig", self.node.cluster.kubeconfig]
        service = ["port-forward", "-n", NAMESPACE, "service/petiole-gateway", f"{port}:8080"]
        forward = self.processes.start("port-forward", [*kubectl, *service])
        secret = "get secret petiole-gateway -o jsonpath='{.data.token}'"
        token = self.desk.run(f"kubectl -n {NAMESPACE} {secret} | base64 -d")
        headers = {"Authorization": f"Bearer {token}"}
        try:
            forward.wait_ready(lambda: _answers(f"{url}/healthz"), 60)
            with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as http:
                yield http
        finally:
            forward.stop()

    def there(self) -> set[str]:
        """All objects of the cluster by kind, namespace and name; without Events."""
        kubectl = self.node.cluster.kubectl
        kinds = kubectl("api-resources", "--verbs=list", "-o", "name").split()
        wanted = ",".join(kind for kind in kinds if not kind.startswith("events"))
        found = json.loads(kubectl("get", wanted, "-A", "-o", "json"))["items"]
        return {
            f"{o['kind']} {o['metadata'].get('namespace', '')}/{o['metadata']['name']}"
            for o in found
        }


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Place]:
    """Bring a node up with images and volumes; skips, saying why."""
    if reason := why_not():
        pytest.skip(reason)
    if not is_alone() or programs.missing() or names.missing():
        pytest.skip("no node here: make test-cluster brings one up (docs/node.md)")
    began = time.monotonic()
    with Processes(folder) as processes:
        node = Node(folder / "node", processes, named=True)
        await asyncio.to_thread(node.start)
        try:
            up = time.monotonic()
            for image in images(print):
                await asyncio.to_thread(node.load, image)
            node.cluster.apply(*volumes(folder / "volumes", store="20Gi", database="5Gi"))
            made = Place(
                folder,
                processes,
                node,
                Desk(folder / "desk", node.cluster, VALUES),
                node.cluster.admit("person", "person"),
            )
            made.times |= {"a node": up - began, "its images": time.monotonic() - up}
            yield made
        finally:
            await asyncio.to_thread(node.stop)
