"""Many device cores that feed themselves, and versions of a model that nobody had to learn.

For rollouts at scale: the artefacts are signed and real, devices verify and run them, but no
pipeline makes them. ``publish`` writes what a learning round would have written.

    with Crowd(folder, members(1000)) as crowd:
        crowd.apply({"stages": [...]})
        number = crowd.publish()
        crowd.wait(lambda status: ..., 60.0, "the promotion")
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import yaml
from kubernetes import client, config

from petiole.api.base import GROUP, VERSION
from petiole.api.tinymodel import TinyModelSpec
from petiole.artifact.keys import load_private
from petiole.learning.triggers import data_hash

from . import models
from .devices import Device, passwords
from .lifetime import Lifetime
from .testbed import Testbed
from .waits import DeadlineError

NAMESPACE, FLEET, MODEL = "default", "crowd", "crowd"
KEPT = 20  # versions that a TinyModel's status has room for
SITES = 20


def members(count: int, sites: int = SITES) -> list[Device]:
    """``count`` devices, spread over ``sites``; every id begins with its site."""
    return [
        Device(
            f"site-{n % sites:02d}-{n:05d}",
            models.TARGET,
            {"app": FLEET, "site": f"site-{n % sites:02d}"},
            slot=48 * 1024,
            arena=1024,
        )
        for n in range(count)
    ]


class Crowd(Lifetime):
    """Control plane, broker, gateway, operator, and what ``devices`` need to be known to them."""

    def __init__(
        self,
        folder: Path,
        devices: Sequence[Device],
        *,
        strangers: Sequence[Device] = (),
        database_url: str | None = None,
        pki: Path | None = None,
        model: str = MODEL,
    ) -> None:
        """``strangers`` may log in at the broker but are never registered."""
        self.model = model
        self.folder = folder.resolve()
        self.devices = devices
        users = passwords([*devices, *strangers])
        self.testbed = Testbed(self.folder, users, database_url=database_url, pki=pki)
        self.published_at = 0.0  # monotonic seconds, just before the newest version appeared
        self._versions: list[dict[str, Any]] = []

    def start(self) -> Self:
        """Bring all up but the devices; the operator starts after the model has its status."""
        self.testbed.start()
        try:
            assert self.testbed.operator is not None
            self.testbed.operator.stop()
            self.testbed.register(self.devices)
            self._make_model()
            self.testbed.start_operator()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        self.testbed.stop()

    def publish(self, *, size: int = 0, seed: int | None = None) -> int:
        """Sign one more version of about ``size`` bytes and list it; returns its number."""
        number = self._next
        artefact = self.sign(number, size=size, seed=number if seed is None else seed)
        return self.list_version({models.TARGET: artefact})

    @property
    def _next(self) -> int:
        return 1 + (self._versions[-1]["version"] if self._versions else 0)

    def list_version(self, artefacts: Mapping[str, bytes]) -> int:
        """List one more version of these artefacts by target, sound or not; returns its number."""
        number = self._next
        version = store_version(self.testbed.store, self.uid, number, artefacts)
        self._versions = [*self._versions, version][-KEPT:]
        self.published_at = time.monotonic()
        self._patch_model({"latestVersion": number, "versions": self._versions})
        return number

    def sign(self, number: int, *, size: int, seed: int) -> bytes:
        """An artefact of ``size`` bytes, or as small as it gets; its model is real."""
        key = load_private(self.testbed.signing_key.read_bytes())
        plain = models.sign(models.make(seed), key, revision=number)
        if size <= len(plain):
            return plain
        return models.sign(models.make(seed, padding=size - len(plain)), key, revision=number)

    def digest(self, number: int) -> str:
        """The artefact of a version."""
        found = next(v for v in self._versions if v["version"] == number)
        return str(found["variants"][0]["digest"])

    def apply(
        self,
        rollout: Mapping[str, Any],
        firmware: str = "",
        *,
        fleet: str = FLEET,
        interval: str = "1h",
    ) -> None:
        """``kubectl apply`` of the fleet with this ``spec.rollout`` and bundle of firmware.

        It selects the devices with the label ``app: <fleet>``. ``interval`` is that of monitoring.
        """
        document = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "DeviceFleet",
            "metadata": {"name": fleet, "namespace": NAMESPACE},
            "spec": {
                "selector": {"matchLabels": {"app": fleet}},
                "model": {"name": self.model, "version": "Latest"},
                **({"firmware": {"uri": firmware}} if firmware else {}),
                "rollout": dict(rollout),
                "monitoring": {"interval": interval, "samplesPerDay": 0},
            },
        }
        self.testbed.cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(document))

    def status(self, fleet: str = FLEET) -> dict[str, Any]:
        """The fleet's status."""
        found: dict[str, Any] = self.api.get_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, "devicefleets", fleet, _request_timeout=10
        )
        return dict(found.get("status") or {})

    def wait(
        self,
        done: Callable[[Mapping[str, Any]], object],
        seconds: float,
        what: str,
        fleet: str = FLEET,
    ) -> dict[str, Any]:
        """The status once ``done`` of it is truthy; DeadlineError shows the last one."""
        end = time.monotonic() + seconds
        while True:
            status = self.status(fleet)
            if done(status):
                return status
            if time.monotonic() > end:
                raise DeadlineError(
                    f"waited {seconds:.0f} s for {what}; last:\n{yaml.dump(status)}"
                )
            time.sleep(0.1)

    @property
    def api(self) -> client.CustomObjectsApi:
        kubeconfig = str(self.testbed.cluster.kubeconfig)
        return client.CustomObjectsApi(config.new_client_from_config(kubeconfig))

    def _make_model(self) -> None:
        document = a_model(self.folder, self.model)
        made = self.api.create_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, "tinymodels", document
        )
        self.uid = made["metadata"]["uid"]
        self._patch_model({"round": first_round(document)})

    def _patch_model(self, status: Mapping[str, Any]) -> None:
        self.api.patch_namespaced_custom_object_status(
            GROUP, VERSION, NAMESPACE, "tinymodels", self.model, {"status": status}
        )


