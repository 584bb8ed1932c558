"""CloudEvents on their way out: kept in the store until the sink has taken them.

An event is written down before the status that tells the same, so none is lost to a crash; it has
the same id when it is told again. Deliveries are tried until they succeed, for a day.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog
from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.v1.event import CloudEvent

from petiole.api.base import Events
from petiole.events.signature import SignatureError, headers
from petiole.events.told import Teller, Told

from . import metrics, paths
from .cluster import Cluster
from .problem import Problem
from .store import Store

_TIMEOUT = 10.0  # seconds a delivery may take
_FIRST_RETRY, _LAST_RETRY = 1.0, 300.0  # seconds; doubled in between
_LOOK = 30.0  # seconds until the store is looked at again, for what an earlier process left
_GIVE_UP = timedelta(days=1)

_log = structlog.get_logger(__name__)


class Outbox:
    """Takes events in and delivers them; ``run`` is its work."""

    def __init__(self, store: Store, cluster: Cluster, clock: Callable[[], datetime]) -> None:
        self._store, self._cluster, self._clock = store, cluster, clock
        self._wake = asyncio.Event()
        self._retries: dict[str, tuple[float, float]] = {}  # path: when (monotonic), delay

    async def put(self, teller: Teller, told: Iterable[Told], events: Events | None) -> None:
        """Keep events until they are delivered. Raises Problem when the store cannot."""
        if events is None or events.sink is None:
            return
        for one in told:
            document = {
                "sink": events.sink,
                "secret": {
                    "namespace": teller.namespace,
                    "name": events.secret_ref.name,
                    "key": events.secret_ref.key,
                },
                "event": _structured(teller, one),
            }
            name = hashlib.sha256(one.id.encode()).hexdigest()[:32]
            await asyncio.to_thread(self._store.put_json, paths.event(teller.uid, name), document)
            self._wake.set()

    async def run(self) -> None:
        """Deliver for ever."""
        async with httpx.AsyncClient(
            timeout=_TIMEOUT, trust_env=False, follow_redirects=False
        ) as client:
            while True:
                try:
                    await self._deliver_all(client)
                except Problem as problem:
                    _log.warning("events wait", error=str(problem))
                await self._sleep()

    async def _sleep(self) -> None:
        times = [at for at, _ in self._retries.values()]
        wait = min([at - time.monotonic() for at in times] + [_LOOK])
        with suppress(TimeoutError):
            async with asyncio.timeout(max(wait, 0.05)):
                await self._wake.wait()
        self._wake.clear()

    async def _deliver_all(self, client: httpx.AsyncClient) -> None:
        found = await asyncio.to_thread(lambda: sorted(self._store.names(paths.EVENTS)))
        self._retries = {path: due for path, due in self._retries.items() if path in found}
        for path in found:
            due, delay = self._retries.get(path, (0.0, _FIRST_RETRY))
            if due > time.monotonic():
                continue
            document = await asyncio.to_thread(self._store.get_json, path)
            if document is not None and not await self._done(client, document):
                self._retries[path] = (time.monotonic() + delay, min(2 * delay, _LAST_RETRY))
                continue
            await asyncio.to_thread(self._store.remove, path)
            self._retries.pop(path, None)

    async def _done(self, client: httpx.AsyncClient, document: dict[str, Any]) -> bool:
        """Deliver one event, or give it up; False when it is to be tried again."""
        event, problem = document["event"], await self._send(client, document)
        if not problem:
            metrics.EVENTS.labels(event["type"], "delivered").inc()
            return True
        metrics.EVENTS.labels(event["type"], "failed").inc()
        age = self._clock() - datetime.fromisoformat(event["time"])
        said = {"id": event["id"], "sink": document["sink"], "error": problem}
        if age > _GIVE_UP:
            metrics.EVENTS.labels(event["type"], "given up").inc()
            _log.error("event given up", **said)
            return True
        _log.warning("event not delivered", **said)
        return False

    async def _send(self, client: httpx.AsyncClient, document: dict[str, Any]) -> str:
        """Return what was wrong, or nothing."""
        wanted = document["secret"]
        body = json.dumps(document["event"], sort_keys=True).encode()
        try:
            secret = (await self._cluster.secret(wanted["namespace"], wanted["name"])).get(
                wanted["key"]
            )
            if not secret:
                return f"the Secret {wanted['name']} has no key {wanted['key']!r}"
            signed = headers(secret, document["event"]["id"], body, self._clock())
            answer = await client.post(
                document["sink"],
                content=body,
                headers={**signed, "content-type": "application/cloudevents+json"},
            )
        except (Problem, SignatureError, httpx.HTTPError, httpx.InvalidURL) as error:
            return str(error) or type(error).__name__
        return "" if answer.is_success else f"the sink answered {answer.status_code}"


def _structured(teller: Teller, told: Told) -> dict[str, Any]:
    event = CloudEvent(
        {
            "id": told.id,
            "source": teller.source,
            "type": told.type,
            "specversion": "1.0",
            "time": told.time,
            "subject": f"{teller.namespace}/{teller.name}",
            "datacontenttype": "application/json",
        },
        told.data,
    )
    return dict(json.loads(to_structured_event(event).body))
