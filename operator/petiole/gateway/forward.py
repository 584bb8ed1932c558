"""The HTTP face of a replica that follows: whatever is asked of the gateway, the leader answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send

from .metrics import Metrics

PATIENCE = 10.0  # seconds a request waits while the lead changes hands
AGAIN = 0.1
SECONDS = 75.0  # longer than a summary may be waited for
METHODS = ["GET", "PUT", "POST", "DELETE"]
LARGEST = 16 * 1024 * 1024  # bytes of a body: a hundred thousand devices registered at once
HANDED_ON = (
    "authorization",
    "content-type",
    "accept",
    "cookie",
    "x-forwarded-proto",
    "traceparent",
)
OF_THE_HOP = ("content-encoding", "content-length", "transfer-encoding", "connection", "date")


class Face:
    """What is served at the address now: a follower's application, later the leader's."""

    def __init__(self, application: ASGIApp) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.application(scope, receive, send)


def build(leader: Callable[[], str], problem: Callable[[], str], metrics: Metrics) -> FastAPI:
    """Build the application. ``leader`` is the leader's address, "" while nobody leads."""
    app = FastAPI(title="Petiole gateway", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        problems = [p for p in (problem(),) if p]
        return JSONResponse(
            {"status": "not ready" if problems else "ok", "problems": problems},
            503 if problems else 200,
        )

    @app.get("/metrics")
    async def numbers() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.api_route("/{path:path}", methods=METHODS)
    async def forward(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return JSONResponse({"detail": f"send at most {LARGEST} bytes at once"}, 413)
        return await _forward(request, body, leader)

    return app


async def _forward(request: Request, body: bytes, leader: Callable[[], str]) -> Response:
    """Ask the leader, and wait for one while the lead changes hands."""
    deadline = time.monotonic() + PATIENCE
    async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
        while True:
            why = "no replica of the gateway leads at this moment"
            try:
                if address := leader():
                    return await _ask(client, address, request, body)
            except httpx.ConnectError:  # it asked nothing: ask again, perhaps the next leader
                why = f"the leading replica {address} cannot be reached"
            except httpx.TransportError as error:
                return _unavailable(f"the leading replica {address} broke off: {error!r}")
            if time.monotonic() > deadline:
                return _unavailable(why)
            await asyncio.sleep(AGAIN)


async def _body(request: Request) -> bytes | None:
    """Read the body; None when it is too large, without reading the rest."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)


async def _ask(client: httpx.AsyncClient, address: str, request: Request, body: bytes) -> Response:
    answer = await client.request(
        request.method,
        f"{address}{request.url.path}",
        params=str(request.query_params),
        content=body,
        headers={k: v for k, v in request.headers.items() if k in HANDED_ON},
    )
    headers = {k: v for k, v in answer.headers.items() if k not in OF_THE_HOP}
    return Response(answer.content, answer.status_code, headers)


def _unavailable(why: str) -> Response:
    return JSONResponse(
        {"detail": f"{why}; ask again in a second"}, 503, headers={"retry-after": "1"}
    )
