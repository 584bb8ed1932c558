"""A line to the API server that counts what goes over it, and breaks where a test wants it to.

    with ApiLine(cluster, "a") as line:
        start_operator(line.kubeconfig)
        line.answer = lambda asked: Answer(403) if asked.watch else None

Its client speaks plain HTTP on loopback; the line itself has the certificate of a user of its own
at the API server, with the operator's rights, so that the audit log tells who wrote. Bodies and
watches are passed on as they come.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from yarl import URL

from .controlplane import ControlPlane
from .lifetime import Lifetime
from .rights import STAND_IN

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_LEASES = "/apis/coordination.k8s.io/"
_PASSED = ("Content-Type", "Accept")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request; ``path`` is without the query."""

    method: str
    path: str
    query: str

    @property
    def watch(self) -> bool:
        return "watch=true" in self.query

    @property
    def writes(self) -> bool:
        """Whether it changes something; a renewed Lease says nothing about any object."""
        return self.method != "GET" and not self.path.startswith(_LEASES)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the line says in place of the API server."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": self.status,
            "message": "said by the test's line",
        }


class ApiLine(Lifetime):
    """``user`` names the credentials and stands in the audit log; of ``release`` are its rights.

    ``answer`` is asked before a request is passed on; None passes it on. ``delay`` holds a request
    back for so many seconds. ``events`` turns a line of a watch into those that are passed on,
    ``contents`` what was found (200) for a question that is no watch into what is said instead.
    ``harmed`` counts how often any of them made a difference, and watches that were cut.
    ``written`` hears of each write that the API server accepted and of its answer, before the
    client does; True: the client never hears of it. All run in the line's own thread.
    """

    def __init__(self, cluster: ControlPlane, user: str, release: str = STAND_IN) -> None:
        self.user, self._release = user, release
        self.kubeconfig = cluster.folder / f"{user}.line.kubeconfig"
        self.writes: list[Asked] = []
        self.harmed = 0
        self.mend()
        self.written: Callable[[Asked, bytes], bool] = lambda *_: False
        self._cluster = cluster
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._watches: set[asyncio.Task[Any]] = set()
        self._runner: web.AppRunner
        self._session: aiohttp.ClientSession

    def start(self) -> None:
        self._cluster.stand_in(self.user, release=self._release)
        self._thread.start()
        port = self._in_loop(self._open(), _START_SECONDS)
        self.kubeconfig.write_text(yaml.safe_dump(_kubeconfig(f"http://127.0.0.1:{port}")))

    def stop(self) -> None:
        if self._thread.is_alive():
            with contextlib.suppress(TimeoutError):
                self._in_loop(self._close(), _STOP_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_STOP_SECONDS)

    def mend(self) -> None:
        """Pass everything on again."""
        self.answer: Callable[[Asked], Answer | None] = lambda _: None
        self.delay: Callable[[Asked], float] = lambda _: 0.0
        self.events: Callable[[bytes], Sequence[bytes]] = lambda line: (line,)
        self.contents: Callable[[Asked, bytes], bytes] = lambda _, content: content

    def cut(self) -> None:
        """End all watches that are open, as a load balancer does now and then."""
        self._loop.call_soon_threadsafe(self._cancel_watches)

    def _cancel_watches(self) -> None:
        for task in self._watches:
            self.harmed += task.cancel()

    def _in_loop(self, work: Any, seconds: float) -> Any:  # noqa: ANN401
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    async def _open(self) -> int:
        pki = self._cluster.folder / "pki"
        trust = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        trust.load_cert_chain(pki / f"{self.user}.crt", pki / f"{self.user}.key")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            skip_auto_headers=["Accept-Encoding"],
            read_bufsize=2**22,  # a line of a watch is a whole object
        )
        application = web.Application(client_max_size=16 * 2**20)
        application.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0.5
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return int(self._runner.addresses[0][1])

    async def _close(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.method, request.path, request.query_string)
        delay = self.delay(asked)
        self.harmed += delay > 0
        await asyncio.sleep(delay)
        said = self.answer(asked)
        if said is not None:
            self.harmed += 1
            return web.json_response(said.document(), status=said.status, headers=said.headers)
        url = URL(f"{self._cluster.url}{request.raw_path}", encoded=True)
        headers = {key: request.headers[key] for key in _PASSED if key in request.headers}
        async with self._session.request(
            request.method, url, data=await request.read() or None, headers=headers
        ) as answer:
            if asked.watch:
                return await self._stream(request, answer)
            content = await answer.read()
            if answer.ok and not asked.writes:
                content = self._said(asked, content)
            elif answer.ok and self._is_last(asked, content) and request.transport:
                request.transport.abort()
            return web.Response(
                status=answer.status, body=content, content_type=answer.content_type
            )

    def _said(self, asked: Asked, content: bytes) -> bytes:
        said = self.contents(asked, content)
        self.harmed += said != content
        return said

    def _is_last(self, asked: Asked, content: bytes) -> bool:
        self.writes.append(asked)
        return self.written(asked, content)

    async def _stream(
        self, request: web.Request, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status)
        response.content_type = answer.content_type
        await response.prepare(request)
        task = asyncio.current_task()
        assert task is not None
        self._watches.add(task)
        try:
            with contextlib.suppress(ConnectionResetError):  # the client is gone
                async for line in answer.content:
                    passed = self.events(line)
                    self.harmed += list(passed) != [line]
                    for one in passed:
                        await response.write(one)
                await response.write_eof()
        finally:
            self._watches.discard(task)
        return response


def _kubeconfig(server: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "line", "cluster": {"server": server}}],
        "users": [{"name": "line", "user": {}}],
        "contexts": [{"name": "line", "context": {"cluster": "line", "user": "line"}}],
        "current-context": "line",
    }
