"""What both kinds share: the pydantic base, quantities as strings, references and conditions.

The Kubernetes API conventions want no floats in a spec, camelCase names and conditions keyed by
``type``. Percents, durations and sizes are therefore strings with a pattern; the helpers here turn
them into numbers once, at the edge of the pure packages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

GROUP = "petiole.dev"
VERSION = "v1alpha1"
REQUEST = f"{GROUP}/request"  # annotation: <verb>@<anything unique>

PERCENT_PATTERN = r"^(100|[0-9]{1,2}(\.[0-9]{1,2})?)%$"
# With at most 16 characters the longest is 82 years: dates and 64-bit nanoseconds can hold it.
DURATION_PATTERN = r"^([0-9]{1,4}[dh]|[0-9]{1,6}(m|s|ms))+$"
# The first number is not zero, which is enough to keep zero out.
POSITIVE_DURATION_PATTERN = (
    r"^([1-9][0-9]{0,3}[dh]|[1-9][0-9]{0,5}(m|s|ms))([0-9]{1,4}[dh]|[0-9]{1,6}(m|s|ms))*$"
)
# One number and one unit; the longest fits into 32 bits of milliseconds, which devices count in.
INTERVAL_PATTERN = r"^([1-9][0-9]{0,4}s|[1-9][0-9]{0,3}m|[1-9][0-9]{0,2}h|([1-3][0-9]|[1-9])d)$"
QUANTITY_PATTERN = r"^[1-9][0-9]{0,8}(Ki|Mi)?$"
COUNT_PATTERN = r"^[1-9][0-9]{0,8}(k|M)?$"
NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"

Percent = Annotated[str, StringConstraints(pattern=PERCENT_PATTERN, max_length=8)]
Duration = Annotated[str, StringConstraints(pattern=DURATION_PATTERN, max_length=16)]
PositiveDuration = Annotated[
    str, StringConstraints(pattern=POSITIVE_DURATION_PATTERN, max_length=16)
]
Interval = Annotated[str, StringConstraints(pattern=INTERVAL_PATTERN, max_length=6)]
Quantity = Annotated[str, StringConstraints(pattern=QUANTITY_PATTERN, max_length=12)]
Count = Annotated[str, StringConstraints(pattern=COUNT_PATTERN, max_length=12)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=63)]
SecretName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", min_length=1, max_length=253),
]
DataUri = Annotated[str, StringConstraints(pattern=r"^(file|pvc|s3)://.+$", max_length=1024)]
Uri = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+://.+$", max_length=1024)]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^ /?#]+[^ ]*$", max_length=1024)]

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "Ki": 1024, "Mi": 1024 * 1024}
_THOUSANDS = {"": 1, "k": 1000, "M": 1_000_000}


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule that the API server checks; pydantic does not.

    ``expression`` sees the object that declares the rule as ``self``. ``field_path`` is relative to
    it and starts with a dot. ``message`` says what is wanted, not what was found.
    """

    expression: str
    message: str
    field_path: str = ""


