"""What one pass works with: the observation, the time, and what follows from them at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from petiole.api.devicefleet import DeviceFleetSpec
from petiole.api.rollout import Stage

from .observed import FleetObserved
from .plan import Summary
from .planning import version


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

    def stage(self, index: int) -> Stage:
        """Return the stage at ``index``, or the last one when the spec has fewer by now."""
        return (self.spec.rollout.stages or ())[min(index, self.last_stage)]

    @property
    def last_stage(self) -> int:
        return len(self.spec.rollout.stages or ()) - 1


def look(observed: FleetObserved, now: datetime) -> Scene:
    wanted, obstacle = _wanted(observed)
    return Scene(observed, now, wanted, obstacle)


def _wanted(observed: FleetObserved) -> tuple[int, Obstacle | None]:
    model = observed.spec.model
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
            f"see `kubectl get tinymodel {model.name}`",
        )
    if version(observed, number) is None:
        listed = ", ".join(str(v.version) for v in observed.versions) or "none"
        return 0, Obstacle(
            "VersionMissing",
            f"TinyModel {model.name!r} has no version {number} (it has: {listed}); "
            "correct spec.model.version",
        )
    return number, None
