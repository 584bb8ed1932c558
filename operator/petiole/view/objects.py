"""DeviceFleets and TinyModels as they were read, typed, for whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from petiole.api.base import ApiModel
from petiole.api.devicefleet import DeviceFleetSpec, DeviceFleetStatus
from petiole.api.tinymodel import TinyModelSpec, TinyModelStatus

BEHIND = "The operator has not looked at the newest spec yet: does it run?"


@dataclass(frozen=True, slots=True)
class Seen:
    """What both kinds have."""

    namespace: str
    name: str
    generation: int
    spec: ApiModel
    status: DeviceFleetStatus | TinyModelStatus
    kind: ClassVar[str]

    @property
    def full_name(self) -> str:
        """Name it as the gateway does."""
        return f"{self.namespace}.{self.name}"

    @property
    def title(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def message(self) -> str:
        """Where it stands, as far as the operator has looked."""
        return BEHIND if self.behind else self.status.message

    @property
    def behind(self) -> bool:
        return self.status.observed_generation != self.generation

    def holds(self, condition: str) -> bool:
        """Tell whether the status has a condition that is True."""
        return any(c.type == condition and c.status == "True" for c in self.status.conditions)


@dataclass(frozen=True, slots=True)
class Fleet(Seen):
    """A DeviceFleet."""

    spec: DeviceFleetSpec
    status: DeviceFleetStatus
    kind: ClassVar[str] = "DeviceFleet"

    @property
    def model(self) -> str:
        """Full name of the model that it follows."""
        return f"{self.namespace}.{self.spec.model.name}"

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read an object. Raises ValidationError, or KeyError where it is none."""
        status = DeviceFleetStatus.model_validate(body.get("status") or {})
        return cls(*_place(body), DeviceFleetSpec.model_validate(body["spec"]), status)


@dataclass(frozen=True, slots=True)
class Model(Seen):
    """A TinyModel."""

    spec: TinyModelSpec
    status: TinyModelStatus
    kind: ClassVar[str] = "TinyModel"

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read an object. Raises ValidationError, or KeyError where it is none."""
        status = TinyModelStatus.model_validate(body.get("status") or {})
        return cls(*_place(body), TinyModelSpec.model_validate(body["spec"]), status)


def _place(body: Mapping[str, Any]) -> tuple[str, str, int]:
    meta = body["metadata"]
    return meta["namespace"], meta["name"], meta["generation"]
