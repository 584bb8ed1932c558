"""Objects that have another shape than this ``petiole`` knows: said in a sentence, not a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from petiole.view.objects import Fleet, Model

Seen = TypeVar("Seen", Fleet, Model)


class UnreadableError(Exception):
    """The API server holds an object that cannot be read here; the message is a sentence."""


def read(kind: type[Seen], body: Mapping[str, Any]) -> Seen:
    """Return the object, typed. Raises UnreadableError, which names fields."""
    try:
        return kind.of(body)
    except ValidationError as error:
        found = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3]]
        name, place = body["metadata"]["name"], body["metadata"]["namespace"]
        raise UnreadableError(
            f"{kind.kind} {place}/{name} has another shape than this petiole knows "
            f"({'; '.join(found)}): use the petiole of the operator's version, or "
            f"`kubectl get {kind.kind.lower()} {name} -n {place} -o yaml`"
        ) from error
