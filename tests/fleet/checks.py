"""What must hold of a fleet after every step, whatever was done to it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from hypothesis.stateful import RuleBasedStateMachine, invariant

from petiole.fleet.devices import Device
from petiole.fleet.fleet import Outcome
from petiole.fleet.grants import given
from petiole.fleet.member import Member
from petiole.fleet.standing import variant_for
from petiole.rollout import windows
from petiole.wire import messages as wire

from .oracle import Recount, disagreements, group, order, stands, target_for
from .world import OTHER, World, rolling


class Checks(RuleBasedStateMachine):
    """``begun``: when devices were let begin, as the test saw it."""

    steps = 0  # of all machines, each counted by an invariant after it

    def __init__(self) -> None:
        super().__init__()
        self.world = World(rolling(2, 4))
        self.begun: list[float] = []
        self.frozen: dict[str, int] = {}

    def checked_turn(self) -> Outcome:
        world = self.world
        members = world.fleet.members
        before = {m.id: (m.granted_at, m.retry_at) for m in members.values()}
        held = {name for name in world.devices if world.terms(name)[0]}
        found = Recount(world.fleet)
        held -= {m.id for m in found.flying}
        ready = {
            m.id for m, where in zip(found.order, found.stands, strict=True) if where == "ready"
        }
        outcome = world.turn()
        begun = [  # also one that tries again at the very time at which it began
            m for m in members.values()
            if m.retry_at is None and (m.granted_at, None) != before.get(m.id)
        ]  # fmt: skip
        released = [
            members[d.id] for d, g in outcome.grants
            if d.id in held and not world.terms(d.id)[0] and self.targeted(g)
            and members[d.id].granted_at is not None and members[d.id] not in begun
        ]  # fmt: skip
        self.begun += [world.now] * len(begun)
        if begun or released:
            self.check_beginners(begun, released, ready)
        for device, grant in outcome.grants:
            self.check_rest(device, grant)
            if self.targeted(grant) and (world.fleet.halted or outcome.new_halt):
                assert members[device.id].exposed, "a halted target is granted to nobody new"
        if not world.fleet.roster.stale:
            self.check_silence()
            self.check_no_place_is_left_empty()
        return outcome

    def target_digests(self) -> set[str]:
        target = self.world.plan.target
        return {image.digest for image in target.images} if target else set()

    def targeted(self, grant: wire.Grant) -> bool:
        """Tell whether a grant names the target."""
        named = given(self.world.plan.kind, grant)
        return named is not None and named.images[0].digest in self.target_digests()

    def check_rest(self, device: Device, grant: wire.Grant) -> None:
        """What is not rolled out is at rest: no device is told to wait with it or to try again."""
        kind, other = OTHER[self.world.plan.kind], self.world.plan.other
        rest = given(kind, grant)
        variant = variant_for(other, device.state)
        if variant is not None:
            assert rest is not None
            assert [i.digest for i in rest.images] == [i.digest for i in variant.images]
        if kind == "Model":
            assert (grant.hold, grant.attempt) == (False, 0)
        elif grant.firmware is not None:
            assert (grant.firmware.hold, grant.firmware.attempt) == (False, 0)

    def check_beginners(
        self, begun: list[Member], released: list[Member], ready: Collection[str]
    ) -> None:
        """``ready``: those that had the target and waited; silent ones have their places."""
        world, plan, fleet = self.world, self.world.plan, self.world.fleet
        when = datetime.fromtimestamp(world.now, UTC)
        found = Recount(fleet)
        assert plan.mode == "Rolling"
        assert not fleet.halted
        assert plan.stage is not None
        assert {m.id for m in begun} <= {m.id for m in order(fleet)[: plan.stage.limit]}
        takers = [*begun, *(m for m in released if m.id in ready)]
        assert not takers or len(found.flying) <= plan.max_in_flight
        if plan.disruption is not None:
            for member in takers:
                assert found.groups[group(plan, member)] <= plan.disruption.max_unavailable
        if begun:
            assert windows.look(plan.windows, "download", when).open
            recent = sum(t > world.now - 60.0 for t in self.begun)
            assert plan.per_minute is None or recent <= plan.per_minute
        applies = windows.look(plan.windows, "apply", when).open
        assert applies or not released
        for member in begun:
            assert member.device is not None
            assert member.device.grant is not None
            assert self.targeted(member.device.grant)
            assert world.terms(member.id) == (not applies, member.attempt)

    def check_no_place_is_left_empty(self) -> None:
        world, plan = self.world, self.world.plan
        when, found = datetime.fromtimestamp(world.now, UTC), Recount(world.fleet)
        if plan.mode != "Rolling" or world.fleet.halted or plan.stage is None:
            return
        if len(found.flying) >= plan.max_in_flight:
            return
        recent = sum(t > world.now - 60.0 for t in self.begun)
        more = plan.per_minute is None or recent < plan.per_minute
        begins = more and windows.look(plan.windows, "download", when).open
        applies = windows.look(plan.windows, "apply", when).open
        for member, stands_ in zip(found.order[: plan.stage.limit], found.stands, strict=False):
            full = plan.disruption and (
                found.groups[group(plan, member)] >= plan.disruption.max_unavailable
            )
            if not full:
                assert not (applies and stands_ == "ready")
                assert not (begins and stands_ == "pending" and self.could_begin(member))

    def could_begin(self, member: Member) -> bool:
        device = member.device
        variant = target_for(self.world.plan, device.state if device else None)
        lacks = variant and {i.digest for i in variant.images} & self.world.missing
        if variant is None or lacks or member.failed is not None:
            return False
        if member.retry_at is None:
            return member.granted_at is None
        return member.retry_at <= self.world.now  # also of one that gave up before this rollout

    def check_silence(self) -> None:
        """Who is asked to do something is silent from his deadline on, and not before."""
        world, plan = self.world, self.world.plan
        for place, member in enumerate(order(world.fleet)):
            _, asked = stands(world.fleet, member, place)
            assert member.device is not None
            began = max(member.granted_at or 0.0, member.released_at or 0.0)
            if not began and plan.stage is not None:
                began = plan.stage.started_at.timestamp()
            heard = max(began, member.device.seen_at or 0.0)
            if asked and not member.silent:
                last = max(heard, world.hearing_since)
                assert world.now < last + plan.no_report_after_seconds
            if asked and member.silent and member.granted_at is not None:
                # To be let go, or told to hold, is no sign of life.
                heard = max(member.granted_at, member.device.seen_at or 0.0)
                assert world.now >= heard + plan.no_report_after_seconds

    @invariant()
    def totals_are_those_of_a_recount(self) -> None:
        Checks.steps += 1
        if not self.world.fleet.roster.stale:
            assert disagreements(self.world.fleet) == []

    @invariant()
    def counts_add_up(self) -> None:
        summary = self.world.fleet.summary
        if summary is not None:
            counts = summary.counts.model_dump()
            assert counts.pop("total") == sum(counts.values()) == summary.devices

    @invariant()
    def the_order_is_frozen(self) -> None:
        revision_ = self.world.fleet.revision
        positions = {m.id: m.position for m in self.world.fleet.members.values()}
        assert len(set(positions.values())) == len(positions)
        frozen = {k: v for k, v in self.frozen.items() if k.startswith(f"{revision_}/")}
        for name, position in positions.items():
            known = frozen.get(f"{revision_}/{name}")
            assert known is None or known == position or name not in self.world.rows
        self.frozen = {f"{revision_}/{n}": p for n, p in positions.items() if n in self.world.rows}

    def teardown(self) -> None:
        """However it was left, the next turn must hold, too."""
        self.checked_turn()
