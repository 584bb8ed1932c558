"""A gateway makes patches, serves them as long as they are of use, and names them in grants."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import aiomqtt

from petiole.artifact import patch
from petiole.rollout.plan import Revision
from petiole.wire import topics
from petiole.wire.messages import Grant, Patch

from .test_rollout import promoted
from .world import World, eventually

CHANCE = random.Random(11)
BACKBONE = CHANCE.randbytes(5000)


def revision(world: World, number: int, head: bytes) -> Revision:
    return Revision(number=number, variants={"m4": world.artefact(BACKBONE + head)})


async def retained(world: World) -> dict[str, bytes]:
    """Artefacts and patches, put together from the blocks that the broker retains."""
    blocks: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
    end = f"{topics.PREFIX}/f/end/halt"
    async with aiomqtt.Client(
        world.broker.host,
        world.broker.port,
        username=world.broker.gateway_user,
        password=world.broker.gateway_password,
    ) as client:
        await client.subscribe([(topics.ALL_BLOCKS, 0), (end, 0)])
        await client.publish(end, b"end")
        async for message in client.messages:  # what is retained comes first
            if message.payload == b"end":
                break
            *_, digest, number = str(message.topic).split("/")
            blocks[digest][int(number)] = bytes(message.payload)
    return {d: b"".join(parts[n] for n in sorted(parts)) for d, parts in blocks.items()}


def content(world: World, of: Revision) -> bytes:
    return (world.store / "artifacts" / of.variants["m4"].digest).read_bytes()


def named(grant: Grant | None) -> Patch | None:
    return grant.artefact.patch if grant and grant.artefact else None


async def test_a_patch_is_served_while_a_revision_takes_the_place_of_another(
    tmp_path: Path,
) -> None:
    async with World(tmp_path, 3, own_process=True) as world:
        old = revision(world, 1, b"a" * 500)
        new = revision(world, 2, CHANCE.randbytes(300))
        await promoted(world, old)
        assert set(await retained(world)) == {old.variants["m4"].digest}

        await world.put(world.rolling(new, 2, stable=old))
        await world.until(lambda s: s.counts.updated == 2)
        found = [named(d.grant) for d in world.devices if d.active == new.variants["m4"].digest]
        made = found[0]
        assert made is not None
        assert found == [made, made]
        assert made.base == old.variants["m4"].digest
        data = (await retained(world))[made.digest]
        assert len(data) == made.size < 350
        assert patch.apply(content(world, old), data) == content(world, new)
        others = [named(d.grant) for d in world.devices if d.active == old.variants["m4"].digest]
        assert others == [None]

        # The next process comes to the same bytes.
        world.kill_gateway()
        await world.start_gateway()
        await world.put(world.rolling(new, 3, stable=old))
        await world.until(lambda s: s.counts.updated == 3)
        assert [named(d.grant) for d in world.devices] == [made, made, made]
        assert (await retained(world))[made.digest] == data

        await world.put(world.plan(target=new, stable=new))

        async def gone() -> bool:
            return set(await retained(world)) == {new.variants["m4"].digest}

        await eventually(gone, "only the new artefact is retained")


async def test_one_that_was_away_is_told_once_its_patch_is_gone(tmp_path: Path) -> None:
    async with World(tmp_path, 2) as world:
        old = revision(world, 1, b"a" * 500)
        new = revision(world, 2, CHANCE.randbytes(300))
        await promoted(world, old)
        away = world.devices[0]
        await away.stop()
        await world.put(world.rolling(new, 2, stable=old))
        await world.until(lambda s: s.counts.updated == 1)
        await world.put(world.plan(target=new, stable=new))
        away.start()
        await eventually(lambda: away.active == new.variants["m4"].digest, "it takes the whole")
        assert named(away.grant) is None


async def test_a_patch_that_saves_little_is_not_made(tmp_path: Path) -> None:
    async with World(tmp_path, 1) as world:
        old = Revision(number=1, variants={"m4": world.artefact(CHANCE.randbytes(3000))})
        half = content(world, old)[:1450] + CHANCE.randbytes(1550)
        new = Revision(number=2, variants={"m4": world.artefact(half)})
        await promoted(world, old)
        await world.put(world.rolling(new, 1, stable=old))
        await world.until(lambda s: s.counts.updated == 1)
        assert named(world.devices[0].grant) is None
        known = {r.variants["m4"].digest for r in (old, new)}
        assert set(await retained(world)) == known
