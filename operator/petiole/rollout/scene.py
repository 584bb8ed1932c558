"""What one pass works with: the observation, the time, and what follows from them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from petiole.api.devicefleet import DeviceFleetSpec, DeviceFleetStatus, Kind, StageStatus
from petiole.api.rollout import Gate, Stage

from . import bundles, course, windows
from .gates import watching
from .observed import FleetObserved, Obstacle
from .plan import Summary
from .planning import version
from .tracks import KINDS, at_rest, track

INVALID = "InvalidObject"


@dataclass(frozen=True, slots=True)
class Scene:
    """One pass. ``wants``: numbers by kind; 0 where nothing is wanted, or an obstacle is."""

    observed: FleetObserved
    now: datetime
    wants: Mapping[Kind, int]
    obstacles: Mapping[Kind, Obstacle | None]

    def kind(self, status: DeviceFleetStatus) -> Kind:
        """Tell what is rolled out; at rest, what comes next: firmware before the model."""
        if status.mode != "Idle":
            return status.kind
        return "Firmware" if self.is_due(status, "Firmware") else "Model"

    def wanted(self, status: DeviceFleetStatus) -> int:
        return self.wants[self.kind(status)]

    def is_due(self, status: DeviceFleetStatus, kind: Kind) -> bool:
        """Tell whether another revision is wanted than the stable one and the one taken back."""
        wanted, revision = self.wants[kind], track(status, kind)
        return wanted not in (0, revision.failed) and revision != at_rest(wanted)

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

    def gates(self, status: DeviceFleetStatus) -> tuple[Gate, ...]:
        """Return the gates with the error rates that they may spend when all watch."""
        return watching(self.spec.rollout, status.kind)

    @property
    def invalid(self) -> bool:
        obstacle = self.obstacles["Model"]
        return obstacle is not None and obstacle.reason == INVALID

    def stage(self, at: StageStatus) -> Stage:
        """Return what the spec says about the stage ``at``."""
        return course.policy(self.spec.rollout, at, self.devices)

    def command(self, verb: str) -> str:
        """Return the line with which a person asks for ``verb``."""
        return f"`petiole {verb} {self.observed.name} -n {self.observed.namespace}`"


def look(observed: FleetObserved, now: datetime) -> Scene:
    found = {"Model": _model(observed), "Firmware": _firmware(observed)}
    try:
        windows.check(observed.spec.rollout.windows)
    except ValueError as error:
        found["Model"] = 0, Obstacle(INVALID, f"{error}; until then devices begin nothing")
        found["Firmware"] = 0, None
    return Scene(
        observed,
        now,
        wants={kind: found[kind][0] for kind in KINDS},
        obstacles={kind: found[kind][1] for kind in KINDS},
    )


def _model(observed: FleetObserved) -> tuple[int, Obstacle | None]:
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


def _firmware(observed: FleetObserved) -> tuple[int, Obstacle | None]:
    """Return the number of the bundle that is wanted. A plan needs a TinyModel for its samples."""
    bundle = observed.bundle
    if observed.spec.firmware is None or not observed.model_uid:
        return 0, None
    if bundle is None:
        return 0, observed.bundle_problem
    missing = bundles.lacking(bundle, observed.summary.boards if observed.summary else {})
    if missing:
        board, count = next(iter(missing.items()))
        more = f" and {len(missing) - 1} other classes" if len(missing) > 1 else ""
        return 0, Obstacle(
            "FirmwareLacksBoard",
            f"bundle {bundle.version!r} has no image for {board!r}, which {count} devices of the "
            f"fleet are{more}; build it for that board too, or let spec.selector leave them out",
        )
    return bundles.number(observed.status, bundle), None
