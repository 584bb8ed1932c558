"""Devices of hawkBit's Direct Device Integration API, which goosebit speaks too.

Each polls once a second until it is offered a deployment, fetches it, checks its SHA-1, and says
that it is installing and then how that went: seven or fewer requests, at most 50 devices at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from json import loads
from typing import Any

import aiohttp

from .work import Trace

POLL = 1.0  # seconds
AT_ONCE = 50
_REQUEST = 60.0  # seconds

_JSON = dict[str, Any]


@dataclass(slots=True)
class Devices:
    """A fleet that talks to one server. ``base`` ends with the tenant's controller path."""

    base: str
    headers: dict[str, str] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    async def play(
        self,
        devices: Sequence[str],
        failing: frozenset[str],
        sha1: str,
        over: Callable[[Trace], bool],
    ) -> Trace:
        """Let the devices poll until all have ended or ``over`` says that it is enough."""
        trace = Trace(time.monotonic())
        queue = deque((trace.started, device) for device in devices)
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=_REQUEST)
        async with aiohttp.ClientSession(
            headers=self.headers, connector=connector, timeout=timeout
        ) as session:

            async def work() -> None:
                while len(trace.ended) < len(devices) and not over(trace):
                    if not queue or queue[0][0] > time.monotonic():
                        await asyncio.sleep(0.02)
                        continue
                    _, device = queue.popleft()
                    if not await self._visit(session, device, device not in failing, sha1, trace):
                        queue.append((time.monotonic() + POLL, device))

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return trace

    async def register(self, devices: Sequence[str], attributes: dict[str, str]) -> None:
        """Let each device poll once and tell its attributes, as a new device does."""
        gate = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession(headers=self.headers) as session:

            async def one(device: str) -> None:
                async with gate:
                    await self._call(session, "GET", f"{self.base}/{device}")
                    await self._call(
                        session,
                        "PUT",
                        f"{self.base}/{device}/configData",
                        json={"data": attributes},
                    )

            await asyncio.gather(*(one(device) for device in devices))

    async def _visit(
        self, session: aiohttp.ClientSession, device: str, ok: bool, sha1: str, trace: Trace
    ) -> bool:
        """One poll and, if there is a deployment, all of it. True when the device has ended."""
        try:
            answer = await self._call(session, "GET", f"{self.base}/{device}")
            offered = answer.get("_links", {}).get("deploymentBase")
            if offered is None:
                return False
            trace.begun.setdefault(device, time.monotonic())
            deployment = await self._call(session, "GET", offered["href"])
            await self._fetch(session, deployment, sha1)
            feedback = f"{self.base}/{device}/deploymentBase/{deployment['id']}/feedback"
            for status in _course(ok):
                body = {"id": deployment["id"], "status": status}
                await self._call(session, "POST", feedback, json=body)
        except (aiohttp.ClientError, TimeoutError) as error:
            self.errors[f"{type(error).__name__} {getattr(error, 'status', '')}".strip()] += 1
            return False
        trace.end(device, time.monotonic(), ok=ok)
        return True

    async def _fetch(
        self, session: aiohttp.ClientSession, deployment: dict[str, Any], sha1: str
    ) -> None:
        artefact = deployment["deployment"]["chunks"][0]["artifacts"][0]
        links = artefact["_links"]
        link = links.get("download-http") or links["download"]
        async with session.get(link["href"]) as answer:
            answer.raise_for_status()
            content = await answer.read()
        if hashlib.sha1(content).hexdigest() != sha1:
            raise aiohttp.ClientPayloadError("the artefact is not what was uploaded")

    async def _call(
        self, session: aiohttp.ClientSession, method: str, url: str, json: _JSON | None = None
    ) -> _JSON:
        async with session.request(method, url, json=json) as answer:
            answer.raise_for_status()
            body = await answer.read()
            found: _JSON = loads(body) if body else {}
            return found


def _course(ok: bool) -> tuple[dict[str, Any], ...]:
    """Feedback of one installation."""
    finished = "success" if ok else "failure"
    return (
        {
            "execution": "proceeding",
            "result": {"finished": "none", "progress": {"cnt": 1, "of": 2}},
            "details": ["installing"],
        },
        {"execution": "closed", "result": {"finished": finished}, "details": ["done"]},
    )
