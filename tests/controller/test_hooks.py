"""Label Studio's calls: they wake the model they prove to be about, and nothing else."""

import asyncio

import httpx

from petiole.controller import health
from petiole.controller.hooks import HEADER, Hooks
from petiole.controller.keys import Key

LEAVES, PUMPS = (Key("tinymodels", "orchard", name) for name in ("leaves", "pumps"))


async def test_a_call_wakes_its_model_when_it_proves_itself():
    woken = []
    hooks = Hooks("http://operator:8080/")
    hook = hooks.of(LEAVES)
    assert hook.url == "http://operator:8080/v1/labels/orchard/leaves"
    route = hooks.route(woken.append)
    ready = asyncio.Event()
    async with (
        health.serve(("127.0.0.1", 0), ready, [route]) as address,
        httpx.AsyncClient(trust_env=False, timeout=30) as client,
    ):
        url = f"http://{address}/v1/labels/orchard"

        async def tell(name, headers):
            answer = await client.post(f"{url}/{name}", headers=headers, json={"action": "x"})
            return answer.status_code

        assert await tell("leaves", {}) == 403
        assert await tell("leaves", {HEADER: "guess"}) == 403
        assert await tell("leaves", {HEADER: b"\xe4"}) == 403
        assert await tell("pumps", hook.headers) == 403  # another model's
        assert woken == []
        assert await tell("leaves", hook.headers) == 204
        assert await tell("pumps", hooks.of(PUMPS).headers) == 204
    assert woken == [LEAVES, PUMPS]
    assert Hooks("http://operator:8080").of(LEAVES).headers != hook.headers  # another process


def test_without_an_address_there_is_nothing_to_call():
    assert Hooks("").of(LEAVES) is None
