"""The routes of the pages."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import RedirectResponse

from petiole.gateway.enrol.enrolment import Enrolment
from petiole.gateway.records import describe, whole
from petiole.gateway.registry import Registry
from petiole.view.device import Filter
from petiole.view.sites import names_of, revisions
from petiole.wire.words import Phase

from . import census
from .access import Access
from .census import Census
from .door import NotAdmittedError, for_everybody, send_to_door
from .drawing import PREFIX, page
from .scene import Glance
from .shelf import Shelf

ROWS = 100  # devices, or objects of a kind, on a page
EVERY, SELDOM = 3, 15  # seconds until a page is asked for again; one that lists devices


class Pages:
    """What the routes draw from."""

    def __init__(
        self,
        registry: Registry,
        shelf: Shelf,
        enrolment: Enrolment | None,
        problems: Callable[[], list[str]],
    ) -> None:
        self.registry, self.shelf, self.enrolment = registry, shelf, enrolment
        self.census = Census(registry)
        self._problems = problems

    def draw(self, name: str, every: int, status: int = 200, **values: Any) -> Response:  # noqa: ANN401
        common = {"now": datetime.now(UTC), "every": every, "problems": self._problems()}
        return page(name, status, **common, **values)

    def missing(self, what: str) -> Response:
        return self.draw("missing.html", SELDOM, 404, what=what)

    def glance(self, name: str) -> Glance:
        return Glance.of(name, self.shelf.fleet(name), self.registry.fleets.get(name))

    def names(self, seen: Glance) -> dict[str, str]:
        """Name the artefacts of a fleet by digest, as far as its objects are known."""
        model = self.shelf.model(seen.model)
        if seen.fleet is None or model is None:
            return seen.names
        return seen.names | names_of(model.status, seen.fleet.status)


def add_to(app: FastAPI, pages: Pages, access: Access) -> None:
    """Serve the pages to those whom ``access`` admits, and a form to all others."""

    def admitted(request: Request) -> None:
        if not access.admits(request, time.time()):
            raise NotAdmittedError

    @app.get("/", include_in_schema=False)
    @app.get(PREFIX, include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse(f"{PREFIX}/")

    send_to_door(app)
    app.include_router(for_everybody(access), prefix=PREFIX, include_in_schema=False)
    for router in (_objects(pages), _devices(pages)):
        app.include_router(
            router, prefix=PREFIX, include_in_schema=False, dependencies=[Depends(admitted)]
        )


def _objects(pages: Pages) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    async def overview(first: Annotated[int, Query(ge=0)] = 0) -> Response:
        shelf, registry = pages.shelf, pages.registry
        fleets = sorted(shelf.names("devicefleets") | registry.fleets.keys())
        names = sorted(shelf.names("tinymodels"))
        models = [shelf.model(name) for name in names[first : first + ROWS]]
        return pages.draw(
            "overview.html",
            EVERY,
            fleets=[pages.glance(name) for name in fleets[first : first + ROWS]],
            models=[model for model in models if model is not None],
            devices=len(registry.devices),
            online=sum(device.online for device in registry.devices.values()),
            unknown=registry.unknown,
            before=_turned({}, first - ROWS) if first else "",
            after=_turned({}, first + ROWS) if max(len(fleets), len(names)) > first + ROWS else "",
        )

    @router.get("/fleets/{name}")
    async def fleet(name: str, by: str = "") -> Response:
        seen = pages.glance(name)
        if seen.fleet is None and seen.plan is None:
            return pages.missing(f"fleet {name}")
        labels = pages.census.labels(name)
        by = by or ("site" if "site" in labels else next(iter(labels), ""))
        kind = "Model" if seen.fleet is None else seen.fleet.status.kind
        sites = await pages.census.sites(name, by, pages.names(seen), kind)
        return pages.draw(
            "fleet.html",
            EVERY,
            seen=seen,
            labels=labels,
            by=by,
            sites=sites,
            columns=revisions(sites),
        )

    @router.get("/models/{name}")
    async def model(name: str) -> Response:
        seen = pages.shelf.model(name)
        if seen is None:
            return pages.missing(f"model {name}")
        fleets = []
        for following in pages.shelf.fleets_of(seen):
            glance = pages.glance(following.full_name)
            sites = await pages.census.sites(glance.name, "", pages.names(glance), "Model")
            runs: Counter[str] = sum((site.runs for site in sites), start=Counter())
            fleets.append((glance, runs))
        return pages.draw("model.html", EVERY, model=seen, fleets=fleets)

    return router


def _devices(pages: Pages) -> APIRouter:
    router = APIRouter()

    @router.get("/devices")
    async def devices(request: Request) -> Response:
        asked = {key: value for key, value in request.query_params.items() if value}
        wanted = _filter(asked)
        ids = await census.chosen(pages.registry, asked.get("fleet", ""), wanted)
        first = min(_number(asked.pop("first", "")), max(len(ids) - 1, 0) // ROWS * ROWS)
        held = (pages.registry.devices.get(each) for each in ids[first : first + ROWS])
        return pages.draw(
            "devices.html",
            SELDOM,
            records=[describe(pages.registry, device) for device in held if device is not None],
            found=len(ids),
            first=first,
            asked=asked,
            fleets=sorted(pages.registry.fleets),
            phases=[phase.word for phase in Phase],
            before=_turned(asked, first - ROWS) if first else "",
            after=_turned(asked, first + ROWS) if first + ROWS < len(ids) else "",
        )

    @router.get("/devices/{name}")
    async def device(name: str) -> Response:
        found = pages.registry.devices.get(name)
        if found is None:
            return pages.missing(f"device {name}")
        held = await pages.enrolment.newest(name) if pages.enrolment else None
        return pages.draw("device.html", EVERY, record=whole(pages.registry, found, held))

    return router


def _filter(asked: Mapping[str, str]) -> Filter:
    key, _, value = asked.get("label", "").partition("=")
    yes = {"yes": True, "no": False}
    return Filter(
        {key.strip(): value.strip()} if key else {},
        asked.get("phase", ""),
        asked.get("reason", ""),
        yes.get(asked.get("online", "")),
        yes.get(asked.get("registered", "")),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _turned(asked: Mapping[str, str], first: int) -> str:
    """Return the query of another part of the list."""
    return urlencode({**asked, "first": max(first, 0)})
