"""Hands objects to the gateway, whose pages show them to people without rights in the cluster.

Nothing waits for it, and nothing depends on it. What could not be handed over is offered again by
the next pass; what the gateway lost, or keeps of objects that are no more, a comparison finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Set

import structlog

from .cluster import Object
from .gateway_client import GatewayClient
from .keys import Key
from .problem import Problem

_META = ("namespace", "name", "generation", "resourceVersion")

_log = structlog.get_logger(__name__)


class Showing:
    """Knows which version of each object the gateway has, and which are still to be handed over."""

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._wanted = True  # until the gateway says that it has no pages
        self._told: dict[Key, str] = {}
        self._waiting: dict[Key, Object | None] = {}
        self._changed = asyncio.Event()

    def offer(self, key: Key, body: Object) -> None:
        """Let the gateway have this object, unless it has it as it is."""
        if self._wanted and self._told.get(key) != body["metadata"]["resourceVersion"]:
            self._put(key, body)

    def drop(self, key: Key) -> None:
        """Let the gateway forget an object."""
        if self._wanted:
            self._put(key, None)

    def _put(self, key: Key, body: Object | None) -> None:
        self._waiting[key] = body
        self._changed.set()

    async def run(self) -> None:
        """Hand over for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._waiting:
                key = next(iter(self._waiting))
                await self._hand_over(key, self._waiting.pop(key))

    async def _hand_over(self, key: Key, body: Object | None) -> None:
        try:
            if body is None:
                self._told.pop(key, None)
                await self._gateway.hide(key)
            else:
                self._wanted = await self._gateway.show(key, _shown(body))
                self._told[key] = body["metadata"]["resourceVersion"]
        except Problem as problem:
            _log.info("not handed over", key=str(key), text=str(problem))

    async def compare(self, existing: Set[Key], ours: Callable[[str], bool]) -> None:
        """Find what the gateway lacks or keeps in vain. Raises Problem.

        ``ours`` tells whether a namespace is one whose objects are served here.
        """
        held = await self._gateway.shown()
        self._wanted, held = held is not None, held or {}
        self._told = {key: v for key, v in self._told.items() if held.get(key) == v}
        for key in held.keys() - existing - self._told.keys():  # told: made a moment ago
            if ours(key.namespace):
                self.drop(key)


def _shown(body: Object) -> Object:
    meta = body["metadata"]
    return {
        "metadata": {field: meta[field] for field in _META},
        "spec": body["spec"],
        "status": body.get("status") or {},
    }
