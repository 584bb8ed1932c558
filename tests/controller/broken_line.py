"""A line between the operator and Label Studio that breaks where a test wants it to."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

Moment = Literal["before", "during", "after"]
_DURING = 0.1  # seconds after a call has gone out


@dataclass(frozen=True)
class Break:
    """Where the operator is killed: at the next call of this kind, in relation to its effect."""

    call: str  # a pattern of method and path
    moment: Moment


class BrokenLine:
    """A reverse proxy on loopback. ``kill`` ends the operator; each break happens once, in order.

    ``imported`` holds the samples of every import that reached the server.
    """

    def __init__(self, server: str, kill: Callable[[], None]) -> None:
        self.breaks: list[Break] = []
        self.imported: list[str] = []
        self.killed = threading.Event()
        self._server, self._kill = server, kill
        self._lock = threading.Lock()
        line = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = line.carry(self.command, self.path, dict(self.headers), body)
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> BrokenLine:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def carry(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response | None:
        """Pass a call on, or break the line around it; None when nobody is there to answer."""
        moment = self._due(f"{method} {path}")
        if moment == "before":
            self._end_operator()
            return None
        if moment == "during":
            threading.Thread(target=self._pass_on, args=(method, path, headers, body)).start()
            time.sleep(_DURING)
            self._end_operator()
            return None
        answer = self._pass_on(method, path, headers, body)
        if moment == "after":
            self._end_operator()
            return None
        return answer

    def _due(self, call: str) -> Moment | None:
        with self._lock:
            if self.breaks and re.fullmatch(self.breaks[0].call, call):
                return self.breaks.pop(0).moment
        return None

    def _end_operator(self) -> None:
        self._kill()
        self.killed.set()

    def _pass_on(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response:
        if path.endswith("/import"):
            self.imported += [task["data"]["sample"] for task in json.loads(body)]
        kept = {k: v for k, v in headers.items() if k.lower() in ("authorization", "content-type")}
        return httpx.request(
            method, self._server + path, headers=kept, content=body, timeout=300, trust_env=False
        )
