"""One replica of the gateway: it follows until it leads, and leads until it ends.

A follower hears its part of the devices, writes that to the database, and hands every HTTP request
to the leader. The leader alone decides, writes and publishes. A replica that loses the lead ends
its process, and follows when its supervisor starts it again: nothing of the lead can be left over.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from . import forward
from .broker import AiomqttBroker
from .lease import LOOK, RENEW, Lease
from .metrics import Metrics
from .relay import Collector, Relay, dealt
from .settings import Settings
from .store import DatabaseError, Store

log = structlog.get_logger()


class Follower:
    """Follows until ``run`` returns with the lead."""

    def __init__(self, settings: Settings, store: Store, lease: Lease, metrics: Metrics) -> None:
        secret = settings.token.get_secret_value()
        self._lease = lease
        self._relay = Relay(store, metrics.relayed.inc)
        self._broker = AiomqttBroker(settings, subscriptions=dealt(secret))
        self._store = store
        self._leader = ""
        self._problem = "starting: the database was not reached yet"
        self.application = forward.build(lambda: self._leader, self._problems, metrics)

    def led(self) -> None:
        """Hand the requests that waited to this replica, which answers them now."""
        self._leader = self._lease.holder

    async def run(self) -> None:
        """Open the database, then follow; returns when this replica leads."""
        await self._open()
        if await self._look():
            return  # alone: no connection to the broker was needed
        hearing = {
            asyncio.create_task(self._relay.run(), name="relay"),
            asyncio.create_task(
                self._broker.run(self._relay.hear, self._relay.connected), name="listener"
            ),
        }
        try:
            await self._until_lead(hearing)
        finally:
            await end(hearing)
            with contextlib.suppress(DatabaseError):  # what is lost is read again
                await self._relay.write()

    async def _until_lead(self, hearing: set[asyncio.Task[None]]) -> None:
        while True:
            ended, _ = await asyncio.wait(
                hearing, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED
            )
            for task in ended:
                task.result()  # they never return: say what went wrong
            if await self._look():
                return

    async def _open(self) -> None:
        while True:
            try:
                return await self._store.open()
            except DatabaseError as error:
                self._trouble(f"the database cannot be opened: {error}")
            await asyncio.sleep(RENEW)

    async def _look(self) -> bool:
        """Say that this replica is there, and take the lead when nobody has it."""
        try:
            leader = await self._lease.follow(self._relay.hearing)
            mine = leader == self._lease.holder  # an earlier process here had it
            self._leader = "" if mine else leader
            if (mine or not leader) and await self._lease.take():
                return True
        except DatabaseError as error:
            self._trouble(f"the database cannot be reached: {error}")
            return False
        self._trouble("")
        return False

    def _trouble(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.warning("database", problem=problem)
        self._problem = problem

    def _problems(self) -> str:
        waiting = "" if self._leader else "no replica leads yet"
        return self._problem or self._relay.problem or self._broker.problem or waiting


async def keep(lease: Lease, collector: Collector, metrics: Metrics) -> None:
    """Renew the lead for ever. LeaseLostError when another replica took it."""
    while True:
        try:
            others = await lease.renew()
            metrics.followers.set(len(others))
            collector.others(others)
        except DatabaseError as error:
            log.warning("the lead cannot be renewed", error=str(error), held=lease.held)
        await asyncio.sleep(RENEW if lease.held else RENEW / 4)


async def end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel until all are done: ``asyncio.wait_for`` below aiomqtt may swallow a cancellation."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.5)
