"""The gateway's HTTP API as the operator uses it. Every failure is a Problem in words."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from petiole import tracing
from petiole.rollout.plan import Plan, Summary, Window

from . import metrics
from .keys import Key, Plural
from .problem import Problem

Parsed = TypeVar("Parsed")

_TIMEOUT = 10.0  # seconds
_SUMMARY = TypeAdapter(Summary)
_FLEETS = TypeAdapter(list[str])
_VERSIONS = TypeAdapter(dict[Plural, dict[str, str]])
_WINDOWS = TypeAdapter(tuple[Window, ...])


class GatewayClient:
    """One connection pool to one gateway. ``fence`` raises when it may be told nothing any more.

    ``tls`` is what an https address is trusted by; none: the public authorities.
    """

    def __init__(
        self,
        url: str,
        token: str,
        fence: Callable[[], None] = lambda: None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url, self._token, self._fence = url, token, fence
        self._tls = tls or httpx.create_ssl_context(trust_env=False)
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
            verify=self._tls,
            trust_env=False,
        )

    def apart(self) -> GatewayClient:
        """Return a client with connections of its own, for a question that is held for long.

        Held ones would fill the pool, and the pool looks through all of them at each request.
        """
        return GatewayClient(self._url, self._token, self._fence, self._tls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def put_plan(self, plan: Plan) -> None:
        """Hand the plan over. One with an older serial than the gateway holds is refused."""
        await self._send(
            self._client.build_request(
                "PUT",
                f"/v1/fleets/{plan.fleet}/plan",
                content=plan.model_dump_json(by_alias=True),
                headers={"Content-Type": "application/json", **tracing.headers()},
            )
        )

    async def summary(self, fleet: str, after: int = -1, wait: float = 0.0) -> Summary | None:
        """Return the summary once its version is above ``after``, at most ``wait`` seconds later.

        None when the gateway has no plan of that fleet.
        """
        request = self._client.build_request(
            "GET",
            f"/v1/fleets/{fleet}/summary",
            params={"after": after, "wait": wait},
            timeout=_TIMEOUT + wait,
        )
        answer = await self._send(request, missing_ok=True)
        return None if answer is None else _parsed(_SUMMARY, answer)

    async def windows(self, fleet: str, digests: Sequence[str]) -> tuple[Window, ...]:
        """Return the windows of these artefacts, oldest first; none without a plan."""
        if not digests:
            return ()
        request = self._client.build_request(
            "GET", f"/v1/fleets/{fleet}/windows", params={"digest": list(digests)}
        )
        answer = await self._send(request, missing_ok=True)
        return _parsed(_WINDOWS, answer) if answer is not None else ()

    async def fleets(self) -> list[str]:
        """Return the names of all fleets that the gateway has a plan of."""
        answer = await self._send(self._client.build_request("GET", "/v1/fleets"))
        return [] if answer is None else _parsed(_FLEETS, answer)

    async def delete(self, fleet: str) -> None:
        """Forget a fleet; its grants and halts are cleared."""
        request = self._client.build_request("DELETE", f"/v1/fleets/{fleet}")
        await self._send(request, missing_ok=True)

    async def shown(self) -> dict[Key, str] | None:
        """Return which version of which objects its pages show; None when it has no pages."""
        request = self._client.build_request("GET", "/v1/objects")
        answer = await self._send(request, missing_ok=True)
        if answer is None:
            return None
        found = _parsed(_VERSIONS, answer)
        return {
            Key(plural, *name.split(".", 1)): version
            for plural, held in found.items()
            for name, version in held.items()
        }

    async def show(self, key: Key, body: Mapping[str, Any]) -> bool:
        """Hand an object over for its pages; False when it has none."""
        request = self._client.build_request("PUT", _object(key), json=body)
        return await self._send(request, missing_ok=True) is not None

    async def hide(self, key: Key) -> None:
        """Take an object off its pages."""
        await self._send(self._client.build_request("DELETE", _object(key)), missing_ok=True)

    async def _send(
        self, request: httpx.Request, *, missing_ok: bool = False
    ) -> httpx.Response | None:
        if request.method != "GET":
            self._fence()
        try:
            answer = await self._client.send(request)
        except httpx.HTTPError as error:
            metrics.REQUESTS.labels("gateway", request.method, "none").inc()
            raise Problem(
                f"The gateway at {self._url} does not answer ({type(error).__name__}). "
                "See that it runs and that --gateway-url is right."
            ) from error
        metrics.REQUESTS.labels("gateway", request.method, answer.status_code).inc()
        if answer.status_code == httpx.codes.NOT_FOUND and missing_ok:
            return None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise Problem(f"The gateway at {self._url} refuses the token. Correct --gateway-token.")
        if answer.is_error:
            raise Problem(
                f"The gateway at {self._url} answered {answer.status_code} to "
                f"{request.method} {request.url.path}: {answer.text[:300]}"
            )
        return answer


def _object(key: Key) -> str:
    return f"/v1/objects/{key.plural}/{key.namespace}.{key.name}"


def _parsed(adapter: TypeAdapter[Parsed], answer: httpx.Response) -> Parsed:
    try:
        return adapter.validate_json(answer.content)
    except ValidationError as error:
        raise Problem(
            f"The gateway's answer to {answer.request.url.path} cannot be read: {error}. "
            "Do operator and gateway have the same version?"
        ) from error
