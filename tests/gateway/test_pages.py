"""Pages of a real gateway: who may see them, what they say, and that nothing in them is markup."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx

from petiole.gateway import forward
from petiole.gateway.metrics import Metrics
from petiole.gateway.web.drawing import PREFIX
from petiole.wire.messages import Reason
from tests.gitops.objects import FLEETS, body

from .shown import FLEET_KEY, MODEL_KEY, WEB_TOKEN, Shown, operating
from .world import UPDATE, World, eventually

HOSTILE = "<script>alert('x')</script>\"'><b>"


async def test_without_a_token_there_are_no_pages(tmp_path: Path) -> None:
    async with World(tmp_path, 0) as world:
        for path in ("/", PREFIX, f"{PREFIX}/", f"{PREFIX}/sign-in", "/v1/objects"):
            assert (await world.http.get(path)).status_code == 404, path


async def test_only_who_has_the_token_may_look(tmp_path: Path) -> None:
    async with Shown(tmp_path, 0) as world:
        browser, front = world.browser, f"{PREFIX}/"
        asked = await browser.get(f"{PREFIX}/devices?fleet=a")
        assert asked.status_code == 303
        assert asked.headers["location"] == f"{PREFIX}/sign-in?to=%2Fweb%2Fdevices%3Ffleet%3Da"
        for token in ("secret", "wrong"):  # the first is the API's
            answer = await browser.get(
                front, headers={"authorization": f"Bearer {token}", "accept": "*/*"}
            )
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            answer = await browser.post(f"{PREFIX}/sign-in", data={"token": token})
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers
        bearer = {"authorization": f"Bearer {WEB_TOKEN}"}
        assert (await browser.get(front, headers=bearer)).status_code == 200
        for path in ("/v1/fleets", "/v1/objects"):
            assert (await browser.get(path, headers=bearer)).status_code == 401, "to look only"
        given = await browser.post(
            f"{PREFIX}/sign-in", data={"token": WEB_TOKEN, "to": f"{PREFIX}/devices?fleet=a"}
        )
        assert (given.status_code, given.headers["location"]) == (303, f"{PREFIX}/devices?fleet=a")
        cookie = given.headers["set-cookie"]
        assert WEB_TOKEN not in cookie
        assert cookie.split("; ", 1)[1] == "HttpOnly; Max-Age=43200; Path=/web; SameSite=strict"
        assert "There is no fleet yet" in await world.page("/")
        await browser.post(f"{PREFIX}/sign-out")
        assert (await browser.get(front)).status_code == 303


async def test_a_cookie_is_for_tls_where_there_is_tls_and_leads_nowhere_else(
    tmp_path: Path,
) -> None:
    async with Shown(tmp_path, 0) as world:
        for to in ("https://evil.example/", "//evil.example", "/v1/fleets", "/webx"):
            answer = await world.browser.post(
                f"{PREFIX}/sign-in",
                data={"token": WEB_TOKEN, "to": to},
                headers={"x-forwarded-proto": "https"},
            )
            assert answer.headers["location"] == f"{PREFIX}/"
            assert "; Secure" in answer.headers["set-cookie"]
        guesses = await asyncio.gather(
            *(world.browser.post(f"{PREFIX}/sign-in", data={"token": "guess"}) for _ in range(20))
        )
        assert {answer.status_code for answer in guesses} == {403, 429}


async def test_a_replica_that_follows_hands_pages_on(tmp_path: Path) -> None:
    async with Shown(tmp_path, 0) as world:
        leader = f"http://127.0.0.1:{world.port}"
        follower = forward.build(lambda: leader, lambda: "", Metrics())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(follower),
            base_url="https://petiole.example",
            headers={"accept": "text/html", "x-forwarded-proto": "https"},
        ) as browser:
            asked = await browser.get(f"{PREFIX}/")
            assert (asked.status_code, asked.headers["location"]) == (
                303, f"{PREFIX}/sign-in?to=%2Fweb%2F",
            )  # fmt: skip
            given = await browser.post(f"{PREFIX}/sign-in", data={"token": WEB_TOKEN})
            assert "; Secure" in given.headers["set-cookie"]
            page = await browser.get(f"{PREFIX}/")
            assert "There is no fleet yet" in page.text
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            style = await browser.get(f"{PREFIX}/static/style.css")
            assert style.headers["content-type"].startswith("text/css")


async def test_every_page_says_what_there_is(tmp_path: Path) -> None:
    async with Shown(tmp_path, 24) as world, operating(world) as operator:
        await world.sign_in()
        operator.publish()
        await eventually(lambda: operator.status.stage.complete_at is not None, "a canary", 30)
        said = _text(await world.page("/fleets/default.meters"))
        assert "waits" not in said
        assert "8 updated, 16 pending of 24 devices; 24 online" in said
        assert re.search(r"canary 8 15s Auto complete, 8 devices", said)
        assert re.search(r"update (Pass|Continue) 0 % 0 % \.\. ", said)
        assert re.search(r"Soaking for \d+s, \d+s left", said)
        assert re.search(r"north 16 16 \d+ \d+ -", said), "by site, and by what they run"
        assert "24 devices , 24 online" in _text(await world.page("/"))
        assert "runs on 8 of 24 devices, being rolled out" in _text(
            await world.page("/models/default.digits")
        )
        listed = await world.page("/devices?label=site%3Dsouth&phase=confirmed&online=yes")
        running = {d.id for n, d in enumerate(world.devices) if d.active and n % 3 == 2}
        assert set(re.findall(r">(dev-\d+)</a>", listed)) == running
        assert "confirmed (none)" in await world.page(f"/devices/{running.pop()}")
        for path in ("/fleets/no", "/models/no", "/devices/no", "/devices/%3Cb%3E"):
            assert "<b>" not in await world.page(path, 404)


async def test_a_fleet_is_shown_before_the_operator_told_of_it(tmp_path: Path) -> None:
    async with Shown(tmp_path, 12) as world:
        await world.sign_in()
        bad = world.revision(1)
        for device in world.devices:
            device.behaviour = lambda _: Reason.GOLDEN_MISMATCH
        await world.put(world.rolling(bad, 8, gates=(UPDATE,)))
        await world.until(lambda s: s.halt is not None)
        said = _text(await world.page("/fleets/default.meters"))
        assert "The operator has not said what it decided" in said
        assert "Stopped by gate update" in said
        assert "stage canary:" in said
        assert re.search(r"\d golden-mismatch", said)


async def test_nothing_that_others_write_is_markup(tmp_path: Path) -> None:
    async with Shown(tmp_path, 1) as world, operating(world) as operator:
        await world.sign_in()
        operator.publish()
        await eventually(lambda: bool(operator.status.serial), "a plan")
        labels = {"kind": "meter", "site": HOSTILE, HOSTILE: "x"}
        registered = [{"id": world.devices[0].id, "labels": labels}]
        (await world.http.put("/v1/devices", json=registered)).raise_for_status()
        hostile = body("DeviceFleet", "evil", FLEETS["soaking"]())
        hostile["status"]["message"] = hostile["status"]["waitingFor"]["message"] = HOSTILE
        hostile["status"]["gates"][0]["message"] = HOSTILE
        hostile["status"]["drift"] |= {"state": "Drifted", "moved": [HOSTILE]}
        await world.hand_over(FLEET_KEY.__class__("devicefleets", "default", "evil"), hostile)
        paths = (
            "/", "/fleets/default.evil", "/fleets/default.meters", "/models/default.digits",
            "/devices", f"/devices/{world.devices[0].id}",
            f"/fleets/default.meters?by={HOSTILE}", f"/devices?label={HOSTILE}&fleet={HOSTILE}",
            f"/sign-in?to={HOSTILE}",
        )  # fmt: skip
        for path in paths:
            text = await world.page(path)
            assert "<script>alert" not in text, path
            assert "'><b>" not in text, path
        assert "&lt;script&gt;alert" in await world.page("/fleets/default.evil")
        answer = await world.browser.get(f"{PREFIX}/")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; style-src 'self'; script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"


async def test_objects_are_refused_that_mean_nothing(tmp_path: Path) -> None:
    async with Shown(tmp_path, 0) as world:
        good = body("DeviceFleet", "meters", FLEETS["soaking"]())
        wrong = [
            b"", b"[]", b"null", b'{"metadata": {}}', b"\xff",
        ]  # fmt: skip
        for content in wrong:
            path = "/v1/objects/devicefleets/default.meters"
            answer = await world.http.put(path, content=content)
            assert answer.status_code == 422, content
        other = await world.http.put("/v1/objects/devicefleets/default.other", json=good)
        assert "the object is default.meters" in other.text
        assert (await world.http.get("/v1/objects")).json() == {
            "devicefleets": {}, "tinymodels": {},
        }  # fmt: skip


async def test_what_the_gateway_lost_is_handed_over_again(tmp_path: Path) -> None:
    async with Shown(tmp_path, 3) as world, operating(world) as operator:
        operator.publish()
        held = {"devicefleets": 1, "tinymodels": 1}

        async def shown() -> bool:
            with_names = (await world.http.get("/v1/objects")).json()
            return {kind: len(found) for kind, found in with_names.items()} == held

        await eventually(shown, "both are shown")
        await eventually(lambda: operator.status.mode == "Rolling", "a rollout")
        for kind in held:
            for name in (await world.http.get("/v1/objects")).json()[kind]:
                (await world.http.delete(f"/v1/objects/{kind}/{name}")).raise_for_status()
        await operator.showing.compare({FLEET_KEY, MODEL_KEY}, lambda _: True)
        await eventually(shown, "both are shown again")

        held["tinymodels"] = 0
        operator.showing.drop(MODEL_KEY)
        operator.model = operator.fleet  # type: ignore[method-assign]  # it is offered no more
        await eventually(shown, "the model is gone")

        stray = body("DeviceFleet", "stray", FLEETS["soaking"]())
        for namespace in ("default", "theirs"):
            stray["metadata"]["namespace"] = namespace
            await world.hand_over(FLEET_KEY.__class__("devicefleets", namespace, "stray"), stray)
        await operator.showing.compare({FLEET_KEY}, lambda namespace: namespace == "default")
        held["devicefleets"] = 2
        await eventually(shown, "the stray of our namespace is gone, theirs is not")


async def test_files_are_for_everybody_and_small(tmp_path: Path) -> None:
    async with Shown(tmp_path, 0) as world:
        form = (await world.browser.get(f"{PREFIX}/sign-in")).text
        for name in ("style.css", "live.js", "icon.svg"):
            answer = await world.browser.get(f"{PREFIX}/static/{name}")
            assert answer.status_code == 200
            assert len(answer.content) < 20_000
            assert b"http" not in answer.content.replace(b"http://www.w3.org/2000/svg", b"")
            assert (f"{PREFIX}/static/{name}?" in form) == (name != "live.js")


def _text(page: str) -> str:
    """What a reader sees, on one line."""
    body = page.partition("<main>")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())
