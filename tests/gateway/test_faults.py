"""What the gateway does with what it should not get."""

from __future__ import annotations

import contextlib
from pathlib import Path

import aiomqtt
import cbor2

from petiole.rollout.plan import Revision
from petiole.wire import topics
from petiole.wire.messages import Caps, Phase, Reason, State, Stats, input_hash

from .devices import TestDevice
from .world import FLEET, World, eventually


async def test_a_malformed_message_is_counted_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with World(tmp_path, 3) as world:
        broken = world.devices[0]

        async def hears() -> bool:
            return (await world.http.get("/readyz")).is_success

        await eventually(hears, "the gateway hears devices")
        await broken.send(f"{topics.PREFIX}/d/{broken.id}/state", b"\xff\x00nonsense")
        await world.put(world.rolling(world.revision(1), 3))
        await world.until(lambda s: s.counts.updated == 3)
        numbers = (await world.http.get("/metrics")).text
        assert "petiole_gateway_malformed_messages_total 1.0" in numbers


async def test_sums_that_no_count_allows_do_not_reach_the_store(tmp_path: Path) -> None:
    async with World(tmp_path, 2) as world:
        revision = world.revision(1)
        await world.put(world.rolling(revision, 2))
        await world.until(lambda s: s.counts.updated == 2)
        liar, honest = world.devices
        bins, most = (1, *[0] * 15), (1 << 64) - 1
        for sums in ((most, 0, 0), (0, most, 0), (0, 0, most), (0, 0, 0, most)):
            liar.seq += 1
            stats = Stats(liar.boot, liar.seq, liar.active or "", 1, bins, bins, (1, 0), *sums)
            await liar.send(f"{topics.PREFIX}/d/{liar.id}/stats", stats.encode(), retain=False)
        await honest.send_stats(5, 200)
        query = {"digest": revision.variants["m4"].digest}

        async def only_the_honest() -> bool:
            found = (await world.http.get(f"/v1/fleets/{FLEET}/windows", params=query)).json()
            return sum(w["confidenceSum"] for w in found) == 1000

        await eventually(only_the_honest, "the window of the honest device is closed")
        numbers = (await world.http.get("/metrics")).text
        assert "petiole_gateway_malformed_messages_total 4.0" in numbers


async def test_an_unknown_device_is_kept_apart(tmp_path: Path) -> None:
    async with World(tmp_path, 2) as world:
        stranger = TestDevice("stranger", world.passwords["stranger"], world.broker.port)
        stranger.start()
        try:
            await world.put(world.rolling(world.revision(1), 10))
            summary = await world.until(lambda s: s.unknown_devices == 1 and s.counts.updated == 2)
            assert summary.counts.total == 2
            record = (await world.http.get("/v1/devices/stranger")).json()
            assert record["registered"] is False
            assert record["reason"].startswith("not registered")
            assert stranger.grants_seen == 0
            assert stranger.ran == []
        finally:
            await stranger.stop()


async def test_a_device_cannot_speak_for_another(tmp_path: Path) -> None:
    async with World(tmp_path, 2) as world:
        liar, victim = world.devices
        await world.put(world.plan())
        caps = Caps("stolen", 1, 1, 1, 1, "x")
        forged = State(99, 99, Phase.FAILED, Reason.FLASH_ERROR, caps).encode()
        for topic in (f"{topics.PREFIX}/d/{victim.id}/state", topics.grant(victim.id)):
            with contextlib.suppress(aiomqtt.MqttError):  # the broker may hang up on a liar
                await liar.send(topic, forged)
        await liar.stop()
        liar.start()
        await eventually(lambda: heard(world, liar), "the gateway hears the liar's own report")
        await eventually(lambda: victim.grant is not None, "the victim gets the true grant")
        record = (await world.http.get(f"/v1/devices/{victim.id}")).json()
        assert record["state"]["caps"]["target"] == "m4"


async def heard(world: World, device: TestDevice) -> bool:
    record = (await world.http.get(f"/v1/devices/{device.id}")).json()
    return bool(record["state"] and record["state"]["boot"] == device.boot)


async def test_a_missing_artefact_is_a_problem_until_it_is_there(tmp_path: Path) -> None:
    async with World(tmp_path, 2) as world:
        revision = world.revision(1)
        path = stored(world, revision)
        content = path.read_bytes()
        path.unlink()
        await world.put(world.rolling(revision, 2))
        summary = await world.until(lambda s: bool(s.problems))
        assert path.name in summary.problems[0]
        assert summary.counts.pending == 2
        path.write_bytes(content[:-1] + b"!")
        await world.until(lambda s: any("damaged" in p for p in s.problems))
        path.write_bytes(content)
        await world.until(lambda s: s.counts.updated == 2 and s.problems == ())