@dataclass(frozen=True, slots=True)
class Distinct:
    """Marks a list whose items differ: in ``key`` (a list map), without one as they are (a set).

    Server-side apply merges such a list item by item. Stands behind the ``Field`` in ``Annotated``.
    """

    key: str = ""

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401 - a type
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        return no_info_after_validator_function(self._refuse_twice, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        keys = {"x-kubernetes-list-map-keys": [self.key]} if self.key else {}
        kind = {"x-kubernetes-list-type": "map" if self.key else "set"}
        return handler(schema) | kind | keys

    def _refuse_twice(self, items: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        seen = [getattr(item, self.key) if self.key else item for item in items or ()]
        twice = next((item for at, item in enumerate(seen) if item in seen[:at]), None)
        if twice is not None:
            what = f"two items have the {self.key}" if self.key else "two items are"
            raise ValueError(f"{what} {twice!r}: give each once")
        return items


def _kubernetes_extensions(schema: dict[str, Any], model: type[Any]) -> None:
    """Put a model's rules into its JSON schema, for the CRD."""
    rules = [
        {"rule": rule.expression, "message": rule.message}
        | ({"fieldPath": rule.field_path} if rule.field_path else {})
        for rule in model.rules
    ]
    if rules:
        schema["x-kubernetes-validations"] = rules


class ApiModel(BaseModel):
    """Base of every object in a spec or status: camelCase on the wire.

    Unknown fields are ignored here: the API server has refused or pruned them, and a status written
    by a newer operator must still be readable.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        json_schema_extra=_kubernetes_extensions,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()


def fraction(percent: str) -> float:
    """``"12.5%"`` -> ``0.125``."""
    if not re.match(PERCENT_PATTERN, percent):
        raise ValueError(f"{percent!r} is not a percentage such as '5%'")
    return float(percent[:-1]) / 100.0


def seconds(duration: str) -> float:
    """``"1h30m"`` -> ``5400.0`` seconds."""
    if not re.match(DURATION_PATTERN, duration):
        raise ValueError(f"{duration!r} is not a duration such as '10m'")
    return sum(int(n) * _SECONDS[u] for n, u in re.findall(r"([0-9]+)(ms|s|m|h|d)", duration))


def octets(quantity: str) -> int:
    """``"64Ki"`` -> ``65536`` bytes."""
    match = re.match(r"^([1-9][0-9]{0,8})(Ki|Mi)?$", quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a size such as '64Ki'")
    return int(match[1]) * _BYTES[match[2] or ""]


def count(quantity: str) -> int:
    """``"12M"`` -> ``12_000_000``."""
    match = re.match(r"^([1-9][0-9]{0,8})(k|M)?$", quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a count such as '12M'")
    return int(match[1]) * _THOUSANDS[match[2] or ""]


class SecretKeyRef(ApiModel):
    """One key of a Secret in the object's namespace."""

    name: Annotated[SecretName, Field(description="Name of the Secret, in the object's namespace.")]
    key: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", min_length=1, max_length=253),
        Field(description="Key of the Secret that has the value."),
    ]


class Events(ApiModel):
    """Where CloudEvents about an object go, and the secret that signs them and what comes in."""

    sink: Annotated[
        HttpUrl | None,
        Field(
            description="URL that takes CloudEvents by POST. None: only what comes in is signed."
        ),
    ] = None
    secret_ref: Annotated[
        SecretKeyRef, Field(description="Signs what goes out; what comes in must be signed by it.")
    ]


LONGEST_MESSAGE = 2048  # characters
_END = 500  # characters of a longer one that are kept of its end: what to do stands there


def shortened(message: str) -> str:
    """Leave out the middle of a message that status has no room for."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    mark = " [...] "
    return message[: LONGEST_MESSAGE - len(mark) - _END] + mark + message[-_END:]


class Condition(ApiModel):
    """One kstatus-style condition. ``reason`` is CamelCase, ``message`` a sentence for a person."""

    type: Annotated[str, Field(max_length=64, description="Names the condition.")]
    status: Annotated[Literal["True", "False", "Unknown"], Field(description="Whether it holds.")]
    observed_generation: Annotated[
        int | None, Field(description="Generation of the object that it was judged by.")
    ] = None
    last_transition_time: Annotated[datetime, Field(description="When `status` changed last.")]
    reason: Annotated[str, Field(max_length=64, description="Why, in one CamelCase word.")]
    message: Annotated[str, Field(max_length=LONGEST_MESSAGE, description="Why, for a person.")] = (
        ""
    )


def set_condition(
    conditions: tuple[Condition, ...],
    type_: str,
    *,
    status: bool | None,
    reason: str,
    message: str,
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """Return ``conditions`` with one of them set; its time moves only when its status does.

    A message may be of any length: it can repeat what a failing step said.
    """
    word: Literal["True", "False", "Unknown"] = (
        "Unknown" if status is None else "True" if status else "False"
    )
    old = next((c for c in conditions if c.type == type_), None)
    since = old.last_transition_time if old is not None and old.status == word else now
    new = Condition(
        type=type_,
        status=word,
        observed_generation=generation,
        last_transition_time=since,
        reason=reason,
        message=shortened(message),
    )
    return tuple(sorted([c for c in conditions if c.type != type_] + [new], key=lambda c: c.type))
