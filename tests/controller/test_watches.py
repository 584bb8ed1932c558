"""Watches of very many fleets, at a gateway that holds every question or refuses it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from aiohttp import web

from petiole.controller.gateway_client import GatewayClient
from petiole.controller.keys import Key
from petiole.controller.watches import Watches

FLEETS = [Key("devicefleets", "default", f"fleet-{number:03}") for number in range(300)]


class Gateway:
    """Counts questions after a summary; they are held, or refused with ``status``."""

    def __init__(self, status: int = 0) -> None:
        self.asked, self.held = 0, set()
        self._status = status

    async def summary(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self._status:
            return web.Response(status=self._status)
        fleet = request.match_info["fleet"]
        self.held.add(fleet)
        try:
            await asyncio.sleep(60)
        finally:
            self.held.discard(fleet)
        return web.Response(status=404)

    async def fleets(self, _: web.Request) -> web.Response:
        return web.json_response([])

    @contextlib.asynccontextmanager
    async def watched(self):
        """Yields a client of this gateway, of which all FLEETS are watched."""
        application = web.Application()
        application.router.add_get("/v1/fleets/{fleet}/summary", self.summary)
        application.router.add_get("/v1/fleets", self.fleets)
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        woken: list[Key] = []
        async with GatewayClient(f"http://127.0.0.1:{runner.addresses[0][1]}", "token") as client:
            watches = Watches(client, woken.append)
            for key in FLEETS:
                watches.ensure(key)
            yield client, watches
            watches.close()
        await runner.cleanup()


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a test looks from outside
            await asyncio.sleep(0.02)


async def test_every_fleet_is_watched_and_no_other_question_waits_for_that() -> None:
    gateway = Gateway()
    async with gateway.watched() as (client, watches):
        await until(lambda: len(gateway.held) == len(FLEETS))
        assert await client.fleets() == []
        watches.drop(FLEETS[0])
        await until(lambda: len(gateway.held) < len(FLEETS))
        assert gateway.held == {key.fleet for key in FLEETS[1:]}


async def test_a_gateway_that_comes_back_is_not_flooded() -> None:
    gateway = Gateway(status=503)
    async with gateway.watched():
        await until(lambda: gateway.asked >= len(FLEETS))
        first = gateway.asked  # each again after three to six seconds, not after two
        await asyncio.sleep(2.5)
        assert gateway.asked - first < len(FLEETS) / 2
