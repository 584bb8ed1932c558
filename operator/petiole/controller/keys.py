"""What the work queue is about: one object of one kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Plural = Literal["tinymodels", "devicefleets"]


@dataclass(frozen=True, slots=True)
class Key:
    """An object by kind, namespace and name."""

    plural: Plural
    namespace: str
    name: str

    @classmethod
    def of(cls, plural: Plural, body: Mapping[str, Any]) -> Key:
        return cls(plural, body["metadata"]["namespace"], body["metadata"]["name"])

    @property
    def fleet(self) -> str:
        """The name that the gateway knows a fleet by."""
        return f"{self.namespace}.{self.name}"

    def __str__(self) -> str:
        return f"{self.plural.removesuffix('s')} {self.namespace}/{self.name}"
