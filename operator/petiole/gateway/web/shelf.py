"""Objects as the operator handed them over: what it decided, which the gateway does not know.

They are kept in memory alone. A gateway that starts has none; the operator compares what is held
with what there is, and hands over what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request

from petiole.view.objects import Fleet, Model

Plural = Literal["devicefleets", "tinymodels"]
READ = 256  # objects that are kept as read; the others are read when they are looked at


@dataclass(frozen=True, slots=True)
class Held:
    """An object as it came. ``version``: its ``resourceVersion``; ``follows``: a fleet's model."""

    version: str
    body: bytes
    follows: str


class Shelf:
    """The newest of each object, by kind and ``<namespace>.<name>``."""

    def __init__(self) -> None:
        self._held: dict[tuple[Plural, str], Held] = {}

    @property
    def versions(self) -> dict[Plural, dict[str, str]]:
        """By kind the version of each object, by name."""
        found: dict[Plural, dict[str, str]] = {"devicefleets": {}, "tinymodels": {}}
        for (plural, name), held in self._held.items():
            found[plural][name] = held.version
        return found

    def put(self, plural: Plural, name: str, body: bytes) -> None:
        """Keep an object. ValueError when it is no object of this kind and name."""
        try:
            read = _fleet(body) if plural == "devicefleets" else _model(body)
            version = str(_parsed(body)["metadata"]["resourceVersion"])
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"not an object of {plural}: {error!r}") from error
        if read.full_name != name:
            raise ValueError(f"the object is {read.full_name}, the path says {name}")
        follows = read.model if isinstance(read, Fleet) else ""
        self._held[plural, name] = Held(version, body, follows)

    def drop(self, plural: Plural, name: str) -> None:
        self._held.pop((plural, name), None)

    def fleet(self, name: str) -> Fleet | None:
        held = self._held.get(("devicefleets", name))
        return None if held is None else _fleet(held.body)

    def model(self, name: str) -> Model | None:
        held = self._held.get(("tinymodels", name))
        return None if held is None else _model(held.body)

    def names(self, plural: Plural) -> set[str]:
        return {name for kind, name in self._held if kind == plural}

    def fleets_of(self, model: Model) -> Iterator[Fleet]:
        """Yield the fleets that follow a model, in order of name."""
        for _, held in sorted(self._held.items()):
            if held.follows == model.full_name:
                yield _fleet(held.body)


def for_operator(shelf: Shelf) -> APIRouter:
    """Build the routes below ``/v1``; whoever includes them asks for the bearer token."""
    router = APIRouter()

    @router.get("/objects")
    async def versions() -> dict[Plural, dict[str, str]]:
        return shelf.versions

    @router.put("/objects/{plural}/{name}", status_code=204)
    async def put(plural: Plural, name: str, request: Request) -> None:
        try:
            shelf.put(plural, name, await request.body())
        except ValueError as error:
            raise HTTPException(422, str(error)) from error

    @router.delete("/objects/{plural}/{name}", status_code=204)
    async def delete(plural: Plural, name: str) -> None:
        shelf.drop(plural, name)

    return router


@lru_cache(maxsize=READ)
def _fleet(body: bytes) -> Fleet:
    return Fleet.of(_parsed(body))


@lru_cache(maxsize=READ)
def _model(body: bytes) -> Model:
    return Model.of(_parsed(body))


def _parsed(body: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(body)
    return found
