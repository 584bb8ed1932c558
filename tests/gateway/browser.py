"""Chromium without a screen, steered by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import pytest

from hack.testbed.processes import Process, Processes

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needed = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the path")
_START = 60.0  # seconds


class Browser:
    """One tab. ``errors`` are what its console and its network say is wrong."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.errors: list[str] = []
        self._folder, self._processes = folder, processes
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        command = [
            str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-dev-shm-usage", "--disable-background-networking",
            "--disable-component-update", "--hide-scrollbars", "--remote-debugging-port=0",
            f"--user-data-dir={self._folder / 'profile'}", "about:blank",
        ]  # fmt: skip
        self._process: Process = self._processes.start("chromium", command)
        port = self._folder / "profile" / "DevToolsActivePort"
        await asyncio.to_thread(
            self._process.wait_ready, lambda: port.exists() and port.read_text().strip(), _START
        )
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(
            await self._tab(port.read_text().split()[0]), max_msg_size=0
        )
        self._listening = asyncio.create_task(self._listen())
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.send(f"{domain}.enable")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.cancel()
        await self._socket.close()
        await self._http.close()
        self._process.stop()

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(30):
            return await answer

    async def goto(self, url: str) -> None:
        """Load a page; it may still be loading when this returns."""
        await self.send("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        found = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, expression: str, seconds: float = 20.0) -> None:
        """Wait until an expression is true of the page."""
        deadline = time.monotonic() + seconds
        while not await self.evaluate(f"!!({expression})"):
            if time.monotonic() > deadline:
                text = await self.evaluate("document.body.innerText")
                raise AssertionError(f"not within {seconds} s: {expression}; the page says {text}")
            await asyncio.sleep(0.1)

    async def text(self) -> str:
        return str(await self.evaluate("document.body.innerText"))

    async def screen(self, width: int, height: int, *, dark: bool = False) -> None:
        """Be as wide and high as this, in CSS pixels."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        wish = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[wish])

    async def shot(self) -> bytes:
        """Return the whole page as PNG."""
        size = (await self.send("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {**size, "scale": 1}
        found = await self.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(found["data"])

    async def _tab(self, port: str) -> str:
        async with self._http.get(f"http://127.0.0.1:{port}/json/list") as answer:
            tabs = await answer.json()
        return str(next(tab for tab in tabs if tab["type"] == "page")["webSocketDebuggerUrl"])

    async def _listen(self) -> None:
        async for message in self._socket:
            found = json.loads(message.data)
            if "id" in found:
                future = self._answers.pop(found["id"])
                if "error" in found:
                    future.set_exception(AssertionError(found["error"]))
                else:
                    future.set_result(found["result"])
            else:
                self._note(found["method"], found["params"])

    def _note(self, method: str, found: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(found["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and found["type"] in ("error", "warning"):
            self.errors.append(json.dumps(found["args"]))
        elif method == "Log.entryAdded" and found["entry"]["level"] in ("error", "warning"):
            self.errors.append(json.dumps(found["entry"]))
