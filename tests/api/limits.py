"""Every limit of a CRD's schema, each with a value that it accepts and one that it refuses."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# A keyword that is not listed here and not translated below fails the walk: no limit goes untried.
_NOT_LIMITS = {
    "description", "properties", "items", "additionalProperties", "x-kubernetes-validations",
    "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-int-or-string", "format",
}  # fmt: skip

# By pattern: a string that matches and suits every field that has it, and one that does not match.
_PATTERNS = {
    r"^(100|[0-9]{1,2}(\.[0-9]{1,2})?)%$": ("1.25%", "100.5%"),
    r"^([0-9]{1,6}(ms|s|m|h|d))+$": ("1h30m", "5 minutes"),
    r"^[1-9][0-9]{0,5}(ms|s|m|h|d)([0-9]{1,6}(ms|s|m|h|d))*$": ("90s", "0s"),
    r"^[1-9][0-9]{0,8}(Ki|Mi)?$": ("48Ki", "0.5Ki"),
    r"^[1-9][0-9]{0,8}(k|M)?$": ("12M", "1.5M"),
    r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$": ("a-1", "Upper_Case"),
    r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$": ("orchard.s3-1", "Orchard"),
    r"^(file|pvc|s3)://.+$": ("pvc://orchard/x", "https://orchard/x"),
    r"^[a-z0-9]+://.+$": ("s3://bucket/x", "/no/scheme"),
    r"^https?://[^ /?#]+[^ ]*$": ("https://labels.example.com:8443/x", "ftp://labels.example.com"),
    r"^[A-Za-z0-9._-]+$": ("a_B.c-1", "a key"),
    r"^Latest$": ("Latest", "latest"),
    r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$": ("example.com/Site_1", "-site"),
    r"^[0-9*,/A-Za-z#-]+( [0-9*,/A-Za-z#-]+){4}$": ("*/15 0-6 1,L JAN MON#1", "every day"),
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": ("2026-12-31", "31.12.2026"),
}

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Limit:
    """One keyword at one place of an example object."""

    path: tuple[str | int, ...]
    keyword: str
    accepted: Any
    refused: Any

    @property
    def field(self) -> str:
        """The path as the API server writes it."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}"
        return text.removeprefix(".")

    def __str__(self) -> str:
        return f"{self.field}:{self.keyword}"


def limits(
    schema: dict[str, Any], example: Any, path: tuple[str | int, ...] = ()
) -> Iterator[Limit]:
    """Walk ``schema`` beside an example that has every field."""
    for keyword, value in schema.items():
        if keyword == "required":
            yield from (Limit((*path, name), keyword, example[name], _MISSING) for name in value)
        elif keyword not in _NOT_LIMITS:
            yield Limit(path, keyword, *_values(schema, keyword, example))
    for name, child in schema.get("properties", {}).items():
        assert name in example, f"the example lacks {path} {name}"
        yield from limits(child, example[name], (*path, name))
    if "items" in schema:
        yield from _item_limits(schema["items"], example, path)
    if "additionalProperties" in schema:
        key = next(iter(example))
        yield from limits(schema["additionalProperties"], example[key], (*path, key))


def _item_limits(
    schema: dict[str, Any], examples: list[Any], path: tuple[str | int, ...]
) -> Iterator[Limit]:
    """Items may differ in what they have; each limit is tried on the first that has the field."""
    missing = _properties_of(schema) - set().union(*map(_present, examples))
    assert not missing, f"the examples at {path} lack {missing}"
    seen: set[tuple[tuple[str | int, ...], str]] = set()
    for index, example in enumerate(examples):
        present = _only_present(schema, example)
        for limit in limits(present, example, (*path, index)):
            identity = (limit.path[len(path) + 1 :], limit.keyword)
            if identity not in seen:
                seen.add(identity)
                yield limit


def _properties_of(schema: dict[str, Any]) -> set[str]:
    """Names of all properties, also of those below."""
    found = set(schema.get("properties", {}))
    return found.union(*map(_properties_of, schema.get("properties", {}).values()))


def _present(example: Any) -> set[str]:
    if not isinstance(example, dict):
        return set()
    return set(example).union(*map(_present, example.values()))


def _only_present(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    if "properties" not in schema:
        return schema
    kept = {
        k: _only_present(v, example[k]) for k, v in schema["properties"].items() if k in example
    }
    return {**schema, "properties": kept}


def _values(schema: dict[str, Any], keyword: str, example: Any) -> tuple[Any, Any]:
    """What is just inside and just outside of a limit."""
    value = schema[keyword]
    match keyword:
        case "minimum" | "maximum":
            return value, value + (1 if keyword == "maximum" else -1)
        case "enum":
            return value[-1], "Nonsense"
        case "type":
            return example, {"object": "text"}.get(value, {"an": "object"})
        case "pattern":
            return _PATTERNS[value]
        case "maxLength":
            return example, _longer(example, value)
        case "minLength" | "minProperties":
            return example, type(example)()
        case "maxItems" | "minItems":
            outside = value + (1 if keyword == "maxItems" else -1)
            few = "enum" in schema["items"]
            return tuple(_items(example, count, few=few) for count in (value, outside))
        case "maxProperties":
            return _properties(value), _properties(value + 1)
    raise AssertionError(f"no values for the limit {keyword}")


def _longer(example: Any, length: int) -> str:
    return (example if isinstance(example, str) else "1%") + "x" * length


def _items(example: list[Any], count: int, *, few: bool) -> list[Any]:
    """``count`` items that differ, unless there are but ``few`` values; the last stays last."""
    last = example[-1]
    if few:
        return [last] * count
    if isinstance(last, str):
        return [f"{last}-{n}" for n in range(count)]
    return [{**last, "name": f"n{n}"} for n in range(count)]


def _properties(count: int) -> dict[str, str]:
    return {f"key{n}": "value" for n in range(count)}


def with_value(document: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """A copy of ``document`` with one value replaced, added or taken out."""
    changed = copy.deepcopy(document)
    at: Any = changed
    for part in path[:-1]:
        at = at[part]
    if value is _MISSING:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return changed
