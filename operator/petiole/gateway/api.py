"""The HTTP face of the gateway, for the operator and for people."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from petiole import tracing
from petiole.rollout.plan import Plan, Summary, Window
from petiole.wire import topics
from petiole.wire.topics import DEVICE_ID

from .bearer import carries
from .broker import Broker
from .engine import Engine, StoreError
from .enrol.enrolment import Enrolment
from .enrol.http import for_administrators, for_devices
from .metrics import Metrics
from .records import describe, whole
from .registry import Registry, StalePlanError
from .web.access import Access
from .web.pages import Pages, add_to
from .web.shelf import Shelf, for_operator

LONGEST_WAIT = 60.0  # seconds a summary may be waited for
FORGOTTEN = 10.0  # seconds for the broker to remove what it retains of a device

DeviceId = Annotated[str, Field(pattern=DEVICE_ID.pattern)]


class Registration(BaseModel):
    """A device that may take part, and the labels that selectors choose by."""

    id: DeviceId
    labels: dict[str, str] = {}


def build(
    engine: Engine,
    broker: Broker,
    metrics: Metrics,
    token: str,
    enrolment: Enrolment | None = None,
    web_token: str = "",
) -> FastAPI:
    """Build the application. All of ``/v1`` asks for the bearer ``token``.

    With a ``web_token`` there are pages, for those who have it, and the operator says what it
    decided; without, there are none.
    """

    def authorised(request: Request) -> None:
        if not carries(request, token):
            raise HTTPException(401, "send the gateway's token as 'Authorization: Bearer <token>'")

    app = FastAPI(title="Petiole gateway", docs_url=None, redoc_url=None)
    app.include_router(_fleets(engine), prefix="/v1", dependencies=[Depends(authorised)])
    app.include_router(
        _devices(engine, enrolment), prefix="/v1", dependencies=[Depends(authorised)]
    )
    app.include_router(
        for_administrators(enrolment, lambda device: _registered(engine.registry, device)),
        prefix="/v1",
        dependencies=[Depends(authorised)],
    )
    app.include_router(for_devices(enrolment))
    if web_token:
        shelf = Shelf()
        app.include_router(for_operator(shelf), prefix="/v1", dependencies=[Depends(authorised)])
        pages = Pages(engine.registry, shelf, enrolment, lambda: _problems(engine, broker))
        add_to(app, pages, Access(web_token))
    app.include_router(_health(engine, broker, metrics))

    @app.exception_handler(StoreError)
    async def store_failed(_request: Request, error: StoreError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503)

    return app


def _fleets(engine: Engine) -> APIRouter:
    router = APIRouter()

    @router.get("/fleets")
    async def fleets() -> list[str]:
        return sorted(engine.registry.fleets)

    @router.put("/fleets/{fleet}/plan", status_code=204)
    async def put_plan(fleet: str, plan: Plan, traceparent: Annotated[str, Header()] = "") -> None:
        if plan.fleet != fleet:
            raise HTTPException(
                422, f"the plan is for fleet {plan.fleet!r}, the path says {fleet!r}"
            )
        said: dict[str, tracing.Value] = {"petiole.fleet": fleet, "petiole.serial": plan.serial}
        with tracing.continued(traceparent), tracing.span("plan", said):
            try:
                engine.registry.put_plan(plan, engine.clock())
            except StalePlanError as error:
                raise HTTPException(409, str(error)) from error
            if engine.stages is not None:
                engine.stages.planned(engine.registry.fleets[fleet], tracing.here())
            await engine.settled()

    @router.get("/fleets/{fleet}/summary")
    async def summary(
        fleet: str,
        after: int = -1,
        wait: Annotated[float, Query(ge=0.0, le=LONGEST_WAIT)] = 0.0,
    ) -> Summary:
        _known(engine.registry, fleet)
        held = await engine.changed(fleet, after, wait)
        if held is None or held.summary is None:
            raise HTTPException(404, f"there is no plan for fleet {fleet!r}")
        return held.summary

    @router.get("/fleets/{fleet}/windows")
    async def windows(fleet: str, digest: Annotated[list[str], Query()]) -> list[Window]:
        _known(engine.registry, fleet)
        book, now = engine.registry.windows, time.time()
        found = [w for d in dict.fromkeys(digest) for w in book.closed(fleet, d, now)]
        return sorted(found, key=lambda w: w.start)

    @router.delete("/fleets/{fleet}", status_code=204)
    async def delete(fleet: str) -> None:
        engine.registry.delete_fleet(fleet)
        await engine.settled()

    return router


def _devices(engine: Engine, enrolment: Enrolment | None) -> APIRouter:
    router = APIRouter()

    @router.put("/devices", status_code=204)
    async def register(devices: list[Registration]) -> None:
        engine.registry.register((d.id, d.labels) for d in devices)
        await engine.settled()

    @router.get("/devices")
    async def devices(fleet: str | None = None) -> list[dict[str, Any]]:
        registry = engine.registry
        return [
            describe(registry, d)
            for d in sorted(registry.devices.values(), key=lambda d: d.id)
            if fleet is None or d.fleet == fleet
        ]

    @router.get("/devices/{device}")
    async def device(device: str) -> dict[str, Any]:
        found = engine.registry.devices.get(device)
        if found is None:
            raise HTTPException(404, f"device {device!r} was never registered nor heard of")
        held = await enrolment.newest(device) if enrolment else None
        return whole(engine.registry, found, held)

    @router.delete("/devices/{device}", status_code=204)
    async def forget(device: DeviceId, keep: Literal["registration"] | None = None) -> None:
        engine.registry.forget(device, keep_registration=keep is not None)
        await engine.settled()
        if not await engine.outbox.told(topics.retained(device), FORGOTTEN):
            raise HTTPException(
                503,
                f"{device} is forgotten here, but the broker may still retain what it said and"
                " bring that back: ask again when the broker is there",
            )

    return router


def _health(engine: Engine, broker: Broker, metrics: Metrics) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        problems = _problems(engine, broker)
        return JSONResponse(
            {"status": "not ready" if problems else "ok", "problems": problems},
            503 if problems else 200,
        )

    @router.get("/metrics")
    async def numbers() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _problems(engine: Engine, broker: Broker) -> list[str]:
    return [problem for problem in (broker.problem, engine.problem) if problem]


def _known(registry: Registry, fleet: str) -> None:
    if fleet not in registry.fleets:
        raise HTTPException(404, f"there is no plan for fleet {fleet!r}")


def _registered(registry: Registry, device: str) -> bool:
    return (found := registry.devices.get(device)) is not None and found.registered
