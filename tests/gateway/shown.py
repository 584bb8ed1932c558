"""A world with pages, and an operator that decides for one fleet as the process does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from petiole.api.devicefleet import DeviceFleetSpec, DeviceFleetStatus, ModelRef, Selector
from petiole.api.rollout import Gate, GateTest, Rollout, Stage
from petiole.api.tinymodel import CurvePoint, VariantStatus, VersionStatus
from petiole.controller.gateway_client import GatewayClient
from petiole.controller.keys import Key
from petiole.controller.problem import Problem
from petiole.controller.showing import Showing
from petiole.gateway.web.drawing import PREFIX
from petiole.rollout.observed import FleetObserved, PutPlan
from petiole.rollout.reconcile import reconcile
from tests.gitops.objects import MODELS, body

from .world import World

WEB_TOKEN = "only for looking, 4711"
FLEET_KEY = Key("devicefleets", "default", "meters")
MODEL_KEY = Key("tinymodels", "default", "digits")
GATE = Gate(name="update", outcome="Confirmed", test=GateTest(good="1%", bad="50%"))


class Shown(World):
    """``browser`` has no credentials but what it is given; every third device is at ``south``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.environment["PETIOLE_WEB_TOKEN"] = WEB_TOKEN
        self.browser = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers={"accept": "text/html"}, timeout=20
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"web_token": SecretStr(WEB_TOKEN)}

    async def register(self) -> None:
        found = [
            {"id": device.id, "labels": {"kind": "meter", "site": ("north", "south")[n % 3 == 2]}}
            for n, device in enumerate(self.devices)
        ]
        (await self.http.put("/v1/devices", json=found)).raise_for_status()

    async def sign_in(self) -> None:
        answer = await self.browser.post(f"{PREFIX}/sign-in", data={"token": WEB_TOKEN})
        assert answer.status_code == 303, answer.text

    async def page(self, path: str, status: int = 200) -> str:
        answer = await self.browser.get(f"{PREFIX}{path}")
        assert answer.status_code == status, answer.text
        return answer.text

    async def hand_over(self, key: Key, found: dict[str, Any]) -> None:
        path = f"/v1/objects/{key.plural}/{key.namespace}.{key.name}"
        answer = await self.http.put(path, json=found)
        assert answer.status_code == 204, answer.text

    async def __aexit__(self, *error: object) -> None:
        await self.browser.aclose()
        await super().__aexit__(*error)


class Operator:
    """Passes over one fleet by the real decisions, with objects that it holds itself.

    ``versions`` of the model are artefacts in the world's store.
    """

    def __init__(self, world: World, client: GatewayClient) -> None:
        self.versions: tuple[VersionStatus, ...] = ()
        self.status = DeviceFleetStatus()
        self.showing = Showing(client)
        self._world, self._client = world, client
        self._written = 1
        self._learned = body("TinyModel", "digits", MODELS["learned"]())
        self.spec = DeviceFleetSpec(
            selector=Selector(match_labels={"kind": "meter"}),
            model=ModelRef(name="digits"),
            rollout=Rollout(
                stages=(
                    Stage(name="canary", size=8, soak="15s"),
                    Stage(name="all", size="100%", soak="1s"),
                ),
                gates=(GATE,),
                progress_deadline="2m",
            ),
        )

    def publish(self) -> None:
        """Let there be one more version."""
        number = len(self.versions) + 1
        image = self._world.revision(number).variants["m4"]
        variant = VariantStatus(
            target="m4", digest=image.digest, size=image.size, arena=8192, accuracy="97.00%"
        )
        made = VersionStatus(
            version=number, round=number, created_at=datetime.now(UTC), accuracy="97.00%",
            labels=40 * number, trigger="Initial", variants=(variant,), reference_uri="none",
        )  # fmt: skip
        self.versions = (*self.versions, made)

    def fleet(self) -> dict[str, Any]:
        plain = {"mode": "json", "by_alias": True, "exclude_none": True}
        return {
            "metadata": self._meta(FLEET_KEY),
            "spec": self.spec.model_dump(**plain),
            "status": self.status.model_dump(**plain),
        }

    def model(self) -> dict[str, Any]:
        points = [(20, "71.00%"), (40, "88.00%"), (60, "93.50%"), (80, "97.00%")]
        curve = [CurvePoint(labels=n, accuracy=a, round=1) for n, a in points]
        known = {
            "versions": [v.model_dump(mode="json", by_alias=True) for v in self.versions],
            "latestVersion": len(self.versions),
            "curve": [point.model_dump(mode="json", by_alias=True) for point in curve],
        }
        return {
            "metadata": self._meta(MODEL_KEY) | {"resourceVersion": str(len(self.versions))},
            "spec": self._learned["spec"],
            "status": self._learned["status"] | known,
        }

    def _meta(self, key: Key) -> dict[str, Any]:
        version = str(self._written)
        return {
            "namespace": key.namespace, "name": key.name, "generation": 1,
            "resourceVersion": version,
        }  # fmt: skip

    async def one_pass(self) -> None:
        observed = FleetObserved(
            namespace="default", name="meters", uid="uid-1", generation=1, spec=self.spec,
            status=self.status, model_uid="model-uid", latest=len(self.versions),
            versions=self.versions, summary=await self._client.summary("default.meters"),
        )  # fmt: skip
        outcome = reconcile(observed, datetime.now(UTC))
        self._written += outcome.status != self.status
        self.status = outcome.status
        self.showing.offer(FLEET_KEY, self.fleet())
        self.showing.offer(MODEL_KEY, self.model())
        for action in outcome.actions:
            if isinstance(action, PutPlan):
                await self._client.put_plan(action.plan)

    async def run(self) -> None:
        while True:
            with contextlib.suppress(Problem):
                await self.one_pass()
            await asyncio.sleep(0.2)


@asynccontextmanager
async def operating(world: World) -> AsyncIterator[Operator]:
    """An operator that is there while the context is."""
    async with GatewayClient(str(world.http.base_url).rstrip("/"), "secret") as client:
        operator = Operator(world, client)
        tasks = [asyncio.create_task(operator.run()), asyncio.create_task(operator.showing.run())]
        try:
            yield operator
            for task in tasks:
                assert not task.done(), task.exception()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
