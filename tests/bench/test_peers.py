"""What keeps a peer from running, and a DDI device against a server that misbehaves."""

import asyncio
import hashlib
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bench.rollout.ddi import Devices
from bench.rollout.peers import hawkbit
from bench.rollout.work import Skip

ARTEFACT = b"firmware" * 512
SHA1 = hashlib.sha1(ARTEFACT).hexdigest()


def java(folder, version):
    """A program that says its version as Java does, on standard error."""
    binary = folder / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-01' >&2\n")
    binary.chmod(0o755)
    return binary


def test_the_version_of_a_java_is_its_feature_number(tmp_path):
    assert hawkbit.java_version(java(tmp_path / "new", "25.0.3")) == 25
    assert hawkbit.java_version(java(tmp_path / "old", "17.0.15")) == 17
    assert hawkbit.java_version(tmp_path / "none") == 0


def test_an_old_java_is_no_java(tmp_path, monkeypatch):
    monkeypatch.setattr(hawkbit, "_javas", lambda: [java(tmp_path, "17.0.15")])
    with pytest.raises(Skip, match=r"Java 21 or newer.*17"):
        hawkbit.find_java()


def test_a_missing_jar_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HAWKBIT_JAR", str(tmp_path / "update-server.jar"))
    with pytest.raises(Skip, match=r"update-server\.jar: name .* in HAWKBIT_JAR"):
        hawkbit.find_jar()


class Server:
    """Offers one deployment to everyone, after ``deaf`` requests that it refuses."""

    def __init__(self, deaf=0, content=ARTEFACT):
        self.deaf, self.content = deaf, content
        self.told = []
        self.base = ""

    async def poll(self, request):
        if self.deaf > 0:
            self.deaf -= 1
            raise web.HTTPInternalServerError
        device = request.match_info["device"]
        link = {"deploymentBase": {"href": f"{self.base}/{device}/deploymentBase/7"}}
        return web.json_response({"_links": link})

    async def deployment(self, request):
        del request
        artefact = {"_links": {"download-http": {"href": f"{self.base}/artefact/file"}}}
        chunks = [{"artifacts": [artefact]}]
        return web.json_response({"id": "7", "deployment": {"chunks": chunks}})

    async def artefact(self, request):
        del request
        return web.Response(body=self.content)

    async def feedback(self, request):
        status = (await request.json())["status"]
        self.told.append(
            (request.match_info["device"], status["execution"], status["result"]["finished"])
        )
        return web.Response()


@asynccontextmanager
async def serving(server):
    app = web.Application()
    app.router.add_get("/artefact/file", server.artefact)
    app.router.add_get("/{device}", server.poll)
    app.router.add_get("/{device}/deploymentBase/7", server.deployment)
    app.router.add_post("/{device}/deploymentBase/7/feedback", server.feedback)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.base = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


async def play(server, devices, failing=frozenset(), seconds=10.0):
    fleet = Devices(server.base)
    end = time.monotonic() + seconds
    trace = await fleet.play(devices, failing, SHA1, lambda _: time.monotonic() > end)
    return fleet, trace


async def test_devices_fetch_and_tell_how_it_went():
    async with serving(Server()) as server:
        fleet, trace = await play(server, ["a", "b"], frozenset({"b"}))
    assert sorted(server.told) == [
        ("a", "closed", "success"),
        ("a", "proceeding", "none"),
        ("b", "closed", "failure"),
        ("b", "proceeding", "none"),
    ]
    assert {d: ok for d, (_, ok) in trace.ended.items()} == {"a": True, "b": False}
    assert not fleet.errors


async def test_a_device_that_is_refused_polls_again_a_second_later():
    async with serving(Server(deaf=1)) as server:
        fleet, trace = await play(server, ["a"])
    assert fleet.errors == {"ClientResponseError 500": 1}
    assert trace.succeeded == 1
    assert trace.seconds >= 1.0


async def test_a_wrong_artefact_is_never_reported_as_installed():
    async with serving(Server(content=b"other")) as server:
        fleet, trace = await play(server, ["a"], seconds=1.5)
    assert server.told == []
    assert set(trace.begun) == {"a"}
    assert trace.ended == {}
    assert fleet.errors.total() >= 1


def test_no_more_than_fifty_devices_at_a_time():
    """Each poll is held until no new one comes: their number is the limit."""
    held, most = [0], [0]

    class Slow(Server):
        async def poll(self, request):
            held[0] += 1
            most[0] = max(most[0], held[0])
            await asyncio.sleep(0.3)
            held[0] -= 1
            return await super().poll(request)

    async def run():
        async with serving(Slow()) as server:
            return await play(server, [f"d{n}" for n in range(80)])

    _, trace = asyncio.run(run())
    assert most[0] == 50
    assert trace.succeeded == 80
