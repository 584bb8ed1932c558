"""Writes status: only what changed, only onto the object that was read, about once a second."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from petiole.api.base import Condition, set_condition

from . import metrics
from .cluster import Cluster, Object
from .keys import Key

_INTERVAL = 1.0  # seconds between two writes of one object, in the long run
_BURST = 3  # writes that may follow each other at once: a stage that ends need not wait to be told
_CONDITIONS = TypeAdapter(tuple[Condition, ...])


class StatusWriter:
    """Knows how much each object was written lately; nothing else is remembered.

    ``_paid`` is the time until which an object's writes are paid for, a token bucket as the generic
    cell rate algorithm keeps it (ITU-T I.371).
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._paid: dict[Key, float] = {}

    def wait(self, key: Key) -> float:
        """Return how many seconds must pass before the object may be written again."""
        ahead = self._paid.get(key, float("-inf")) - time.monotonic()
        return max(0.0, ahead - (_BURST - 1) * _INTERVAL)

    def forget(self, key: Key) -> None:
        self._paid.pop(key, None)

    async def write(self, key: Key, body: Object, status: BaseModel) -> None:
        """Write ``status`` if it says something new. Raises ConflictError for a stale ``body``."""
        await self._merge(key, body, status.model_dump(mode="json", by_alias=True))

    async def write_invalid(
        self, key: Key, body: Object, error: ValidationError, now: datetime
    ) -> tuple[Condition, ...]:
        """Say in a condition that the object cannot be read, and leave the rest of its status.

        It counts as looked at: who reads kstatus would take it for one in progress otherwise.
        Returns all its conditions.
        """
        status = dict(body.get("status") or {})
        generation = body["metadata"]["generation"]
        conditions = set_condition(
            _CONDITIONS.validate_python(tuple(status.get("conditions", ()))),
            "Stalled",
            status=True,
            reason="InvalidObject",
            message=_sentences(error),
            generation=generation,
            now=now.replace(microsecond=0),
        )
        status["conditions"] = [c.model_dump(mode="json", by_alias=True) for c in conditions]
        await self._merge(key, body, status | {"observedGeneration": generation})
        return conditions

    async def _merge(self, key: Key, body: Object, wanted: Mapping[str, Any]) -> None:
        patch = merge_patch(body.get("status") or {}, wanted)
        if patch:
            await self._cluster.patch_status(body, patch, key.plural)
            now = time.monotonic()
            self._paid[key] = max(self._paid.get(key, now), now) + _INTERVAL
            metrics.WRITES.labels(key.plural).inc()


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7386) that makes ``new`` of ``old``; empty when equal.

    None and an absent key are the same: the API server keeps no nulls.
    """
    patch: dict[str, Any] = {
        key: None for key, value in old.items() if value is not None and new.get(key) is None
    }
    for key, value in new.items():
        before = old.get(key)
        if value is None or _plain(value) == before:
            continue
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if inner := merge_patch(before, value):
                patch[key] = inner
        else:
            patch[key] = _plain(value)
    return patch


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Leave out nulls below ``value``, as the API server does."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _sentences(error: ValidationError) -> str:
    found = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()[:3]]
    return (
        "The object cannot be read: " + "; ".join(found) + ". Correct it; if the API server "
        "accepted it, its CRD is of another version than the operator: apply crds/ again."
    )
