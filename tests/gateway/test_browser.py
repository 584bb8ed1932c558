"""The pages in a real browser, from an empty gateway to a finished rollout.

``PETIOLE_PICTURES=docs/images`` takes the pictures of the documents anew.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from .browser import Browser, needed
from .shown import WEB_TOKEN, Shown, operating
from .world import eventually

PHONE, DESK = (360, 780), (1200, 800)
LARGEST = 150_000  # bytes of a picture for the documents

pytestmark = [needed, pytest.mark.long]


def says(text: str) -> str:
    return f"document.getElementById('live')?.innerText.includes({text!r})"


async def fits(browser: Browser) -> None:
    """Nothing is wider than the screen, at a phone's width and at a desk's."""
    for width, height in (PHONE, DESK):
        await browser.screen(width, height)
        inner = await browser.evaluate("document.documentElement.scrollWidth")
        assert inner <= width, await browser.evaluate("location.href")


async def take(browser: Browser, file: Path) -> None:
    picture = await browser.shot()
    assert len(picture) < LARGEST
    await asyncio.to_thread(file.write_bytes, picture)


async def sign_in(browser: Browser, world: Shown) -> None:
    await browser.goto(f"{world.url}/fleets/default.meters")
    await browser.until("document.querySelector('input[name=token]')")
    await fits(browser)
    await browser.evaluate(f"document.querySelector('input[name=token]').value = {WEB_TOKEN!r}")
    await browser.evaluate("document.querySelector('.sign-in button').click()")


async def test_a_rollout_is_followed_from_nothing_to_its_end(tmp_path: Path) -> None:
    pictures = Path(os.environ.get("PETIOLE_PICTURES", tmp_path))
    async with (
        Shown(tmp_path, 24, own_process=True) as world,
        Browser(tmp_path, world.processes) as browser,
    ):
        await browser.screen(*PHONE)
        await sign_in(browser, world)
        await browser.until("document.body.innerText.includes('There is no fleet default.meters')")
        browser.errors.clear()  # that page is 404, which a browser notes

        await browser.goto(f"{world.url}/")
        await browser.until(says("There is no fleet yet"))
        await browser.evaluate("window.sameDocument = true")
        async with operating(world) as operator:
            operator.publish()
            await browser.until(says("stage canary"))
            assert await browser.evaluate("window.sameDocument"), "the page was not loaded again"
            await fits(browser)
            await browser.evaluate("document.querySelector('article a').click()")
            await browser.until(says("Soaking for"))
            await browser.until(says("8 updated, 16 pending of 24 devices"))
            for part in ("Stages", "canary", "Gates", "update", "Devices by site", "south"):
                await browser.until(says(part))
            await browser.evaluate("document.querySelector('#devices td a').focus()")
            await fits(browser)
            await browser.screen(*PHONE, dark=True)
            await take(browser, pictures / "pages-phone.png")
            await browser.screen(*DESK)
            await take(browser, pictures / "pages.png")
            await browser.until(says("Promoted revision 1"), 60)
            await browser.until(says("24 updated of 24 devices"))
            focused = await browser.evaluate("document.activeElement.tagName")
            assert focused == "A", "what has the focus keeps it while the page changes"
            await fits(browser)

            await browser.goto(f"{world.url}/models/default.digits")
            await browser.until(says("runs on 24 of 24 devices, stable"), 30)
            await fits(browser)
            await browser.goto(f"{world.url}/devices?label=site%3Dsouth")
            await browser.until(says("8 devices"))
            await fits(browser)
            await browser.evaluate("document.querySelector('td a').click()")
            await browser.until(says("confirmed (none)"))
            await fits(browser)
        assert browser.errors == []

        world.kill_gateway()
        await browser.until("!document.getElementById('trouble').hidden", 30)
        await world.start_gateway()
        await browser.until("document.getElementById('trouble').hidden", 40)


async def test_pages_do_without_scripts(tmp_path: Path) -> None:
    async with Shown(tmp_path, 3) as world, Browser(tmp_path, world.processes) as browser:
        await browser.send("Emulation.setScriptExecutionDisabled", value=True)
        await world.sign_in()
        cookie = world.browser.cookies["petiole"]
        await browser.send(
            "Network.setCookie", name="petiole", value=cookie, url=world.url, path="/web"
        )
        await browser.goto(f"{world.url}/")
        await browser.until(says("There is no fleet yet"))
        async with operating(world) as operator:
            operator.publish()
            await eventually(lambda: bool(operator.status.serial), "a plan")
            await browser.until(says("default.meters"), 30)
        assert browser.errors == []
