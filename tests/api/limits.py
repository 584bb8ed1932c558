"""Every limit of a CRD's schema, with values just inside and just outside of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

# A keyword that is not listed here and not translated below fails the walk: no limit goes untried.
_NOT_LIMITS = {
    "description", "properties", "items", "additionalProperties", "x-kubernetes-validations",
    "x-kubernetes-list-type", "default",
}  # fmt: skip

MISSING = object()
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """Strings by one pattern; the good ones suit every field that has it, the longest is last.

    ``long`` makes a match of exactly so many characters; None: the pattern ends before maxLength.
    """

    good: tuple[str, ...]
    bad: tuple[str, ...]
    long: Callable[[int], str] | None = None


def _after(prefix: str) -> Callable[[int], str]:
    return lambda length: prefix + "x" * (length - len(prefix))


def _days(length: int) -> str:
    """A duration of so many characters; one of days stays below what an update may take."""
    return "01d" * (length % 2) + "1d" * ((length - 3 * (length % 2)) // 2)


SHAPES = {
    r"^(100|[0-9]{1,2}(\.[0-9]{1,2})?)%$": Shape(
        ("1.25%",), ("100.5%", "101%", "-1%", "1.255%", "5", " 5%", "5% ")
    ),
    r"^([0-9]{1,4}[dh]|[0-9]{1,6}(m|s|ms))+$": Shape(
        ("1h30m", "999999ms"), ("5 minutes", "5", "1w", "-1s", "1.5h", "10000h", "1000000s"), _days
    ),
    r"^([1-9][0-9]{0,3}[dh]|[1-9][0-9]{0,5}(m|s|ms))([0-9]{1,4}[dh]|[0-9]{1,6}(m|s|ms))*$": Shape(
        ("90s", "1d12h"), ("0s", "0d1h", "s", "10000d", "1000000m"),
        lambda length: "1d" + _days(length - 2),
    ),
    r"^([1-9][0-9]{0,4}s|[1-9][0-9]{0,3}m|[1-9][0-9]{0,2}h|([1-3][0-9]|[1-9])d)$": Shape(
        ("1s", "39d", "999h", "9999m", "99999s"), ("500ms", "0s", "1h30m", "1000h", "40d")
    ),
    r"^[1-9][0-9]{0,8}(Ki|Mi)?$": Shape(
        ("48Ki", "999999999Mi"), ("0.5Ki", "0", "64K", "1Gi", "1000000000")
    ),
    r"^[1-9][0-9]{0,8}(k|M)?$": Shape(("12M", "999999999M"), ("1.5M", "0", "1G", "1000000000")),
    r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$": Shape(
        ("a-1",), ("Upper_Case", "-a", "a-"), lambda length: "a" * length
    ),
    r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$": Shape(
        ("orchard.s3-1",), ("Orchard", ".a", "a/b"), lambda length: "a" * length
    ),
    r"^(file|pvc|s3)://.+$": Shape(
        ("pvc://orchard/x",), ("https://orchard/x", "s3://", "/x"), _after("s3://")
    ),
    r"^[a-z0-9]+://.+$": Shape(("s3://bucket/x",), ("/no/scheme", "s3://"), _after("s3://")),
    r"^https?://[^ /?#]+[^ ]*$": Shape(
        ("https://labels.example.com:8443/x",),
        ("ftp://labels.example.com", "http://", "http:///x", "http://a b"),
        _after("http://"),
    ),
    r"^[A-Za-z0-9._-]+$": Shape(("a_B.c-1",), ("a key", "a/b"), lambda length: "a" * length),
    r"^Latest$": Shape(("Latest",), ("latest", "Newest", "3")),
    r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$": Shape(
        ("example.com/Site_1",), ("-site", "site/", "a site"), lambda length: "a" * length
    ),
    r"^[0-9*,/A-Za-z#-]+( [0-9*,/A-Za-z#-]+){4}$": Shape(
        ("*/15 0-6 1,L JAN MON#1",), ("every day", "0 1 * *", "0 1 * * * *"),
        lambda length: "* * * * " + "1" * (length - 8),
    ),
    r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}$": Shape(
        ("2026-12-31",), ("31.12.2026", "2026-1-1", "1999-12-31", "3000-01-01")
    ),
}  # fmt: skip

_TYPES: dict[str, tuple[Any, ...]] = {
    "string": (3, True, {"an": "object"}, ["text"]),
    "integer": ("3", 1.5, True, {"an": "object"}),
    "boolean": ("true", 1, {"an": "object"}),
    "object": ("text", 3, ["text"]),
    "array": ("text", {"an": "object"}),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """One keyword at one place of an example object; the value nearest the limit comes first."""

    path: Path
    keyword: str
    accepted: tuple[Any, ...]
    refused: tuple[Any, ...]

    @property
    def field(self) -> str:
        """The path as the API server writes it."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}"
        return text.removeprefix(".")

    def __str__(self) -> str:
        return f"{self.field}:{self.keyword}"


