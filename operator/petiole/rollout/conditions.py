"""Conditions and the one-line message of a DeviceFleet.

``Ready``, ``Reconciling`` and ``Stalled`` follow kstatus: Reconciling says that work is going on,
Stalled that a person has to act, Ready that what is asked for runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from petiole.api.base import Condition, set_condition
from petiole.api.devicefleet import DeviceFleetStatus

from . import bundles, stages
from .drifting import regression
from .lifecycle import by_reason
from .plan import Summary
from .scene import Scene
from .tracks import current, epitaph, named, other, track
from .waiting import gateway_help, progress

REFERENCE = "ReferenceReadable"
REGRESSED = "Regressed"


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition before it has a time. ``status`` None is Unknown."""

    type: str
    status: bool | None
    reason: str
    message: str


def conditions(scene: Scene, status: DeviceFleetStatus) -> tuple[Condition, ...]:
    """Set all conditions; a transition time moves only when a status does."""
    result = status.conditions
    for finding in (
        *_kstatus(scene, status),
        _degraded(scene, status),
        _drifted(status),
        _regressed(scene, status),
        _gateway(scene),
        _reference(scene, status),
    ):
        if finding is None:
            continue
        result = set_condition(
            result,
            finding.type,
            status=finding.status,
            reason=finding.reason,
            message=finding.message,
            generation=scene.observed.generation,
            now=scene.now,
        )
    return result


def message(scene: Scene, status: DeviceFleetStatus) -> str:
    """Say in one line where the fleet stands."""
    revision = current(status)
    what = named(status.kind, revision.target)
    if status.mode == "Rolling":
        return f"Rolling out {what}, stage {status.stage.name}: {progress(status)}"
    if status.mode == "Paused" and status.stage.name:
        return f"Paused {what}, stage {status.stage.name}: {progress(status)}"
    if status.mode == "Reverting":
        return f"Reverting {what} to {revision.stable}{_because(status)}"
    if said := epitaph(status):
        return said
    if revision.stable:
        counts = status.counts
        runs = f"{counts.updated} of {counts.total} devices{_firmware(status)}"
        return f"Revision {revision.stable} runs on {runs}"
    obstacle = scene.obstacles["Model"]
    return obstacle.message if obstacle is not None else "Nothing is rolled out yet"


def _firmware(status: DeviceFleetStatus) -> str:
    found = bundles.find(status, status.firmware.stable)
    if found is None:
        return ""
    gave_up = f", which {status.gave_up} of them gave up" if status.gave_up else ""
    return f"; their firmware is {found.number} ({found.version}){gave_up}"


def _because(status: DeviceFleetStatus) -> str:
    failed = stages.failure(status.gates)
    return f": {failed.message}" if failed is not None else ""


def _kstatus(scene: Scene, status: DeviceFleetStatus) -> tuple[Finding, ...]:
    waiting = status.waiting_for
    reason, text = (waiting.reason, waiting.message) if waiting else ("AsAsked", status.message)
    moving = status.mode in ("Rolling", "Reverting") or reason in ("PlanNotTaken", "NoVersion")
    stuck = reason in _STUCK
    ready = waiting is None and status.mode == "Idle"
    found = (
        Finding("Ready", ready, "Ready" if ready else reason, text),
        Finding("Reconciling", moving and not stuck, reason, text if moving else ""),
    )
    obstacle = scene.obstacles["Firmware"]
    if obstacle is not None and not stuck:  # whatever goes on beside it
        return *found, Finding("Stalled", True, obstacle.reason, obstacle.message)
    return *found, Finding("Stalled", stuck, reason, text if stuck else "")


_STUCK = frozenset(
    {
        *("ModelMissing", "VersionMissing", "InvalidObject"),
        *("RevisionFailed", "GateFailed", "Inconclusive", "Stopped"),
        *("FirmwareMissing", "FirmwareDamaged", "FirmwareKeyUnknown", "FirmwareUnreadable"),
        "FirmwareLacksBoard",
    }
)


def _degraded(scene: Scene, status: DeviceFleetStatus) -> Finding | None:
    failed = stages.failure(status.gates)
    if said := epitaph(status):
        return Finding("Degraded", True, "RevisionFailed", said)
    if failed is not None and status.mode != "Idle":
        return Finding("Degraded", True, "GateFailed", f"gate {failed.name!r}: {failed.message}")
    if status.counts.failed + status.gave_up == 0:
        return Finding("Degraded", False, "AsExpected", "")
    if scene.fresh is None:
        return None  # the reasons are known to the gateway only: keep what was said
    return Finding("Degraded", True, "DevicesFailed", refusals(scene.fresh, status))


def refusals(summary: Summary, status: DeviceFleetStatus) -> str:
    """``"2 devices refused: 2 golden-mismatch"``, the most frequent reason first.

    And ``"1 devices gave up firmware 4: 1 crashed"``, of the kind that is not rolled out.
    """
    parts = []
    if summary.counts.failed:
        found = by_reason(summary.reasons) or "no reason given"
        parts.append(f"{summary.counts.failed} devices refused: {found}")
    if status.gave_up:
        kind = other(status.kind)
        what = named(kind, track(status, kind).stable)
        parts.append(f"{status.gave_up} devices gave up {what}: {by_reason(summary.gave_up)}")
    return "; ".join(parts)


def _drifted(status: DeviceFleetStatus) -> Finding:
    drift = status.drift
    known = {"Drifted": True, "Stable": False}.get(drift.state)
    return Finding("Drifted", known, drift.state, drift.message)


def _regressed(scene: Scene, status: DeviceFleetStatus) -> Finding | None:
    """Tell of a worse revision, also when it was taken back, until another one is rolled out."""
    found = regression(scene.observed, status)
    if found is None:
        return None
    quiet = not found.found and not found.message
    if quiet and all(c.type != REGRESSED for c in status.conditions):
        return None
    return Finding(REGRESSED, found.found, found.reason, found.message)


def _gateway(scene: Scene) -> Finding:
    observed = scene.observed
    if observed.gateway_problem:
        return Finding(
            "GatewayReachable", False, "Unreachable", gateway_help(observed.gateway_problem)
        )
    if observed.summary is None:
        return Finding("GatewayReachable", None, "NotAsked", "the gateway has no plan yet")
    problems = list(observed.summary.problems)
    if observed.summary.unknown_devices:
        problems.append(
            f"{observed.summary.unknown_devices} devices report that are not registered"
        )
    return Finding(
        "GatewayReachable", True, "Impaired" if problems else "Reachable", "; ".join(problems)
    )


def _reference(scene: Scene, status: DeviceFleetStatus) -> Finding | None:
    """Tell of a reference that cannot be read, and when it can be again; else nothing."""
    problem = scene.observed.reference_problem
    if problem:
        text = "Rollouts go on; drift is not judged until it can be read."
        return Finding(REFERENCE, False, "ReferenceUnreadable", f"{problem} {text}")
    if scene.observed.gateway_problem or all(c.type != REFERENCE for c in status.conditions):
        return None
    return Finding(REFERENCE, True, "ReferenceReadable", "")
