"""From status to the plan that the gateway gets. The plan is a function of what is written down."""

from __future__ import annotations

import hashlib

from petiole.api.base import seconds
from petiole.api.devicefleet import DeviceFleetStatus, Kind
from petiole.api.tinymodel import VersionStatus

from . import bundles, stages
from .gates import watching
from .observed import FleetObserved
from .plan import Image, Plan, Revision, StagePlan, Variant
from .tracks import current, other, track


def version(observed: FleetObserved, number: int) -> VersionStatus | None:
    return next((v for v in observed.versions if v.version == number), None)


def digests(
    observed: FleetObserved, status: DeviceFleetStatus, kind: Kind, number: int
) -> tuple[str, ...]:
    """Digests of all that a device may run of a revision; empty when nothing lists it any more."""
    try:
        found = _revision(observed, status, kind, number)
    except LookupError:
        return ()
    return tuple(sorted(image.digest for image in found.images)) if found is not None else ()


def numbered(observed: FleetObserved, status: DeviceFleetStatus) -> tuple[DeviceFleetStatus, Plan]:
    """Return the plan of ``status`` and the status with its serial and hash.

    Raises ``LookupError`` when nothing lists a revision any more that the plan must name: the
    gateway then keeps the plan it has, which is safer than one with a hole.
    """
    draft = _draft(observed, status)
    content = draft.model_copy(update={"serial": 0}).model_dump_json(by_alias=True)
    plan_hash = hashlib.sha256(content.encode()).hexdigest()[:16]
    # A status restored from a backup is behind the gateway, which refuses serials that go back.
    held = observed.summary.serial if observed.summary is not None else 0
    if plan_hash == status.plan_hash and held <= status.serial:
        return status, draft
    serial = max(status.serial, held) + 1
    status = status.model_copy(update={"serial": serial, "plan_hash": plan_hash})
    return status, draft.model_copy(update={"serial": serial})


def _draft(observed: FleetObserved, status: DeviceFleetStatus) -> Plan:
    spec, rollout = observed.spec, observed.spec.rollout
    kind, rest = status.kind, other(status.kind)
    revision = current(status)
    halted = _halted(status)
    resting = track(status, rest)
    return Plan(
        fleet=f"{observed.namespace}.{observed.name}",
        serial=status.serial,
        selector=spec.selector.match_labels,
        samples_path=f"samples/{observed.model_uid}",
        kind=kind,
        target=_revision(observed, status, kind, revision.target),
        stable=_revision(observed, status, kind, revision.stable),
        # Who has what goes no further keeps it, as the others keep what they have.
        other=None if resting.kept else _revision(observed, status, rest, resting.stable),
        stage=_stage(status),
        mode=status.mode,
        halted=halted,
        halted_digests=(
            *digests(observed, status, rest, resting.failed),
            *(d for number in halted for d in digests(observed, status, kind, number)),
        ),
        gates=watching(rollout, kind),
        stratify_by=rollout.stratify_by,
        cluster_by=rollout.cluster_by,
        max_in_flight=rollout.pace.max_in_flight,
        per_minute=rollout.pace.per_minute,
        disruption=rollout.disruption,
        windows=rollout.windows,
        retries=rollout.retries,
        attempt=status.attempt,
        shadow=_shadow(observed, status),
        no_report_after_seconds=seconds(rollout.no_report_after),
        interval_seconds=seconds(spec.monitoring.interval),
        samples_per_day=spec.monitoring.samples_per_day,
    )


def _revision(
    observed: FleetObserved, status: DeviceFleetStatus, kind: Kind, number: int
) -> Revision | None:
    if number == 0:
        return None
    variants = _models(observed, number) if kind == "Model" else _firmware(observed, status, number)
    return Revision(kind=kind, number=number, variants=variants)


def _models(observed: FleetObserved, number: int) -> dict[str, Variant]:
    found = version(observed, number)
    if found is None:
        raise LookupError(f"TinyModel {observed.spec.model.name!r} no longer lists {number}")
    return {v.target: Variant(digest=v.digest, size=v.size, arena=v.arena) for v in found.variants}


def _firmware(
    observed: FleetObserved, status: DeviceFleetStatus, number: int
) -> dict[str, Variant]:
    found = bundles.find(status, number)
    if found is None:
        raise LookupError(f"DeviceFleet {observed.name!r} no longer knows firmware {number}")
    return {
        v.target: Variant(
            digest=v.a.digest, size=v.a.size, b=Image(digest=v.b.digest, size=v.b.size)
        )
        for v in found.variants
    }


def _stage(status: DeviceFleetStatus) -> StagePlan | None:
    stage = status.stage
    if status.mode == "Idle" or stage.started_at is None:
        return None
    return StagePlan(
        index=stage.index, name=stage.name, limit=stage.limit, started_at=stage.started_at
    )


def _shadow(observed: FleetObserved, status: DeviceFleetStatus) -> int:
    """Return how many inputs to compare on; a proven revision that goes back needs none."""
    shadow = observed.spec.rollout.shadow
    return 0 if shadow is None or status.stage.rollback else shadow.inferences


def _halted(status: DeviceFleetStatus) -> tuple[int, ...]:
    revision = current(status)
    halted = {revision.failed}
    if status.mode != "Idle" and stages.failure(status.gates) is not None:
        halted.add(revision.target)
    return tuple(sorted(halted - {0}))