def sites(devices: Iterable[Device]) -> dict[str, tuple[str, ...]]:
    """Strata of the cohort, as ``stratifyBy: [site]`` makes them."""
    return {device.id: (device.labels["site"],) for device in devices}


def store_version(
    store: Path, uid: str, number: int, artefacts: Mapping[str, bytes]
) -> dict[str, Any]:
    """Write what a round writes of a model's version; return the version as status lists it."""
    (store / "artifacts").mkdir(exist_ok=True)
    for artefact in artefacts.values():
        (store / "artifacts" / models.digest(artefact)).write_bytes(artefact)
    reference = f"models/{uid}/versions/{number}.json"
    path = store / reference
    path.parent.mkdir(parents=True, exist_ok=True)
    version = _version(number, artefacts, reference)
    path.write_text(json.dumps({"run": "", "version": version, "references": {}}))
    return version


def first_round(model: Mapping[str, Any]) -> dict[str, Any]:
    """A first round that is over, so that the operator has no reason to begin one."""
    spec = TinyModelSpec.model_validate(model["spec"])
    return {"number": 1, "step": "Idle", "trigger": "Initial", "dataHash": data_hash(spec)}


def _version(number: int, artefacts: Mapping[str, bytes], reference: str) -> dict[str, Any]:
    return {
        "version": number,
        "round": 1,
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "accuracy": "95.0%",
        "labels": 0,
        "trigger": "Initial",
        "referenceUri": reference,
        "variants": [
            {
                "target": target,
                "digest": models.digest(artefact),
                "size": len(artefact),
                "arena": 256,
                "accuracy": "95.0%",
            }
            for target, artefact in artefacts.items()
        ],
    }


def a_model(folder: Path, name: str) -> dict[str, Any]:
    """Return a TinyModel of nothing but names: its data are nowhere."""
    nowhere = (folder / "no-data").as_uri()
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "TinyModel",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "task": {
                "type": "ImageClassification",
                "labels": [f"class-{n}" for n in range(models.CLASSES)],
                "input": {"height": 8, "width": 8, "channels": 1},
            },
            "data": {
                "pool": {"uri": f"{nowhere}/pool"},
                "evaluation": {"uri": f"{nowhere}/frozen"},
            },
            "learning": {
                "batchSize": 20,
                "labelBudget": 40,
                "labels": {"source": "Oracle", "uri": f"{nowhere}/labels.csv"},
                "triggers": {"drift": False},
            },
            "targets": [{"name": models.TARGET, "flash": "64Ki", "arena": "32Ki"}],
            "acceptance": {"accuracy": "70%"},
        },
    }
