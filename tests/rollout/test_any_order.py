"""Whatever happens, in whatever order, and wherever the operator dies: what must hold, holds.

Hypothesis plays reports, time, new versions, edits, requests, outages and crashes against the
decisions. A crash loses the write of status or the plan that was on its way, and the next pass
starts from what the API server and the gateway hold.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from petiole.api.rollout import Gate, Ramp, RollbackWindow, Stage
from petiole.rollout import stages
from petiole.rollout.cohort import order
from petiole.rollout.observed import Obstacle, PutPlan
from petiole.rollout.plan import StagePlan
from petiole.rollout.tracks import current

from .fleet import CONFIDENCE, STAGES, UPDATE, Crash, Field, Operator, bundle, spec

DEVICES = 120
MISSING = Obstacle("FirmwareMissing", "there is no bundle firmware.zip; put it there")
VERBS = st.sampled_from(["pause", "resume", "resume", "skip", "promote", "abort", "retry", "?"])
RAMP = {"stages": None, "ramp": Ramp(start=15, factor=3, soak="10m")}
MANUAL = {
    "stages": (
        Stage(name="canary", size=40, soak="10m", approval="Manual"),
        Stage(name="early", size="50%"),
        Stage(name="all", size="100%", approval="Manual"),
    )
}
ANSWERS = st.sampled_from(["updated", "updated", "updated", "updated", "failed", "silent"])


class AnyOrder(RuleBasedStateMachine):
    """One fleet of 120 devices under its operator."""

    @initialize(
        on_failure=st.sampled_from(["Revert", "Revert", "Pause", "Keep"]),
        on_inconclusive=st.sampled_from(["Pause", "Pause", "Proceed"]),
        gates=st.sampled_from([(UPDATE, CONFIDENCE), ()]),
        course=st.sampled_from([{}, {}, RAMP, MANUAL]),
        back=st.sampled_from([None, RollbackWindow(revisions=1)]),
    )
    def begin(
        self,
        on_failure: str,
        on_inconclusive: str,
        gates: tuple[Gate, ...],
        course: dict[str, Any],
        back: RollbackWindow | None,
    ) -> None:
        self.policies = {
            "on_failure": on_failure,
            "on_inconclusive": on_inconclusive,
            "gates": gates,
            "rollback_window": back,
            **course,
        }
        self.skipped = self.promoted = False
        self.field = Field(devices=DEVICES)
        self.operator = Operator(spec(**self.policies), self.field)

    # --- what may happen --------------------------------------------------------------------------

    @rule(crash=st.sampled_from(["never", "never", "before status", "before plan"]))
    def look(self, crash: Crash) -> None:
        before, plan = self.operator.status, self.field.plan
        phases = dict(self.field.phase)
        outcome = self.operator.one_pass(crash)
        after = outcome.status
        self.skipped |= before.stage.skipped
        self.promoted |= after.answer.startswith("accepted, promote")
        self._no_promotion_past_a_failure(before, after)
        verb = after.request.partition("@")[0] if after.request != before.request else ""
        for action in outcome.actions:
            if isinstance(action, PutPlan):
                assert action.plan.mode != "Rolling" or stages.failure(after.gates) is None
                self._only_a_person_begins_a_manual_stage(before, after, verb)
                self._stages_widen_by_the_rules(plan, action.plan, phases, after)
                arrived = self.field.plan is action.plan
                self.skipped &= not arrived
                self.promoted &= not arrived

    @rule(number=st.integers(1, 60), answer=ANSWERS)
    def devices_answer(self, number: int, answer: str) -> None:
        offered = [d for d, p in self.field.phase.items() if p == "offered"]
        for device in offered[:number]:
            self.field.answer(device, answer)

    @rule()
    def all_take_it(self) -> None:
        self.field.answer_all()

    @rule()
    def all_goes_well_for_a_while(self) -> None:
        """Else few would come as far as a way back."""
        for _ in range(4):
            self.operator.settle()
            self.field.put_back()
            self.field.answer_all()
            self.operator.wait(minutes=10)
        self.skipped = self.operator.status.stage.skipped

    @rule(number=st.integers(1, DEVICES))
    def devices_go_back(self, number: int) -> None:
        self.field.put_back(number)

    @rule(minutes=st.sampled_from([1, 10, 45, 150]))
    def time_passes(self, minutes: int) -> None:
        self.operator.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.operator.latest < 6)
    @rule(confidence=st.sampled_from([0.9, 0.9, 0.85, 0.6]))
    def a_version_comes(self, confidence: float) -> None:
        self.field.confidence[self.operator.publish()] = confidence

    @rule(data=st.data())
    def the_pin_moves(self, data: st.DataObject) -> None:
        wanted = data.draw(st.sampled_from(["Latest", *range(1, self.operator.latest + 1)]))
        self.operator.edit(version=wanted, **self.policies)

    @rule(number=st.integers(1, 4))
    def a_bundle_is_named(self, number: int) -> None:
        self.operator.offer(number)

    @precondition(lambda self: self.operator.bundle)
    @rule(lost=st.booleans())
    def the_bundle_is_lost_and_found(self, lost: bool) -> None:
        self.operator.bundle_problem = MISSING if lost else None

    @precondition(lambda self: self.field.target and self.field.plan.mode == "Rolling")
    @rule()
    def the_gateway_stops_it(self) -> None:
        self.field.stop(self.operator.now)

    @rule(verb=VERBS)
    def a_person_asks(self, verb: str) -> None:
        self.operator.annotate(verb)

    @rule(problem=st.sampled_from(["", "connection refused"]))
    def the_gateway_comes_and_goes(self, problem: str) -> None:
        self.operator.problem = problem

    # --- what must hold ---------------------------------------------------------------------------

    def _no_promotion_past_a_failure(self, before, after) -> None:
        if len(after.history) == len(before.history) or after.history[-1].result != "Promoted":
            return
        assert stages.failure(after.gates) is None
        assert after.history[-1].kind == before.kind
        stable = (after.revision if before.kind == "Model" else after.firmware).stable
        assert self.field.halt is None or self.field.halt.revision != stable

    def _only_a_person_begins_a_manual_stage(self, before, after, verb: str) -> None:
        was = (before.mode != "Idle", before.kind, current(before).target, before.stage.index)
        now = (True, after.kind, current(after).target, after.stage.index)
        stages_ = self.operator.spec.rollout.stages
        if after.mode != "Rolling" or now == was or stages_ is None or after.stage.rollback:
            return
        if stages_[after.stage.index].approval == "Manual":
            assert verb in ("resume", "promote")

    def _stages_widen_by_the_rules(self, old, new, phases, after) -> None:
        if new.stage is None or new.mode != "Rolling":
            return
        assert new.stage.limit == self._size(new.stage)
        same = old is not None and old.stage is not None and old.target == new.target
        assert new.kind == new.target.kind
        if not same or new.stage.index == old.stage.index:
            return
        if self.promoted and new.stage.limit == DEVICES:
            return
        assert new.stage.index == old.stage.index + 1
        if self.operator.spec.rollout.on_inconclusive == "Pause" and not self.skipped:
            allowed = order(new.target.name, self.field.ids)[: old.stage.limit]
            assert all(phases.get(d, "pending") not in ("pending", "offered") for d in allowed)

    def _size(self, stage: StagePlan) -> int:
        rollout = self.operator.spec.rollout
        if stage.name == "rollback":
            return DEVICES
        if rollout.ramp is not None:
            return min(rollout.ramp.start * rollout.ramp.factor**stage.index, DEVICES)
        return stages.size(rollout.stages[stage.index], DEVICES)

    @invariant()
    def paused_by_a_person_no_plan_lets_anybody_begin(self) -> None:
        status, plan = self.operator.status, self.field.plan
        if status.held and plan is not None and plan.serial == status.serial:
            assert plan.mode != "Rolling"

    @invariant()
    def a_request_is_carried_out_once(self) -> None:
        assert self.operator.status.attempt <= self.operator.asked

    @invariant()
    def counts_sum_to_the_fleet(self) -> None:
        counts = self.operator.status.counts.model_dump()
        assert counts.pop("total") == sum(counts.values())

    @invariant()
    def nobody_has_more_than_the_stage_allows(self) -> None:
        plan = self.field.plan
        if plan is None or plan.stage is None:
            return
        allowed = set(order(plan.target.name, self.field.ids)[: plan.stage.limit])
        assert set(self.field.phase) <= allowed

    @invariant()
    def a_wait_has_a_reason_and_a_time(self) -> None:
        waiting = self.operator.status.waiting_for
        if waiting is not None:
            assert waiting.reason
            assert re.search(r"`(petiole|kubectl) [^`]+`$", waiting.message)
            assert waiting.since <= self.operator.now

    @rule()
    def at_rest_nothing_is_written(self) -> None:
        """Passes come to an end, and one more does nothing: no write, no plan, no event."""
        self.operator.settle()
        writes = self.operator.writes
        outcome = self.operator.one_pass()
        assert self.operator.writes == writes
        assert outcome.actions == ()

    def teardown(self) -> None:
        """Once faults stop and a good version is there, it reaches the whole fleet."""
        if not hasattr(self, "operator"):
            return
        operator, field = self.operator, self.field
        operator.problem = ""
        operator.edit(version="Latest", **self.policies | {"stages": STAGES, "ramp": None})
        operator.annotate("resume")
        operator.offer(9)
        good = operator.publish()
        field.confidence = dict.fromkeys(range(1, good + 1), 0.9)
        for _ in range(16):
            operator.settle()
            field.put_back()
            field.answer_all()
            operator.settle()
            operator.wait(minutes=10)
        status = operator.status
        assert (status.mode, status.revision.stable) == ("Idle", good), status.message
        assert {c.type: c.status for c in status.conditions}["Ready"] == "True"
        assert list(field.running.values()).count(good) == DEVICES
        newest = status.firmware.stable
        assert next(b.digest for b in status.bundles if b.number == newest) == bundle(9).digest
        assert list(field.firmware.values()).count(newest) == DEVICES
        assert status.counts == field.summary(operator.now).counts  # held back, but not lost


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=80,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = _settings(160)  # some 10,000 steps


@pytest.mark.long
def test_in_many_more_orders() -> None:
    run_state_machine_as_test(AnyOrder, settings=_settings(3000))