def limits(schema: dict[str, Any], example: Any, path: Path = ()) -> Iterator[Limit]:
    """Walk ``schema`` beside an example that has every field."""
    for keyword, value in schema.items():
        if keyword == "required":
            yield from (
                Limit((*path, name), keyword, (example[name],), (MISSING,)) for name in value
            )
        elif keyword not in _NOT_LIMITS:
            yield Limit(path, keyword, *_values(schema, keyword, example))
    if schema.get("x-kubernetes-list-type") == "set":
        yield Limit(path, "unique", (example,), ([example[0], example[0]],))
    for name, child in schema.get("properties", {}).items():
        assert name in example, f"the example lacks {path} {name}"
        yield from limits(child, example[name], (*path, name))
    if "items" in schema:
        yield from _item_limits(schema["items"], example, path)
    if "additionalProperties" in schema:
        key = next(iter(example))
        yield from limits(schema["additionalProperties"], example[key], (*path, key))


def sample(schema: dict[str, Any]) -> Any:
    """An object that has every field of ``schema``, for what no rule between fields binds."""
    match schema.get("type"):
        case "object":
            return {name: sample(child) for name, child in schema["properties"].items()}
        case "array":
            return [sample(schema["items"])]
        case "integer":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return schema["enum"][0] if "enum" in schema else _text(schema)


def _text(schema: dict[str, Any]) -> str:
    return "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else "text"


def _item_limits(schema: dict[str, Any], examples: list[Any], path: Path) -> Iterator[Limit]:
    """Items may differ in what they have; each limit is tried on the first that has the field."""
    missing = _properties_of(schema) - set().union(*map(_present, examples))
    assert not missing, f"the examples at {path} lack {missing}"
    seen: set[tuple[Path, str]] = set()
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


Values = tuple[tuple[Any, ...], tuple[Any, ...]]


def _values(schema: dict[str, Any], keyword: str, example: Any) -> Values:
    """What is inside and what is outside of a limit."""
    value = schema[keyword]
    match keyword:
        case "minimum":
            return (value, value + 1), (value - 1,)
        case "maximum":
            return (value, value - 1), (value + 1,)
        case "pattern":
            return SHAPES[value].good, SHAPES[value].bad
        case "minLength" | "maxLength":
            return _lengths(schema, keyword, example)
        case "minProperties" | "maxProperties":
            return _counts(keyword, value, _properties)
        case "minItems" | "maxItems":
            return _counts(keyword, value, lambda count: _items(schema, example, count))
    return _forms(keyword, value, example)


def _forms(keyword: str, value: Any, example: Any) -> Values:
    """What is of the form that a keyword asks for, and what is not."""
    match keyword:
        case "enum":
            wrong = ("Nonsense", value[0].swapcase(), "")
            return tuple(reversed(value)), tuple(word for word in wrong if word not in value)
        case "type":
            return (example,), _TYPES[value]
        case "format":
            return ("2026-01-01T00:00:00Z",), ("yesterday",)
        case "x-kubernetes-int-or-string":
            return (example, 3), (1.5, True, {"an": "object"}, ["text"])
        case "x-kubernetes-list-map-keys":
            return (example,), ([example[0], example[0]],)
    raise AssertionError(f"no values for the limit {keyword}")


def _lengths(schema: dict[str, Any], keyword: str, example: Any) -> Values:
    """Strings at a limit of their length, and one character beyond it."""
    value, outside = schema[keyword], schema[keyword] + (1 if keyword.startswith("max") else -1)
    if "pattern" not in schema:
        return ("x" * value,), ("x" * outside,)
    shape = SHAPES[schema["pattern"]]
    if shape.long is None:
        return (shape.good[-1],), (shape.good[-1] + "x" * value,)
    return (shape.long(value) if value > 1 else "a",), (shape.long(outside) if outside else "",)


def _counts(keyword: str, value: int, make: Callable[[int], Any]) -> Values:
    return (make(value),), (make(value + (1 if keyword.startswith("max") else -1)),)


def _items(schema: dict[str, Any], example: list[Any], count: int) -> list[Any]:
    """``count`` items, which differ where they have to; the last stays last."""
    last, values = example[-1], schema["items"].get("enum")
    if values:
        return [values[n % len(values)] for n in range(count)]
    if isinstance(last, str):
        return [f"{last}-{n}" for n in range(count)]
    keys = schema.get("x-kubernetes-list-map-keys", ())
    return [{**last, **dict.fromkeys(keys, f"n{n}")} for n in range(count)]


def _properties(count: int) -> dict[str, str]:
    return {f"key{n}": "value" for n in range(count)}


def with_value(document: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy of ``document`` with one value replaced, added or taken out."""
    changed = copy.deepcopy(document)
    at: Any = changed
    for part in path[:-1]:
        at = at[part]
    if value is MISSING:
        del at[path[-1]]
    else:
        at[path[-1]] = copy.deepcopy(value)
    return changed


def with_values(document: dict[str, Any], changes: dict[Path, Any]) -> dict[str, Any]:
    """A copy with several values changed, in their order."""
    result = document
    for path, value in changes.items():
        result = with_value(result, path, value)
    return result
