"""What all plays share: control plane, broker, gateway, models that were made beforehand."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from kubernetes import client, config

from hack.testbed import models
from hack.testbed.devices import Device, passwords, provision_posix
from hack.testbed.lifetime import Lifetime
from hack.testbed.processes import ROOT, Process
from hack.testbed.testbed import Testbed
from petiole_pipelines.planner.format import ABI, Header

DEVICES = 8
CHILD = (sys.executable, str(ROOT / "tests" / "controller" / "pipeline.py"))


def start_operator(
    testbed: Testbed,
    name: str,
    *,
    kubeconfig: Path,
    namespace: str,
    folder: Path,
    listen: str,
    **more: str,
) -> Process:
    """Start an operator of one namespace, whose pipelines are the tests' double.

    ``more`` are further settings, as in ``RESYNC="2"``.
    """
    settings = {
        "KUBECONFIG": str(kubeconfig),
        "NAMESPACE": namespace,
        "GATEWAY_URL": testbed.gateway_url,
        "GATEWAY_TOKEN": testbed.gateway_token,
        "STORE": testbed.store.as_uri(),
        "WORK": str(folder / "work"),
        "SIGNING_KEY": str(testbed.signing_key),
        "LISTEN": listen,
        "RUNNER_COMMAND": shlex.join(CHILD),
        **more,
    }
    return testbed.processes.start(
        name,
        [sys.executable, "-m", "petiole.cli.main", "operator"],
        environment={
            "PYTHONPATH": ":".join(sys.path),
            **{f"PETIOLE_{setting}": value for setting, value in settings.items()},
        },
    )


class World(Lifetime):
    """Room for ``plays``, each with a namespace, devices and an operator of its own."""

    def __init__(self, folder: Path, plays: int) -> None:
        self.folder = folder.resolve()
        self._devices = [_devices(number) for number in range(plays)]
        self._numbers = iter(range(plays))
        self.testbed = Testbed(
            self.folder, passwords(device for some in self._devices for device in some)
        )
        self.kube: client.ApiClient

    def start(self) -> None:
        """Bring all up but operators and devices."""
        self.testbed.start()
        assert self.testbed.operator is not None
        self.testbed.operator.stop()  # each play has its own
        self.kube = config.new_client_from_config(str(self.testbed.cluster.kubeconfig))
        for version in (1, 2):
            self._make(version)

    def stop(self) -> None:
        self.testbed.stop()

    def next(self) -> int:
        """Return the number of another play."""
        return next(self._numbers)

    def devices(self, number: int) -> list[Device]:
        """Register and provision the devices of a play: new ones."""
        found = self._devices[number]
        self.testbed.register(found)
        provision_posix(self.flash(number), found, (self.testbed.public_key,))
        return found

    def flash(self, number: int) -> Path:
        return self.folder / f"flash-{number}"

    def made(self, version: int) -> Path:
        """What a learning round finds, without suffix: see ``tests/controller/pipeline.py``."""
        return self.folder / "made" / str(version)

    def _make(self, version: int) -> None:
        model, path = models.make(version), self.made(version)
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".model").write_bytes(model.blob)
        path.with_suffix(".golden").write_bytes(model.golden.inputs + model.golden.outputs)
        header = Header.parse(model.blob)
        needs = {"bytes": len(model.blob), "arena": header.arena, "ops": header.ops, "abi": ABI}
        path.with_suffix(".json").write_text(json.dumps(needs))


def _devices(number: int) -> list[Device]:
    name = f"play-{number:03d}"
    return [
        Device(f"{name}-{n}", models.TARGET, {"play": name}, slot=48 * 1024, arena=1024)
        for n in range(DEVICES)
    ]
