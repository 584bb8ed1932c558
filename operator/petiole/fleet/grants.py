"""Which artefact a device may take. Pure: the whole policy of grants is the table in ``wanted``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from petiole.rollout.plan import Plan, Variant
from petiole.wire.messages import Artefact, Grant

from .devices import Device
from .member import Member
from .standing import variant_for


@dataclass(frozen=True, slots=True)
class Case:
    """All that the choice depends on.

    ``target`` and ``stable`` are the variants that fit this device; ``current`` is what it was
    granted last, ``running`` what it runs. ``granted``: it was let begin the target; ``retrying``:
    it gave it up since, and waits for another try.
    """

    mode: Literal["Idle", "Rolling", "Reverting", "Paused"]
    halted: bool
    target: Artefact | None
    stable: Artefact | None
    current: Artefact | None
    running: str | None
    exposed: bool = False
    failed: bool = False
    granted: bool = False
    retrying: bool = False


def wanted(case: Case) -> Artefact | None:
    """Choose the artefact of the device's grant; None: it keeps what it has."""
    if case.mode == "Idle":
        return case.stable or case.current
    if case.mode == "Reverting" or case.halted:
        return _withdrawn(case)
    if case.failed:
        return _resting(case)
    if case.retrying:
        return case.current
    return case.target if case.granted else _resting(case)


def _withdrawn(case: Case) -> Artefact | None:
    """Withhold a bad target; only the operator takes it back from those that run it already."""
    if not case.exposed:
        return _resting(case)
    if case.mode == "Reverting" and case.stable is not None:
        return case.stable
    return case.current


def _resting(case: Case) -> Artefact | None:
    """Not its turn: what it runs by an earlier grant, else the stable revision."""
    current = case.current
    if current and current.digest == case.running and not _is(current, case.target):
        return current
    return case.stable


def _is(a: Artefact, b: Artefact | None) -> bool:
    return b is not None and a.digest == b.digest


class Granter:
    """Writes the grants of one plan. Devices that are told the same share one object."""

    def __init__(self, plan: Plan) -> None:
        self.halted = False
        self._plan = plan
        self._targets = {v.digest for v in plan.target.variants.values()} if plan.target else set()
        self._artefacts: dict[str, Artefact] = {}
        self._grants: dict[tuple[Artefact | None, bool, int, int], Grant] = {}

    def choose(self, member: Member, device: Device) -> Artefact | None:
        """Return the artefact that the device may take."""
        plan, state = self._plan, device.state
        return wanted(
            Case(
                mode=plan.mode,
                halted=self.halted,
                target=self._artefact(variant_for(plan.target, state)),
                stable=self._artefact(variant_for(plan.stable, state)),
                current=device.grant.artefact if device.grant else None,
                running=state.active if state else None,
                exposed=member.exposed,
                failed=member.failed is not None,
                granted=member.granted_at is not None,
                retrying=member.retry_at is not None,
            )
        )

    def grant(self, given: Artefact | None, member: Member) -> Grant:
        """Return the grant that names ``given``."""
        asked = (
            given is not None and given.digest in self._targets and member.granted_at is not None
        )
        hold = asked and member.released_at is None
        # The next attempt is told when its time has come: a device tries as soon as it hears of it.
        attempt = member.attempt - (member.retry_at is not None)
        shadow = self._plan.shadow if asked else 0
        key = (given, hold, max(attempt, 0) if asked else 0, shadow)
        grant = self._grants.get(key)
        if grant is None:
            grant = self._grants[key] = Grant(
                serial=self._plan.serial,
                fleet=self._plan.fleet,
                interval=round(self._plan.interval_seconds * 1000),
                samples=self._plan.samples_per_day,
                artefact=given,
                hold=hold,
                attempt=key[2],
                shadow=shadow,
            )
        return grant

    def _artefact(self, variant: Variant | None) -> Artefact | None:
        if variant is None:
            return None
        known = self._artefacts.get(variant.digest)
        if known is None:
            known = Artefact(variant.digest, variant.size, variant.block_size)
            self._artefacts[variant.digest] = known
        return known


def same(old: Grant | None, new: Grant) -> bool:
    """Equal but for the serial: a new plan alone is no reason to write to every device."""
    return old is new or (
        old is not None
        and old.artefact == new.artefact
        and (old.hold, old.attempt, old.shadow) == (new.hold, new.attempt, new.shadow)
        and (old.fleet, old.interval, old.samples) == (new.fleet, new.interval, new.samples)
    )
