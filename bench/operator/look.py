"""What there is of a play: at the API server, at the gateway, in the store and at the devices."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from kubernetes import client

from hack.testbed.devices import Device
from petiole.api.base import GROUP, VERSION
from petiole.rollout.cohort import order

from .normal import End, masked
from .objects import NAME
from .world import World

MODEL, FLEET = "tinymodels", "devicefleets"
_NAMED = (("dataHash", MODEL), ("planHash", FLEET))  # of names, which are the play's own


class Look:
    """Reads; ``space`` is the namespace, ``events`` the devices' own, ``pool`` the pipeline's."""

    def __init__(self, world: World, space: str, pool: Path, events: Path) -> None:
        self._world, self._space, self._pool, self._events = world, space, pool, events
        self._api = client.CustomObjectsApi(world.kube)
        self._core = client.CoreV1Api(world.kube)
        self._http: httpx.Client
        self._devices: list[Device] = []
        self._uids: dict[str, str] = {}  # by kind
        self._digests: dict[int, str] = {}

    def begin(self, http: httpx.Client, devices: list[Device]) -> None:
        """Look by this client of the gateway at these devices."""
        self._http, self._devices = http, devices

    @property
    def fleet(self) -> str:
        return f"{self._space}.{NAME}"

    def make(self, kind: str, body: Mapping[str, Any]) -> None:
        """Create an object, whose uid is then known."""
        made = self._api.create_namespaced_custom_object(GROUP, VERSION, self._space, kind, body)
        self._uids[kind] = made["metadata"]["uid"]

    def patch(self, kind: str, spec: Mapping[str, Any]) -> None:
        """Edit a spec."""
        self._api.patch_namespaced_custom_object(
            GROUP, VERSION, self._space, kind, NAME, {"spec": dict(spec)}
        )

    def delete(self, kind: str) -> None:
        self._api.delete_namespaced_custom_object(GROUP, VERSION, self._space, kind, NAME)

    def read(self, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = self._api.get_namespaced_custom_object(
            GROUP, VERSION, self._space, kind, NAME, _request_timeout=60
        )
        return found

    def status(self, kind: str) -> dict[str, Any]:
        return dict(self.read(kind).get("status") or {})

    def has(self, version: int) -> bool:
        """Whether the model has this version."""
        return bool(self.status(MODEL).get("latestVersion") == version)

    def digest(self, version: int) -> str:
        """Return the digest of a version's artefact."""
        if version not in self._digests:
            versions = {v["version"]: v for v in self.status(MODEL)["versions"]}
            self._digests[version] = str(versions[version]["variants"][0]["digest"])
        return self._digests[version]

    def over(self, revision: int, result: str, *, stable: int) -> bool:
        """Whether a rollout ended so, and every device runs the stable version."""
        status = self.status(FLEET)
        ended = {e["revision"]: e["result"] for e in status.get("history", ())}
        idle = status.get("mode") == "Idle" and status["revision"]["stable"] == stable
        return idle and ended.get(revision) == result and self._all_run(stable)

    def _all_run(self, version: int) -> bool:
        """Whether every device runs the version, as the gateway knows it."""
        found = self._http.get("/v1/devices", params={"fleet": self.fleet}).json()
        digest = self.digest(version)
        return len(found) == len(self._devices) and all(
            (device["state"] or {}).get("active") == digest for device in found
        )

    def told(self) -> bool:
        """Whether the gateway has the plan of the newest spec."""
        body = self.read(FLEET)
        status = body.get("status") or {}
        newest = status.get("observedGeneration") == body["metadata"]["generation"]
        return newest and self._summary().get("serial") == status.get("serial")

    def held(self) -> bool:
        """Whether the gateway knows the fleet."""
        return self.fleet in self._http.get("/v1/fleets").json()

    def states(self) -> dict[str, Any]:
        """Return all that is compared, times and names masked."""
        model, fleet, gateway = self.status(MODEL), self.status(FLEET), self._summary()
        gateway.pop("version", None)  # counts what devices said, in how many turns
        statuses = {MODEL: model.get("round", {}), FLEET: fleet}
        hashes = {statuses[kind][n]: f"<{n}>" for n, kind in _NAMED if statuses[kind].get(n)}
        found = masked(
            {
                "model": model,
                "fleet": fleet,
                "gateway": gateway,
                "events": self._told_events(),
                "store": self._stored(),
            },
            self._names() | self._places() | hashes | {self._space: "<play>"},
        )
        return {name: sorted(p) if isinstance(p, list) else p for name, p in found.items()}

    def end(self, states: Mapping[str, Any]) -> End:
        """Return the end with these states, and what runs and devices did."""
        trace = (self._pool / "trace").read_text().splitlines()
        return End(states, tuple(masked(trace, self._names())), self._starts())

    def _names(self) -> dict[str, str]:
        whole = {uid: f"<uid of {kind}>" for kind, uid in self._uids.items()}
        return whole | {uid[:8]: f"<short uid of {kind}>" for kind, uid in self._uids.items()}

    def _places(self) -> dict[str, str]:
        """What each device is called: its place in the cohort of the failing canary."""
        return {device: f"<device {place}>" for place, device in enumerate(self.cohort(2))}

    def cohort(self, version: int) -> list[str]:
        """Return the devices in the order in which they may take a version."""
        return order(version, [device.id for device in self._devices])

    def _summary(self) -> dict[str, Any]:
        answer = self._http.get(f"/v1/fleets/{self.fleet}/summary")
        return dict(answer.json()) if answer.is_success else {}

    def _told_events(self) -> list[tuple[str, ...]]:
        found = self._core.list_namespaced_event(self._space, _request_timeout=60).items
        return [(e.involved_object.kind, e.type, e.reason, e.message) for e in found]

    def _stored(self) -> list[str]:
        root = self._world.testbed.store / "models"
        paths = [path for uid in self._uids.values() for path in (root / uid).rglob("*")]
        return [str(path.relative_to(root)) for path in paths if path.is_file()]

    def _starts(self) -> dict[tuple[int, int], int]:
        """How often each device began to fetch each version, by the devices' own events.

        A device is its place in the version's cohort: in another play another one has it.
        """
        time.sleep(0.5)  # they are written out five times a second
        cohorts = {version: self.cohort(version) for version in self._digests}
        known = {digest[:12]: version for version, digest in self._digests.items()}
        counted: Counter[tuple[int, int]] = Counter()
        for line in self._events.read_text().splitlines():
            _, device, phase, digest = line.split()[:4]
            if phase == "downloading":
                version = known[digest]
                counted[cohorts[version].index(device), version] += 1
        return dict(counted)
