"""A pass over a DeviceFleet: what is gathered for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from petiole.api.base import REQUEST
from petiole.api.devicefleet import DeviceFleetSpec, DeviceFleetStatus
from petiole.api.task import VERDICTS
from petiole.api.tinymodel import TinyModelStatus, VersionStatus
from petiole.rollout.observed import FleetObserved, Obstacle, Reference

from .cluster import Cluster, Object
from .firmware import Firmware
from .gateway_client import GatewayClient
from .keys import Key
from .problem import Problem
from .versions import Versions

KEPT = 4096  # documents of versions in memory: old versions are read by nobody any more


@dataclass
class FleetPass:
    """Adapters around ``rollout.reconcile``."""

    cluster: Cluster
    gateway: GatewayClient
    versions: Versions
    firmware: Firmware
    _references: dict[str, dict[str, Reference]] = field(default_factory=dict)  # by store path

    async def observe(self, body: Object) -> FleetObserved:
        """Gather everything. Raises ValidationError when the object itself cannot be read."""
        meta = body["metadata"]
        observed = FleetObserved(
            namespace=meta["namespace"],
            name=meta["name"],
            uid=meta["uid"],
            generation=meta["generation"],
            spec=DeviceFleetSpec.model_validate(body["spec"]),
            status=DeviceFleetStatus.model_validate(body.get("status") or {}),
            request=(meta.get("annotations") or {}).get(REQUEST, ""),
        )
        return await self._with_devices(await self._with_firmware(await self._with_model(observed)))

    async def _with_model(self, observed: FleetObserved) -> FleetObserved:
        name = observed.spec.model.name
        model = await self.cluster.get("tinymodels", observed.namespace, name)
        if model is None:
            return observed
        status = TinyModelStatus.model_validate(model.get("status") or {})
        return replace(
            observed,
            model_uid=model["metadata"]["uid"],
            latest=status.latest_version,
            versions=status.versions,
            labels=tuple(model["spec"]["task"].get("labels") or VERDICTS),
        )

    async def _with_firmware(self, observed: FleetObserved) -> FleetObserved:
        """Add the bundle that is wanted, or why it cannot be had."""
        wanted = observed.spec.firmware
        if wanted is None:
            return observed
        found = await asyncio.to_thread(self.firmware.look, wanted.uri)
        if isinstance(found, Obstacle):
            return replace(observed, bundle_problem=found)
        return replace(observed, bundle=found)

    async def _with_devices(self, observed: FleetObserved) -> FleetObserved:
        """Add what the gateway knows, and what the stable revision was judged by."""
        fleet = Key("devicefleets", observed.namespace, observed.name).fleet
        number = observed.status.revision.stable
        stable = next((v for v in observed.versions if v.version == number), None)
        digests = [] if stable is None else [v.digest for v in stable.variants]
        try:
            summary, windows = await asyncio.gather(
                self.gateway.summary(fleet), self.gateway.windows(fleet, digests)
            )
        except Problem as problem:
            return replace(observed, gateway_problem=str(problem))
        observed = replace(observed, summary=summary, windows=windows)
        try:
            return replace(observed, references=await self._read_references(stable))
        except Problem as problem:
            return replace(observed, reference_problem=str(problem))

    async def _read_references(self, version: VersionStatus | None) -> dict[str, Reference]:
        if version is None:
            return {}
        path = version.reference_uri
        known = self._references.get(path)
        if not known:  # a version never changes, but its document may come back to a lost store
            known = await asyncio.to_thread(self.versions.references, path)
            self._references.pop(path, None)
            while len(self._references) >= KEPT:
                del self._references[next(iter(self._references))]
            self._references[path] = known
        return known
