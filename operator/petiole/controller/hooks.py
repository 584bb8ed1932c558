"""Where Label Studio tells of answers. A call only wakes its model: a lost one loses nothing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable

from aiohttp import web

from .keys import Key
from .labels.studio import Hook

HEADER = "X-Petiole-Hook"


class Hooks:
    """Addresses below ``base_url``, at which this process is reached; without one there are none.

    What proves a call is made anew by every process; the next look at a project hands it over.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url, self._secret = base_url.rstrip("/"), secrets.token_bytes(32)

    def of(self, key: Key) -> Hook | None:
        """Return what Label Studio shall call for a model."""
        if not self._base_url:
            return None
        url = f"{self._base_url}/v1/labels/{key.namespace}/{key.name}"
        return Hook(url, {HEADER: self._proof(key)})

    def route(self, wake: Callable[[Key], None]) -> web.RouteDef:
        """Return the route that takes the calls."""

        async def told(request: web.Request) -> web.Response:
            where = request.match_info
            key = Key("tinymodels", where["namespace"], where["name"])
            given = request.headers.get(HEADER, "").encode(errors="surrogateescape")
            if not hmac.compare_digest(given, self._proof(key).encode()):
                return web.Response(status=403, text=f"{HEADER} is not this model's\n")
            wake(key)
            return web.Response(status=204)

        return web.post("/v1/labels/{namespace}/{name}", told)

    def _proof(self, key: Key) -> str:
        return hmac.new(self._secret, str(key).encode(), hashlib.sha256).hexdigest()
