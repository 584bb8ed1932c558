"""Passes over many devices, beside all else that the process does."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping

from petiole.api.devicefleet import Kind
from petiole.fleet.devices import Device
from petiole.gateway.records import brief
from petiole.gateway.registry import Registry
from petiole.view.device import Filter
from petiole.view.sites import Record, Site

EVERY = 10.0  # seconds between two counts of the same devices, whoever looks
AT_ONCE = 500  # devices looked at before others have their turn
REMEMBERED = 64  # counts

Sites = list[Site]


async def gently(devices: Iterable[Device]) -> AsyncIterator[tuple[Device, Record]]:
    """Yield devices with the gist of their records, and let others run now and then."""
    for number, device in enumerate(list(devices)):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        yield device, brief(device)


async def chosen(registry: Registry, fleet: str, wanted: Filter) -> list[str]:
    """Return the ids of the devices that are wanted, in order; of all fleets when none is named."""
    found = [
        device.id
        async for device, record in gently(registry.devices.values())
        if fleet in ("", device.fleet) and wanted.passes(record)
    ]
    return sorted(found)


class Census:
    """Counts devices by a label, and remembers for a while what it counted."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._counted: OrderedDict[tuple[str, str, Kind], tuple[float, Sites]] = OrderedDict()

    async def sites(self, fleet: str, label: str, names: Mapping[str, str], kind: Kind) -> Sites:
        """Return the devices of a fleet by the values of ``label``, as of a few seconds ago."""
        key, now = (fleet, label, kind), time.monotonic()
        until, sites = self._counted.get(key, (0.0, []))
        if now >= until:
            sites = await self._count(fleet, label, names, kind)
            self._counted[key] = (now + EVERY, sites)
            if len(self._counted) > REMEMBERED:
                self._counted.popitem(last=False)
        return sites

    async def _count(self, fleet: str, label: str, names: Mapping[str, str], kind: Kind) -> Sites:
        sites: dict[str, Site] = {}
        async for _, record in gently(self._devices(fleet)):
            value = record["labels"].get(label, "")
            sites.setdefault(value, Site(value)).add(record, names, kind)
        return [sites[value] for value in sorted(sites)]

    def labels(self, fleet: str) -> list[str]:
        """Return the labels that devices of a fleet have; the first hundred tell."""
        return sorted({key for device in self._devices(fleet)[:100] for key in device.labels})

    def _devices(self, fleet: str) -> list[Device]:
        held = self._registry.fleets.get(fleet)
        members = () if held is None else held.roster.order
        return [member.device for member in members if member.device is not None]
