"""Where one device stands with the target revision of its fleet. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from petiole.api.devicefleet import Kind
from petiole.rollout.plan import Plan, Revision, Variant
from petiole.wire.messages import Phase, Reason, State

from .devices import Device

if TYPE_CHECKING:
    from .member import Member


class Standing(StrEnum):
    """The fields of ``Counts``; every device is in exactly one."""

    PENDING = "pending"
    OFFERED = "offered"
    DOWNLOADING = "downloading"
    TRIAL = "trial"
    READY = "ready"
    UPDATED = "updated"
    FAILED = "failed"
    REVERTED = "reverted"
    SILENT = "silent"
    INELIGIBLE = "ineligible"


_GIVEN_UP = (Phase.FAILED.word, Phase.ROLLEDBACK.word)
IN_FLIGHT = (Standing.OFFERED, Standing.DOWNLOADING, Standing.TRIAL)


@dataclass(frozen=True, slots=True)
class Clock:
    """``now`` and since when the gateway has been able to hear devices, in seconds since 1970."""

    now: float
    hearing_since: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan means for standings. ``limit``: places below it are within the stage.

    ``withdrawn``: the target is halted or being taken back. ``rolling``: devices may begin.
    ``watches``: devices that keep the target must go on reporting.
    """

    plan: Plan
    withdrawn: bool
    rolling: bool
    limit: int
    watches: bool

    @classmethod
    def of(cls, plan: Plan, *, halted: bool) -> Terms:
        staged = plan.target is not None and plan.stage is not None
        withdrawn = plan.mode == "Reverting" or halted
        alive = any(gate.outcome == "Alive" for gate in plan.gates)
        return cls(
            plan=plan,
            withdrawn=withdrawn,
            rolling=staged and plan.mode == "Rolling" and not halted,
            limit=plan.stage.limit if plan.stage else 0,
            watches=alive and staged and not withdrawn,
        )


def running(kind: Kind, state: State) -> str | None:
    """Digest of the model, or of the firmware image, that the device runs."""
    if kind == "Model":
        return state.active
    return state.firmware.active if state.firmware else None


def spare(kind: Kind, state: State) -> str | None:
    """Digest of the model, or of the firmware image, in the slot that the device does not run."""
    if kind == "Model":
        return state.standby
    return state.firmware.standby if state.firmware else None


def tries_firmware(state: State) -> bool:
    """Tell whether the device reset into firmware that it has not confirmed yet."""
    running = state.firmware.active if state.firmware else None
    return state.phase is Phase.TRIAL and running is not None and state.target == running


def misfit(revision: Revision, state: State) -> str:
    """Why the device can never take ``revision``, in words; empty when it can."""
    caps = state.caps
    variant = revision.variants.get(caps.target)
    if revision.kind == "Firmware" and not caps.firmware:
        return "it takes no firmware: it was provisioned without firmware slots"
    if variant is None:
        what = "firmware" if revision.kind == "Firmware" else "revision"
        return f"{what} {revision.number} has no variant for target {caps.target!r}"
    if revision.kind == "Firmware":
        size = _largest(variant)
        fits = size <= caps.firmware
        return "" if fits else f"the image has {size} bytes, its firmware slots {caps.firmware}"
    if variant.size > caps.slot:
        return f"the artefact has {variant.size} bytes, the device's slot {caps.slot}"
    if variant.arena > caps.arena:
        return f"the model needs {variant.arena} bytes of arena, the device has {caps.arena}"
    return ""


def variant_for(revision: Revision | None, state: State | None) -> Variant | None:
    """Return the variant of ``revision`` that this device can take."""
    if revision is None or state is None:
        return None
    caps = state.caps
    variant = revision.variants.get(caps.target)
    if variant is None:
        return None
    if revision.kind == "Firmware":
        return variant if _largest(variant) <= caps.firmware else None
    return variant if variant.size <= caps.slot and variant.arena <= caps.arena else None


def _largest(variant: Variant) -> int:
    return max(image.size for image in variant.images)


def aside(plan: Plan, state: State) -> bool:
    """Tell whether phase and target of the report are of what stays, not of the target's kind."""
    if state.target is None or plan.other is None:
        return False
    other = plan.other.variants.get(state.caps.target)
    return other is not None and other.has(state.target)


def gave_up(plan: Plan, device: Device) -> str:
    """Why the device gave up what it shall have of the other kind; empty if it did not.

    Its history tells, because it says no more of it while it is busy with the target.
    """
    state, other = device.state, plan.other
    variant = other.variants.get(state.caps.target) if state is not None and other else None
    if state is None or other is None or variant is None or variant.has(running(other.kind, state)):
        return ""
    ended = (e for e in reversed(device.history) if e["phase"] in _GIVEN_UP)
    ours = (str(e["reason"]) for e in ended if variant.has(e["target"]))
    return next((reason for reason in ours if reason != Reason.HALTED.word), "")


def standing(
    terms: Terms, member: Member, state: State | None, variant: Variant | None
) -> tuple[Standing, bool]:
    """Classify one device; and whether it is asked to do something, so that silence counts."""
    plan = terms.plan
    if plan.target is None:
        return Standing.PENDING, False
    within = plan.stage is None or member.place < terms.limit
    if state is None:
        return Standing.PENDING, member.granted_at is not None or (
            within and plan.stage is not None
        )
    if variant is None:
        return (Standing.INELIGIBLE if within else Standing.PENDING), False
    if variant.has(running(plan.kind, state)):
        trial = state.phase is Phase.TRIAL and not aside(plan, state)
        return (Standing.TRIAL if trial else Standing.UPDATED), trial or terms.withdrawn
    if terms.withdrawn and member.exposed:
        return Standing.REVERTED, False
    if member.failed is not None:
        return Standing.FAILED, False
    if member.granted_at is None or member.retry_at is not None or terms.withdrawn:
        return Standing.PENDING, False
    found = _fetching(member, state, variant)
    return found, found is not Standing.READY


def _fetching(member: Member, state: State, variant: Variant) -> Standing:
    if not variant.has(state.target) or state.attempt < member.attempt:
        return Standing.OFFERED
    match state.phase:
        case Phase.DOWNLOADING | Phase.VERIFYING:
            return Standing.DOWNLOADING
        case Phase.SHADOW | Phase.TRIAL:
            return Standing.TRIAL
        case Phase.READY if member.released_at is None:
            return Standing.READY
        case _:
            return Standing.OFFERED
