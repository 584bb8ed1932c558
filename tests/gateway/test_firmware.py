"""Firmware over a real broker: devices take the image for their slot; the record says why not."""

from __future__ import annotations

from pathlib import Path

from petiole.rollout.plan import Image, Revision, Variant
from petiole.wire.messages import Reason

from .world import UPDATE, World, eventually


def firmware(world: World, number: int, size: int = 3000) -> Revision:
    a, b = (
        world.artefact(f"firmware {number} for slot {slot} ".encode().ljust(size, b"."))
        for slot in "ab"
    )
    variant = Variant(**a.model_dump() | {"b": Image(digest=b.digest, size=b.size)})
    return Revision(kind="Firmware", number=number, variants={"m4": variant})


async def test_firmware_and_the_way_back(tmp_path: Path) -> None:
    """Canaries, all of them, then a bad one that crashes on canaries and is halted."""
    async with World(tmp_path, 6) as world:
        model, good, bad = world.revision(1), firmware(world, 1), firmware(world, 2)
        faulty = {image.digest for image in bad.images}
        for device in world.devices:
            device.firmware = 65_536
            device.behaviour = lambda d: Reason.CRASHED if d in faulty else Reason.NONE
        fields = {"kind": "Firmware", "other": model, "gates": (UPDATE,)}
        await world.put(world.rolling(good, 2, **fields))
        summary = await world.until(lambda s: s.counts.updated == 2)
        assert summary.boards == {"m4": 6}
        assert sum(summary.running.get(i.digest, 0) for i in good.images) == 2
        await eventually(
            lambda: all(d.active == model.variants["m4"].digest for d in world.devices),
            "all have the model meanwhile",
        )
        await world.put(world.rolling(good, 6, **fields))
        await world.until(lambda s: s.counts.updated == 6)
        await world.put(world.rolling(bad, 3, **fields, stable=good))
        summary = await world.until(lambda s: s.halt is not None)
        assert set(summary.reasons) == {"crashed"}
        crashed = next(d for d in world.devices if d.crash is not None)
        answer = (await world.http.get(f"/v1/devices/{crashed.id}")).json()
        assert answer["state"]["crash"]["cause"] == "fault"
        assert "crashed while on trial" in answer["reason"]
        runs = {i.digest for i in good.images}
        await eventually(lambda: all(d.runs in runs for d in world.devices), "all run what is good")


async def test_who_cannot_take_it_is_named(tmp_path: Path) -> None:
    async with World(tmp_path, 3) as world:
        model = world.revision(1)
        for device, slot in zip(world.devices, (0, 2048, 65_536), strict=True):
            device.firmware = slot
            device.boot += 1
            await device.report(device.phase)
        target = firmware(world, 1)
        await world.put(world.rolling(target, 3, kind="Firmware", other=model))
        await world.until(lambda s: (s.counts.updated, s.counts.ineligible) == (1, 2))
        reasons = [
            (await world.http.get(f"/v1/devices/{device.id}")).json()["reason"]
            for device in world.devices
        ]
        assert "provisioned without firmware slots" in reasons[0]
        assert reasons[1] == "the image has 3000 bytes, its firmware slots 2048"
        assert reasons[2] == ""


async def test_a_restarted_gateway_goes_on_with_firmware(tmp_path: Path) -> None:
    async with World(tmp_path, 4, own_process=True) as world:
        model, target = world.revision(1), firmware(world, 1)
        for device in world.devices:
            device.firmware = 65_536
        await world.put(world.rolling(target, 1, kind="Firmware", other=model))
        await world.until(lambda s: s.counts.updated == 1)
        world.kill_gateway()
        await world.start_gateway()
        await world.put(world.rolling(target, 4, kind="Firmware", other=model))
        await world.until(lambda s: s.counts.updated == 4, 30.0)
        assert all(d.updates == 1 for d in world.devices)
