"""What a device may take. Pure: the whole policy of grants is the table in ``wanted``.

A plan rolls out a model or firmware; of the other kind devices are told what is at rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from petiole.api.devicefleet import Kind
from petiole.rollout.plan import Image, Plan, Revision
from petiole.wire.messages import Artefact, Firmware, Grant, Patch, State

from .devices import Device
from .member import Member
from .standing import running, variant_for


@dataclass(frozen=True, slots=True)
class Given:
    """What a grant names of one kind: a model, or firmware for slot A and for slot B."""

    images: tuple[Artefact, ...]

    def has(self, digest: str | None) -> bool:
        return any(image.digest == digest for image in self.images)

    def missing(self, ready: Callable[[str], bool]) -> str | None:
        """Digest of an image whose blocks are not at the broker yet."""
        return next((image.digest for image in self.images if not ready(image.digest)), None)


def given(kind: Kind, grant: Grant | None) -> Given | None:
    """Return what a grant names of ``kind``."""
    if grant is None:
        return None
    if kind == "Model":
        return Given((grant.artefact,)) if grant.artefact else None
    return Given((grant.firmware.a, grant.firmware.b)) if grant.firmware else None


@dataclass(frozen=True, slots=True)
class Case:
    """All that the choice depends on.

    ``target`` and ``stable`` are the variants that fit this device; ``current`` is what it was
    granted last, ``running`` what it runs. ``granted``: it was let begin the target; ``retrying``:
    it gave it up since, and waits for another try.
    """

    mode: Literal["Idle", "Rolling", "Reverting", "Paused"]
    halted: bool
    target: Given | None
    stable: Given | None
    current: Given | None
    running: str | None
    exposed: bool = False
    failed: bool = False
    granted: bool = False
    retrying: bool = False


def wanted(case: Case) -> Given | None:
    """Choose what the device's grant names; None: it keeps what it has."""
    if case.mode == "Idle":
        return case.stable or case.current
    if case.mode == "Reverting" or case.halted:
        return _withdrawn(case)
    if case.failed:
        return _resting(case)
    if case.retrying:
        return case.current
    return case.target if case.granted else _resting(case)


def _withdrawn(case: Case) -> Given | None:
    """Withhold a bad target; only the operator takes it back from those that run it already."""
    if not case.exposed:
        return _resting(case)
    if case.mode == "Reverting" and case.stable is not None:
        return case.stable
    return case.current


def _resting(case: Case) -> Given | None:
    """Not its turn: what it runs by an earlier grant, else the stable revision."""
    current = case.current
    if current and current.has(case.running) and not _is(current, case.target):
        return current
    return case.stable


def _is(a: Given, b: Given | None) -> bool:
    return b is not None and b.has(a.images[0].digest)


class Granter:
    """Writes the grants of one plan. Devices that are told the same share one object."""

    def __init__(self, plan: Plan) -> None:
        self.halted = False
        self.other_kind: Kind = "Firmware" if plan.kind == "Model" else "Model"
        self._plan = plan
        self._targets = {image.digest for image in plan.target.images} if plan.target else set()
        self._patches: Mapping[str, Patch] = {}
        self._given: dict[str, Given] = {}
        self._grants: dict[tuple[Given | None, Given | None, bool, int, int], Grant] = {}

    def use(self, patches: Mapping[str, Patch]) -> None:
        """Name these patches, by the digest of what they make, from now on."""
        if patches != self._patches:
            self._patches, self._given = patches, {}

    def choose(self, member: Member, device: Device) -> Given | None:
        """Return what the device may take of the kind that the plan rolls out."""
        plan, state = self._plan, device.state
        return wanted(
            Case(
                mode=plan.mode,
                halted=self.halted,
                target=self._for(plan.target, state),
                stable=self._for(plan.stable, state),
                current=given(plan.kind, device.grant),
                running=running(plan.kind, state) if state else None,
                exposed=member.exposed,
                failed=member.failed is not None,
                granted=member.granted_at is not None,
                retrying=member.retry_at is not None,
            )
        )

    def rest(self, device: Device) -> Given | None:
        """Return what the device shall have of the other kind."""
        return self._for(self._plan.other, device.state) or given(self.other_kind, device.grant)

    def grant(self, chosen: Given | None, rest: Given | None, member: Member) -> Grant:
        """Return the grant that names ``chosen``, and ``rest`` of the other kind."""
        asked = (
            chosen is not None
            and chosen.images[0].digest in self._targets
            and member.granted_at is not None
        )
        hold = asked and member.released_at is None
        # The next attempt is told when its time has come: a device tries as soon as it hears of it.
        attempt = max(member.attempt - (member.retry_at is not None), 0) if asked else 0
        shadow = self._plan.shadow if asked and self._plan.kind == "Model" else 0
        key = (chosen, rest, hold, attempt, shadow)
        grant = self._grants.get(key)
        if grant is None:
            written = self._written(chosen, rest, hold=hold, attempt=attempt)
            grant = self._grants[key] = replace(written, shadow=shadow)
        return grant

    def _written(
        self, chosen: Given | None, rest: Given | None, *, hold: bool, attempt: int
    ) -> Grant:
        plan = self._plan
        grant = Grant(
            serial=plan.serial,
            fleet=plan.fleet,
            interval=round(plan.interval_seconds * 1000),
            samples=plan.samples_per_day,
        )
        if plan.kind == "Model":
            model, firmware = chosen, _firmware(rest)
            grant = replace(grant, hold=hold, attempt=attempt)
        else:
            model, firmware = rest, _firmware(chosen, hold=hold, attempt=attempt)
        return replace(grant, artefact=model.images[0] if model else None, firmware=firmware)

    def _for(self, revision: Revision | None, state: State | None) -> Given | None:
        variant = variant_for(revision, state)
        if variant is None:
            return None
        known = self._given.get(variant.digest)
        if known is None:
            images = map(self._artefact, variant.images)
            known = self._given[variant.digest] = Given(tuple(images))
        return known

    def _artefact(self, image: Image) -> Artefact:
        patch = self._patches.get(image.digest)
        return Artefact(image.digest, image.size, image.block_size, patch)


def _firmware(given: Given | None, *, hold: bool = False, attempt: int = 0) -> Firmware | None:
    if given is None:
        return None
    a, b = given.images
    return Firmware(a, b, hold=hold, attempt=attempt)


def same(old: Grant | None, new: Grant, state: State | None) -> bool:
    """Equal but for what is no reason to write to every device.

    That is the serial of the plan, and another patch for a device that has begun.
    """
    if old is None or old is new:
        return old is new
    old = replace(old, serial=new.serial)
    if old == new or state is None or new.artefact is None:
        return old == new
    begun = new.artefact.digest in (state.active, state.target)
    return begun and _without_patch(old) == _without_patch(new)


def _without_patch(grant: Grant) -> Grant:
    model = grant.artefact
    return grant if model is None else replace(grant, artefact=replace(model, patch=None))
