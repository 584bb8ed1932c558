"""Model and firmware: each has revisions of its own, and a fleet rolls out one of them at a time.

``status.kind`` says which while one is rolled out; at rest it is the model, to which firmware gives
way as soon as there is nothing to do for it.
"""

from __future__ import annotations

from petiole.api.devicefleet import DeviceFleetStatus, Kind, RevisionStatus, StageStatus

KINDS: tuple[Kind, ...] = ("Firmware", "Model")  # in the order of their turns


def other(kind: Kind) -> Kind:
    return "Firmware" if kind == "Model" else "Model"


def track(status: DeviceFleetStatus, kind: Kind) -> RevisionStatus:
    return status.revision if kind == "Model" else status.firmware


def current(status: DeviceFleetStatus) -> RevisionStatus:
    """Return the revisions of what is rolled out."""
    return track(status, status.kind)


def with_track(
    status: DeviceFleetStatus, kind: Kind, revision: RevisionStatus
) -> DeviceFleetStatus:
    return status.model_copy(update={"revision" if kind == "Model" else "firmware": revision})


def at_rest(stable: int) -> RevisionStatus:
    """Nothing is wanted but what is proven."""
    return RevisionStatus(target=stable, stable=stable)


def named(kind: Kind, number: int) -> str:
    """``"revision 3"`` of the model, ``"firmware 2"``."""
    return f"{'revision' if kind == 'Model' else 'firmware'} {number}"


def is_closed(revision: RevisionStatus) -> bool:
    """Tell whether what is wanted was taken back, or goes no further."""
    return revision.failed != 0 and revision.failed == revision.target


def ended(status: DeviceFleetStatus) -> DeviceFleetStatus:
    """Return to rest after a rollout; where devices keep what goes no further, to that."""
    kept = next((kind for kind in KINDS if track(status, kind).kept), None)
    return status.model_copy(
        update={
            "mode": "Idle" if kept is None else "Paused",
            "kind": kept or "Model",
            "stage": StageStatus(),
        }
    )


def epitaph(status: DeviceFleetStatus) -> str:
    """Say how what is wanted was taken back; empty if it was not."""
    for kind in KINDS:
        revision = track(status, kind)
        if is_closed(revision):
            said = [
                e.message for e in status.history if (e.kind, e.revision) == (kind, revision.failed)
            ]
            return said[-1] if said else f"{named(kind, revision.failed)} failed: {revision.why}"
    return ""
