"""Events that come in: one that asks for a round becomes an annotation of the TinyModel.

The annotation is what ``petiole learn`` writes too; what it asks for is decided in the next pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from aiohttp import web
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.exceptions import BaseCloudEventException
from pydantic import ValidationError

from petiole.api.base import REQUEST, Events
from petiole.events.signature import SignatureError, verify
from petiole.events.told import ROUND_REQUESTED
from petiole.learning.triggers import REQUEST_VERB

from .cluster import Cluster, Object
from .problem import Problem

_LONGEST_ID = 200  # characters that the annotation shows


class Doorbell:
    """``POST /v1/events/{namespace}/{tinymodel}``: a CloudEvent, signed as those that go out."""

    def __init__(self, cluster: Cluster, clock: Callable[[], datetime]) -> None:
        self._cluster, self._clock = cluster, clock

    @property
    def routes(self) -> tuple[web.RouteDef, ...]:
        return (web.post("/v1/events/{namespace}/{name}", self.ring),)

    async def ring(self, request: web.Request) -> web.Response:
        """Answer 202 once the request is noted, however often the same event comes."""
        body = await request.read()
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        try:
            found = await self._cluster.get("tinymodels", namespace, name)
            secret = await self._secret(found, namespace)
        except Problem as problem:
            return _answer(503, str(problem))
        # A stranger learns nothing of what is there.
        if not secret:
            return _answer(401, "unknown model, or it has no spec.events")
        try:
            verify(secret, request.headers, body, self._clock())
        except SignatureError as error:
            return _answer(401, str(error))
        try:
            identity = _asked(HTTPMessage(dict(request.headers), body))
        except ValueError as error:
            return _answer(400, str(error))
        try:
            await self._cluster.annotate("tinymodels", namespace, name, {REQUEST: identity})
        except Problem as problem:
            return _answer(503, str(problem))
        return _answer(202, "noted")

    async def _secret(self, body: Object | None, namespace: str) -> str:
        try:
            events = Events.model_validate(((body or {}).get("spec") or {}).get("events"))
        except ValidationError:
            return ""
        found = await self._cluster.secret(namespace, events.secret_ref.name)
        return found.get(events.secret_ref.key, "")


def _asked(message: HTTPMessage) -> str:
    """Return the request for a round that an event is. Raises ValueError when it is none."""
    try:
        event = from_http_event(message)
    except (BaseCloudEventException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no CloudEvent: {error}") from error
    if event.get_type() != ROUND_REQUESTED:
        raise ValueError(f"the type {event.get_type()!r} asks for nothing here: {ROUND_REQUESTED}")
    identity = f"{event.get_source()} {event.get_id()}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    return f"{REQUEST_VERB}{event.get_id()[:_LONGEST_ID]}-{digest}"


def _answer(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n")
