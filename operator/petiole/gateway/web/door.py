"""How a browser signs in: the pages' token for a cookie."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from petiole.gateway.enrol.limit import Limit

from .access import COOKIE, LIFE, Access
from .drawing import PREFIX, asset, page

RATE, BURST = 1.0, 10.0  # tries a second from one address
LONGEST_FORM = 4096  # bytes
SIGN_IN = f"{PREFIX}/sign-in"


class NotAdmittedError(Exception):
    """Whoever asks for a page did not sign in."""


def send_to_door(app: FastAPI) -> None:
    """Answer who is not admitted: a browser by the form, a program by 401."""

    @app.exception_handler(NotAdmittedError)
    async def ask(request: Request, _: NotAdmittedError) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            path, query = request.url.path, request.url.query
            to = f"{path}?{query}" if query else path
            return RedirectResponse(f"{SIGN_IN}?{urlencode({'to': to})}", 303)
        what = "send the pages' token as 'Authorization: Bearer <token>'"
        return JSONResponse({"detail": what}, 401, {"WWW-Authenticate": "Bearer"})


def for_everybody(access: Access) -> APIRouter:
    """Build the routes that ask for nothing: the form, and the files that pages need."""
    router, limit = APIRouter(), Limit(RATE, BURST)

    @router.get("/static/{name}")
    async def file(name: str) -> Response:
        return asset(name) or Response(status_code=404)

    @router.get("/sign-in")
    async def form(to: str = "") -> Response:
        return _form(200, to)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        given = await _read(request)
        to = given.get("to", "")
        address = request.client.host if request.client else ""
        if not limit.allows(address, time.monotonic()):
            return _form(429, to, "Too many tries: wait a few seconds.")
        if not access.knows(given.get("token", "").strip()):
            return _form(403, to, "That is not the token of these pages.")
        answer = RedirectResponse(to if to.startswith(f"{PREFIX}/") else f"{PREFIX}/", 303)
        answer.set_cookie(
            COOKIE,
            access.cookie(time.time()),
            max_age=LIFE,
            path=PREFIX,
            secure=_secure(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    @router.post("/sign-out")
    async def sign_out() -> Response:
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(COOKIE, path=PREFIX)
        return answer

    return router


def _form(status: int, to: str, problem: str = "") -> Response:
    return page("sign_in.html", status, to=to, problem=problem)


async def _read(request: Request) -> dict[str, str]:
    """Read a form, no further than it may be long: anybody can send one."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > LONGEST_FORM:
            return {}
    return {key: values[0] for key, values in parse_qs(data.decode(errors="replace")).items()}


def _secure(request: Request) -> bool:
    """Tell whether the browser speaks TLS. A lie makes the liar's own cookie useless at most."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
