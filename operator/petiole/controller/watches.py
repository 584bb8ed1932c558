"""Watches the gateway: one long poll a fleet, which wakes the queue when its summary changes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from .gateway_client import GatewayClient
from .keys import Key
from .problem import Problem

_WAIT = 50.0  # seconds that the gateway may hold the question
_CALM = 0.2  # seconds between two wakes; a rollout changes a summary all the time
_RETRY = 2.0  # seconds
_RATE = 50.0  # questions a second to a gateway that is away, of all fleets


class Watches:
    """One task and one connection a fleet, as long as the fleet exists."""

    def __init__(self, gateway: GatewayClient, wake: Callable[[Key], None]) -> None:
        self._gateway, self._wake = gateway, wake
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    def ensure(self, key: Key) -> None:
        """Watch a fleet from now on."""
        task = self._tasks.get(key)
        if task is None or task.done():
            self._tasks[key] = asyncio.create_task(self._watch(key), name=f"watch {key}")

    def drop(self, key: Key) -> None:
        """Watch it no more."""
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        for key in list(self._tasks):
            self.drop(key)

    def _retry(self) -> float:
        longest = max(_RETRY, len(self._tasks) / _RATE)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries

    async def _watch(self, key: Key) -> None:
        async with self._gateway.apart() as gateway:
            await self._follow(key, gateway)

    async def _follow(self, key: Key, gateway: GatewayClient) -> None:
        seen, reachable = -1, True
        while True:
            try:
                summary = await gateway.summary(key.fleet, after=seen, wait=_WAIT)
            except Problem:
                if reachable:
                    self._wake(key)
                reachable = False
                await asyncio.sleep(self._retry())
                continue
            # A gateway that came back may have lost the plan, or count its versions anew.
            version = -1 if summary is None else summary.version
            if version != seen or not reachable:
                self._wake(key)
            seen, reachable = version, True
            await asyncio.sleep(_CALM)
