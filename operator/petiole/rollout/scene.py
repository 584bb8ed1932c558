"""What one pass works with: the observation, the time, and what follows from them at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from petiole.api.devicefleet import DeviceFleetSpec, StageStatus
from petiole.api.rollout import Gate, Stage

from . import course, windows
from .gates import shared
from .observed import FleetObserved
from .plan import Summary
from .planning import version

INVALID = "InvalidObject"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the wanted revision cannot be rolled out. ``reason`` is CamelCase."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One pass. ``wanted`` is 0 when there is an ``obstacle``."""

    observed: FleetObserved
    now: datetime
    wanted: int
    obstacle: Obstacle | None

    @property
    def spec(self) -> DeviceFleetSpec:
        return self.observed.spec

    @property
    def fresh(self) -> Summary | None:
        """The summary, if it answers the plan in status: an older one speaks of another stage."""
        summary = self.observed.summary
        if summary is None or summary.serial != self.observed.status.serial:
            return None
        return summary

    @property
    def devices(self) -> int:
        """Devices of the fleet, as far as they were ever counted."""
        summary = self.observed.summary
        return summary.devices if summary is not None else self.observed.status.counts.total

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The gates with the error rates that they may spend when all of them watch."""
        return shared(self.spec.rollout.gates, self.spec.rollout.false_stop)

    @property
    def invalid(self) -> bool:
        return self.obstacle is not None and self.obstacle.reason == INVALID

    def stage(self, at: StageStatus) -> Stage:
        """Return what the spec says about the stage ``at``."""
        return course.policy(self.spec.rollout, at, self.devices)

    def command(self, verb: str) -> str:
        """Return the line with which a person asks for ``verb``."""
        return f"`petiole {verb} {self.observed.name} -n {self.observed.namespace}`"


def look(observed: FleetObserved, now: datetime) -> Scene:
    wanted, obstacle = _wanted(observed)
    return Scene(observed, now, wanted, obstacle)


def _wanted(observed: FleetObserved) -> tuple[int, Obstacle | None]:
    model = observed.spec.model
    try:
        windows.check(observed.spec.rollout.windows)
    except ValueError as error:
        return 0, Obstacle(INVALID, f"{error}; until then devices begin nothing")
    if not observed.model_uid:
        return 0, Obstacle(
            "ModelMissing",
            f"there is no TinyModel {model.name!r} in namespace {observed.namespace!r}; create it "
            "or correct spec.model.name",
        )
    number = observed.latest if model.version == "Latest" else model.version
    if number == 0:
        return 0, Obstacle(
            "NoVersion",
            f"TinyModel {model.name!r} has no accepted version yet; "
            f"see `kubectl get tinymodel {model.name} -n {observed.namespace}`",
        )
    if version(observed, number) is None:
        listed = ", ".join(str(v.version) for v in observed.versions) or "none"
        return 0, Obstacle(
            "VersionMissing",
            f"TinyModel {model.name!r} has no version {number} (it has: {listed}); "
            "correct spec.model.version",
        )
    return number, None
