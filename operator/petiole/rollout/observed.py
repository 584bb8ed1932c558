"""What ``reconcile`` of a DeviceFleet sees, and what it may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from petiole.api.devicefleet import DeviceFleetSpec, DeviceFleetStatus, FirmwareVariant
from petiole.api.tinymodel import VersionStatus

from .plan import Plan, Summary, Window


@dataclass(frozen=True, slots=True)
class Reference:
    """What an artefact's confidence looked like where it was judged; units of the wire's stats."""

    count: int
    confidence: tuple[int, ...]
    classes: tuple[int, ...]
    confidence_sum: int
    confidence_squares: int
    input_sum: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """A firmware bundle, whole and signed by a known key, whose images are in the store."""

    digest: str
    version: str
    variants: tuple[FirmwareVariant, ...]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a wanted revision cannot be rolled out. ``reason`` is CamelCase."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class FleetObserved:
    """Everything that one pass may look at."""

    namespace: str
    name: str
    uid: str
    generation: int
    spec: DeviceFleetSpec
    status: DeviceFleetStatus
    request: str = ""  # the petiole.dev/request annotation
    model_uid: str = ""  # empty: no such TinyModel
    latest: int = 0
    versions: tuple[VersionStatus, ...] = ()
    labels: tuple[str, ...] = ()  # of the TinyModel's classes
    summary: Summary | None = None
    gateway_problem: str = ""  # why the gateway did not answer, in words
    windows: tuple[Window, ...] = ()  # of the stable revision's artefacts
    references: Mapping[str, Reference] = field(default_factory=dict)  # by artefact digest
    reference_problem: str = ""  # why they cannot be read, in words
    bundle: Bundle | None = None  # of spec.firmware
    bundle_problem: Obstacle | None = None  # why that cannot be had


@dataclass(frozen=True, slots=True)
class PutPlan:
    """Hand the gateway its plan. Repeating it changes nothing."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes Event about the object."""

    type: str  # Normal | Warning
    reason: str
    message: str


FleetAction = PutPlan | Event


@dataclass(frozen=True, slots=True)
class FleetOutcome:
    """The status to write and what to do. ``again`` asks for another pass after so many seconds."""

    status: DeviceFleetStatus
    actions: tuple[FleetAction, ...]
    again: float | None
