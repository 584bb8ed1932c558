"""Many models and as many fleets of one device each, with everything that they need.

Control plane, broker, gateway, operator and device cores are real. The models have learned: a first
version each, all of one artefact, as nothing here is about learning.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from kubernetes import client, config

from bench.rollout.measure import cpu_seconds, memory
from hack.testbed import models
from hack.testbed.controlplane import OPERATOR_USER
from hack.testbed.crowd import NAMESPACE, a_model, first_round, store_version
from hack.testbed.devices import (
    Device,
    Simulation,
    allow_descriptors,
    passwords,
    provision_posix,
    start_simulation,
)
from hack.testbed.lifetime import Lifetime
from hack.testbed.processes import ROOT
from hack.testbed.testbed import Testbed
from hack.testbed.waits import DeadlineError
from petiole.api.base import GROUP, VERSION
from petiole.artifact.keys import load_private

from .requests import Asked, Tail

_LOOK = 2.0  # seconds between two looks at all objects
_ONLINE_SECONDS = 180.0
_DUE = 20  # objects whose time came in the last two seconds


class Estate(Lifetime):
    """``count`` models and room for as many fleets; the operator is started by hand."""

    def __init__(self, folder: Path, count: int) -> None:
        self.count = count
        self._folder = folder
        self._devices = [
            Device(f"twig-{n:05}", models.TARGET, {"app": name(n)}, slot=48 * 1024, arena=1024)
            for n in range(count)
        ]
        self._testbed = Testbed(folder, passwords(self._devices))
        self._api: client.CustomObjectsApi
        self.tail: Tail | None = None

    def start(self) -> None:
        """Bring all up but the operator, with all models and no fleet."""
        subprocess.run(["make", "-C", ROOT / "firmware", "-s", "posix"], check=True, timeout=600)
        allow_descriptors(4 * self.count + 1024)
        testbed = self._testbed
        testbed.start()
        try:
            assert testbed.operator is not None
            testbed.operator.stop()
            cluster = testbed.cluster
            kube = config.new_client_from_config(str(cluster.kubeconfig))
            self._api = client.CustomObjectsApi(kube)
            testbed.register(self._devices)
            self._start_devices()
            self._make_models()
            self.tail = Tail(cluster.folder / "audit.log")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self.tail is not None:
            self.tail.close()
        self._testbed.stop()

    # --- the operator ---

    def start_operator(self) -> None:
        self._testbed.start_operator()

    def kill_operator(self) -> None:
        assert self._testbed.operator is not None
        self._testbed.operator.kill()

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, by process; of an operator that was killed 0."""
        return cpu_seconds(self._pids())

    def rss(self) -> float:
        """Resident memory of the operator, MiB."""
        return memory([self._pids()["operator"]])[0]

    def asked(self) -> Asked:
        """What the operator asked the API server since the last look."""
        assert self.tail is not None
        return Asked.of(self.tail.take(), OPERATOR_USER)

    def scrape(self) -> tuple[float, dict[str, float]]:
        """Ask the operator for its metrics; seconds that this took, and those of one series."""
        began = time.monotonic()
        text = httpx.get(f"{self._testbed.operator_url}/metrics", timeout=60, trust_env=False).text
        lines = (line.rpartition(" ") for line in text.splitlines() if line[0] != "#")
        return time.monotonic() - began, {series: float(value) for series, _, value in lines}

    def _pids(self) -> dict[str, int]:
        operator, gateway = self._testbed.operator, self._testbed.gateway
        assert operator is not None
        assert gateway is not None
        return {"operator": operator.pid, "gateway": gateway.pid}

    # --- objects ---

    def make_fleets(self) -> None:
        for number in range(self.count):
            self._api.create_namespaced_custom_object(
                GROUP, VERSION, NAMESPACE, "devicefleets", _fleet(number)
            )

    def edit_fleets(self, spec: Mapping[str, Any]) -> None:
        """Merge this into the spec of every fleet, one after another."""
        for number in range(self.count):
            self._api.patch_namespaced_custom_object(
                GROUP, VERSION, NAMESPACE, "devicefleets", name(number), {"spec": dict(spec)}
            )

    def await_models(self, seconds: float) -> None:
        """Until the operator has said of every model that it is ready."""
        self._await("tinymodels", "every model's status", _settled, seconds)

    def await_fleets(self, seconds: float) -> None:
        """Until every fleet's device runs version 1, and the newest spec has been looked at."""
        self._await("devicefleets", "every fleet's end", _rolled_out, seconds)

    def await_passes(self, seconds: float) -> None:
        """Until the operator that runs has made a pass over every object, and none waits for long.

        Ten come due each second by the resync, so the queue of a busy machine is never empty.
        """
        end = time.monotonic() + seconds
        while True:
            _, series = self.scrape()
            passes = [_passes(series, kind) for kind in ("tinymodels", "devicefleets")]
            if min(passes) >= self.count and series["petiole_operator_queue_length"] <= _DUE:
                return
            if time.monotonic() > end:
                raise DeadlineError(f"passes over all objects: {passes} in {seconds:g} s")
            time.sleep(_LOOK)

    def _await(
        self, plural: str, what: str, met: Callable[[Mapping[str, Any]], bool], seconds: float
    ) -> None:
        end = time.monotonic() + seconds
        while True:
            found = self._api.list_namespaced_custom_object(GROUP, VERSION, NAMESPACE, plural)
            left = [body for body in found["items"] if not met(body)]
            if not left:
                return
            if time.monotonic() > end:
                raise DeadlineError(
                    f"{what}: {len(left)} are left after {seconds:g} s; {left[0].get('status')}"
                )
            time.sleep(_LOOK)

    def _make_models(self) -> None:
        key = load_private(self._testbed.signing_key.read_bytes())
        artefacts = {models.TARGET: models.sign(models.make(1), key)}
        for number in range(self.count):
            document = a_model(self._folder, name(number))
            made = self._api.create_namespaced_custom_object(
                GROUP, VERSION, NAMESPACE, "tinymodels", document
            )
            uid = made["metadata"]["uid"]
            version = store_version(self._testbed.store, uid, 1, artefacts)
            status = {"round": first_round(document), "latestVersion": 1, "versions": [version]}
            self._api.patch_namespaced_custom_object_status(
                GROUP, VERSION, NAMESPACE, "tinymodels", name(number), {"status": status}
            )

    def _start_devices(self) -> None:
        flash = self._folder / "flash"
        provision_posix(flash, self._devices, (self._testbed.public_key,))
        simulation = Simulation(self._folder / "faults", self._folder / "events")
        port = self._testbed.broker.port
        start_simulation(self._testbed.processes, flash, simulation, broker_port=port)


def name(number: int) -> str:
    """Name of a model, of the fleet that follows it, and of that fleet's devices' label."""
    return f"scale-{number:05}"


def _fleet(number: int) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "DeviceFleet",
        "metadata": {"name": name(number), "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": name(number)}},
            "model": {"name": name(number), "version": "Latest"},
            "rollout": {"stages": [{"name": "all", "size": "100%"}]},
            "monitoring": {"interval": "1h", "samplesPerDay": 0},
        },
    }


def _settled(body: Mapping[str, Any]) -> bool:
    status = body["status"]
    ready = any(
        c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ())
    )
    return ready and status["observedGeneration"] == body["metadata"]["generation"]


def _rolled_out(body: Mapping[str, Any]) -> bool:
    status = body["status"]
    return (
        _settled(body)
        and status["revision"]["stable"] == 1
        and status["counts"]["updated"] == 1
        and "waitingFor" not in status
    )


def _passes(series: Mapping[str, float], kind: str) -> float:
    return series[f'petiole_operator_passes_total{{kind="{kind}",result="Done"}}']
