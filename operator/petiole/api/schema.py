"""From pydantic's JSON schema to the structural schema of a CustomResourceDefinition.

The API server takes a subset of OpenAPI: no ``$ref``, no ``anyOf`` with types in it, no ``null``,
no ``const``, no ``prefixItems``. Defaults stay out of it, because the API server would write them
into what the user keeps in Git; they are told in the description instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from .base import (
    COUNT_PATTERN,
    DURATION_PATTERN,
    NAME_PATTERN,
    PERCENT_PATTERN,
    POSITIVE_DURATION_PATTERN,
    QUANTITY_PATTERN,
)

Schema = dict[str, Any]

# Kept as they are; anything else in a schema is either translated below or an error.
_KEPT = frozenset({
    "type", "format", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "maxProperties", "required",
    "x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
})  # fmt: skip
_DROPPED = frozenset({"title", "default", "description"})
_WRITTEN = {
    PERCENT_PATTERN: "a percent such as 2.5%",
    DURATION_PATTERN: "a duration such as 1h30m",
    POSITIVE_DURATION_PATTERN: "a duration such as 1h30m, not zero",
    QUANTITY_PATTERN: "bytes such as 64Ki",
    COUNT_PATTERN: "a count such as 12M",
    NAME_PATTERN: "at most 63 small letters, digits and hyphens",
}
_COUNTED = (
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "entries"),
    ("minLength", "maxLength", "characters"),
)
_MANY = 2**31 - 1
# The API server takes a list where ``format`` asks for a time; no rule can read a list as one.
_TIME_RULE = {
    "rule": "self >= timestamp('0001-01-01T00:00:00Z')",
    "message": "must be a time such as 2026-01-01T00:00:00Z",
}
_LIMITS = frozenset({"minimum", "maximum", "pattern", "maxLength"})  # of an int-or-string


class SchemaError(Exception):
    """A model uses a type that a CRD cannot express; the message names the field."""


def structural(model: type[BaseModel]) -> Schema:
    """Return the structural schema of ``model``, by its field aliases."""
    schema = model.model_json_schema(by_alias=True)
    return _Translation(schema.pop("$defs", {})).object(schema, model.__name__)


class _Translation:
    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions

    def object(self, source: Schema, path: str) -> Schema:
        """Translate one schema node; ``path`` names it in errors."""
        source = self._resolve(source)
        members = [m for m in source.pop("anyOf", []) if m.get("type") != "null"]
        if len(members) == 1:
            source = self._resolve(members[0] | source)
        elif members:
            source = _int_or_string(members, path) | source
        result = _with_description(source)
        for key, value in source.items():
            result |= self._keyword(key, value, path)
        return result

    def _resolve(self, source: Schema) -> Schema:
        """Replace a ``$ref`` by what it means; what stands beside it (a description) wins."""
        source = dict(source)
        while reference := source.pop("$ref", None):
            source = self._definitions[reference.removeprefix("#/$defs/")] | source
        return source

    def _keyword(self, key: str, value: Any, path: str) -> Schema:  # noqa: ANN401
        if key in _DROPPED:
            return {}
        if key == "properties":
            return {key: {k: self.object(v, f"{path}.{k}") for k, v in value.items()}}
        if key == "additionalProperties" and isinstance(value, dict):
            return {key: self.object(value, f"{path}.*")}
        if key == "items":
            return {key: self.object(value, f"{path}[]")}
        if key == "const":
            return {"enum": [value]}
        if (key, value) == ("format", "date-time"):
            return {key: value, "x-kubernetes-validations": [_TIME_RULE]}
        if key in _KEPT or key == "x-kubernetes-int-or-string":
            return {key: value}
        raise SchemaError(f"{path}: {key!r} has no form in a CRD; use another type")


def _int_or_string(members: list[Schema], path: str) -> Schema:
    """``int | str`` with limits on either: the minimum holds for numbers, the pattern for strings.

    A literal string becomes a pattern.
    """
    result: Schema = {"x-kubernetes-int-or-string": True}
    for member in members:
        limits = {key: value for key, value in member.items() if key not in ("type", "const")}
        if "const" in member:
            limits |= {"pattern": f"^{member['const']}$", "maxLength": 63}
        if member.get("type") not in ("integer", "string") or set(limits) - _LIMITS:
            raise SchemaError(f"{path}: only a union of one integer and one string has a CRD form")
        result |= limits
    return result


def _with_description(source: Schema) -> Schema:
    """Return what ``kubectl explain`` shows: the words of the author, then limits and default.

    Limits are told because kubectl shows but types and enumerations.
    """
    text = source.get("description", "").replace("``", "`")
    told = " ".join((*_limits(source), *_default(source)))
    text = f"{text}\n\n{told}" if told else text
    return {"description": text} if text else {}


def _limits(source: Schema) -> Iterator[str]:
    pattern = source.get("pattern")
    numbers = _range(source.get("minimum"), source.get("maximum"))
    told = " or ".join(filter(None, (numbers, _WRITTEN.get(pattern or "", ""))))
    if told:
        yield f"{told[0].upper()}{told[1:]}."
    for least, most, what in _COUNTED:
        count = _range(source.get(least, 0), source.get(most))
        if count and not (pattern and what == "characters"):
            yield f"{count[0].upper()}{count[1:]} {what}."


def _range(least: int | None, most: int | None) -> str:
    """``"1 to 50"``; of what 32 bits bound, the lower end alone."""
    if most is None:
        return ""
    if most >= _MANY:
        return f"{least} or more"
    return f"{least} to {most:,}" if least else f"at most {most:,}"


def _default(source: Schema) -> Iterator[str]:
    default = source.get("default")
    if isinstance(default, str | int) and default not in ("", 0):
        yield f"Defaults to {str(default).lower() if isinstance(default, bool) else default}."
