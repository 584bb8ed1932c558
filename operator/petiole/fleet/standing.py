"""Where one device stands with the target revision of its fleet. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from petiole.rollout.plan import Plan, Revision, Variant
from petiole.wire.messages import Phase, Reason, State


class Standing(StrEnum):
    """The fields of ``Counts``; every device is in exactly one."""

    PENDING = "pending"
    OFFERED = "offered"
    DOWNLOADING = "downloading"
    TRIAL = "trial"
    UPDATED = "updated"
    FAILED = "failed"
    REVERTED = "reverted"
    SILENT = "silent"
    INELIGIBLE = "ineligible"


IN_FLIGHT = (Standing.OFFERED, Standing.DOWNLOADING, Standing.TRIAL)


@dataclass(slots=True)
class Member:
    """A device in one rollout. What once happened to it stays."""

    device: str
    position: int
    granted_at: float | None = None
    released_at: float | None = None
    began: int | None = None
    attempt: int = 0
    retries: int = 0
    retry_at: float | None = None
    exposed: bool = False
    confirmed: bool = False
    failed: int | None = None

    def row(self, fleet: str, revision: int) -> dict[str, Any]:
        return {
            "fleet": fleet,
            "revision": revision,
            "device": self.device,
            "position": self.position,
            "granted_at": self.granted_at,
            "released_at": self.released_at,
            "began": self.began,
            "attempt": self.attempt,
            "retries": self.retries,
            "retry_at": self.retry_at,
            "exposed": self.exposed,
            "confirmed": self.confirmed,
            "failed": self.failed,
        }

    @property
    def finished(self) -> bool:
        return self.confirmed or self.failed is not None

    def observe(self, state: State | None, variant: Variant | None) -> bool:
        """Learn from a report; True when something changed."""
        if state is None or variant is None:
            return False
        before = (self.exposed, self.confirmed, self.failed)
        if state.active == variant.digest:
            self.exposed = True
            if state.phase in (Phase.IDLE, Phase.CONFIRMED):
                self.confirmed, self.failed = True, None
        if state.target == variant.digest and state.phase in (Phase.FAILED, Phase.ROLLEDBACK):
            # A rollback tells of a trial whose own report may have been lost.
            self.exposed = self.exposed or state.phase is Phase.ROLLEDBACK
            if state.reason is not Reason.HALTED:
                self.failed = int(state.reason)
        return before != (self.exposed, self.confirmed, self.failed)


@dataclass(frozen=True, slots=True)
class Clock:
    """``now`` and since when the gateway has been able to hear devices, in seconds since 1970."""

    now: float
    hearing_since: float


def misfit(revision: Revision, state: State) -> str:
    """Why the device can never take ``revision``, in words; empty when it can."""
    caps = state.caps
    variant = revision.variants.get(caps.target)
    if variant is None:
        return f"revision {revision.number} has no variant for target {caps.target!r}"
    if variant.size > caps.slot:
        return f"the artefact has {variant.size} bytes, the device's slot {caps.slot}"
    if variant.arena > caps.arena:
        return f"the model needs {variant.arena} bytes of arena, the device has {caps.arena}"
    return ""


def variant_for(revision: Revision | None, state: State | None) -> Variant | None:
    """Return the variant of ``revision`` that this device can take."""
    if revision is None or state is None or misfit(revision, state):
        return None
    return revision.variants[state.caps.target]


def standing(
    plan: Plan,
    withdrawn: bool,
    member: Member,
    state: State | None,
    seen_at: float | None,
    clock: Clock,
) -> Standing:
    """Classify one device. ``withdrawn``: the target is halted or being taken back."""
    if plan.target is None:
        return Standing.PENDING
    quiet = _quiet(plan, member, seen_at, clock)
    if state is None:
        return Standing.SILENT if quiet else Standing.PENDING
    variant = variant_for(plan.target, state)
    if variant is None:
        return Standing.INELIGIBLE if _admitted(plan, member) else Standing.PENDING
    if state.active == variant.digest:
        return _running(withdrawn, state, quiet)
    if withdrawn and member.exposed:
        return Standing.REVERTED
    if member.failed is not None:
        return Standing.FAILED
    if member.granted_at is None or withdrawn:
        return Standing.PENDING
    if quiet:
        return Standing.SILENT
    return _fetching(variant, state)


def _admitted(plan: Plan, member: Member) -> bool:
    """Within the stage: devices beyond it must not count towards its completion."""
    return plan.stage is None or member.position < plan.stage.limit


def _running(withdrawn: bool, state: State, quiet: bool) -> Standing:
    trial = state.phase is Phase.TRIAL
    if quiet and (trial or withdrawn):
        return Standing.SILENT
    return Standing.TRIAL if trial else Standing.UPDATED


def _fetching(variant: Variant, state: State) -> Standing:
    busy = {
        Phase.DOWNLOADING: Standing.DOWNLOADING,
        Phase.VERIFYING: Standing.DOWNLOADING,
        Phase.TRIAL: Standing.TRIAL,
    }
    if state.target != variant.digest:
        return Standing.OFFERED
    return busy.get(state.phase, Standing.OFFERED)


def _quiet(plan: Plan, member: Member, seen_at: float | None, clock: Clock) -> bool:
    """No report for too long, of a device that was asked to do something."""
    asked = member.granted_at
    if asked is None and seen_at is None and plan.stage and member.position < plan.stage.limit:
        asked = plan.stage.started_at.timestamp()
    if asked is None:
        return False
    last = max(asked, seen_at or 0.0, clock.hearing_since)
    return clock.now - last > plan.no_report_after_seconds