def stored(world: World, revision: Revision) -> Path:
    return world.store / "artifacts" / revision.variants["m4"].digest


async def test_samples_are_acknowledged_when_they_are_stored(tmp_path: Path) -> None:
    async with World(tmp_path, 1) as world:
        device = world.devices[0]
        await world.put(world.plan())
        blocked = world.store / "samples"
        blocked.write_text("a file where the folder should be")
        await device.send_sample(b"one input")
        summary = await world.until(lambda s: any("samples" in p for p in s.problems))
        assert "make room in the store" in summary.problems[0]
        assert device.acks == set()

        blocked.unlink()
        for _ in range(2):  # a device repeats until it is told
            await device.send_sample(b"one input")
        await eventually(lambda: input_hash(b"one input") in device.acks, "the ack")
        kept = world.store / "samples" / "uid" / f"{input_hash(b'one input').hex()}.cbor"
        assert cbor2.loads(kept.read_bytes())["device"] == device.id
        summary = await world.until(lambda s: s.samples == 1 and s.problems == ())


async def test_an_older_plan_is_refused(tmp_path: Path) -> None:
    async with World(tmp_path, 1) as world:
        old, new = world.plan(samples_per_day=1), world.plan(samples_per_day=2)
        await world.put(new)
        await world.put(new)
        body = old.model_dump(mode="json", by_alias=True)
        answer = await world.http.put(f"/v1/fleets/{FLEET}/plan", json=body)
        assert answer.status_code == 409
        assert "holds plan 2" in answer.json()["detail"]


async def test_the_token_is_asked_for(tmp_path: Path) -> None:
    async with World(tmp_path, 1) as world:
        wrong = {"authorization": "Bearer guess"}
        answer = await world.http.get("/v1/devices", headers=wrong)
        assert answer.status_code == 401
        assert (await world.http.get("/healthz", headers=wrong)).status_code == 200


async def test_a_deleted_fleet_leaves_nothing_at_the_broker(tmp_path: Path) -> None:
    async with World(tmp_path, 2) as world:
        revision = world.revision(1)
        await world.put(world.rolling(revision, 2))
        await world.until(lambda s: s.counts.updated == 2)
        assert await retained(world) != set()
        answer = await world.http.delete(f"/v1/fleets/{FLEET}")
        assert answer.status_code == 204
        await eventually(lambda: gone(world), "blocks, grants and halt are removed")
        assert (await world.http.get(f"/v1/fleets/{FLEET}/summary")).status_code == 404


async def gone(world: World) -> bool:
    return await retained(world) == set()


async def retained(world: World) -> set[str]:
    """What the gateway keeps at the broker, by topic."""
    found: set[str] = set()
    async with aiomqtt.Client(
        "127.0.0.1",
        world.broker.port,
        username=world.broker.gateway_user,
        password=world.broker.gateway_password,
    ) as client:
        for topic in (topics.ALL_BLOCKS, topics.grant("+"), topics.halt("+")):
            await client.subscribe(topic)
        await client.publish(f"{topics.PREFIX}/end", b"", qos=1)
        await client.subscribe(f"{topics.PREFIX}/f/end/halt")
        await client.publish(f"{topics.PREFIX}/f/end/halt", b"end")
        async for message in client.messages:
            if message.payload == b"end":
                return found
            found.add(str(message.topic))
    return found


async def test_windows_show_what_devices_saw(tmp_path: Path) -> None:
    async with World(tmp_path, 3) as world:
        revision = world.revision(1)
        await world.put(world.rolling(revision, 3))
        await world.until(lambda s: s.counts.updated == 3)
        for device in world.devices:
            await device.send_stats(10, 200)
            await device.send_stats(5, 100)
        digest = revision.variants["m4"].digest

        async def all_there() -> bool:
            query = {"digest": digest}
            found = (await world.http.get(f"/v1/fleets/{FLEET}/windows", params=query)).json()
            return (
                sum(w["count"] for w in found) == 45
                and sum(w["confidenceSum"] for w in found) == 3 * 2500
                and sum(w["confidence"][12] for w in found) == 30
                and all(w["devices"] <= 3 for w in found)
            )

        await eventually(all_there, "closed windows add up to what was sent")
