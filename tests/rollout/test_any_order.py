"""Whatever happens, in whatever order, and wherever the operator dies: what must hold, holds.

Hypothesis plays reports, time, new versions, edits, outages and crashes against the decisions. A
crash loses the write of status or the plan that was on its way, and the next pass starts from what
the API server and the gateway hold.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from petiole.api.rollout import Gate
from petiole.rollout import stages
from petiole.rollout.cohort import order
from petiole.rollout.observed import PutPlan

from .fleet import CONFIDENCE, UPDATE, Crash, Field, Operator, spec

DEVICES = 120
ANSWERS = st.sampled_from(["updated", "updated", "updated", "updated", "failed", "silent"])


class AnyOrder(RuleBasedStateMachine):
    """One fleet of 120 devices under its operator."""

    @initialize(
        on_failure=st.sampled_from(["Revert", "Revert", "Pause", "Keep"]),
        on_inconclusive=st.sampled_from(["Pause", "Pause", "Proceed"]),
        gates=st.sampled_from([(UPDATE, CONFIDENCE), ()]),
    )
    def begin(self, on_failure: str, on_inconclusive: str, gates: tuple[Gate, ...]) -> None:
        self.policies = {
            "on_failure": on_failure,
            "on_inconclusive": on_inconclusive,
            "gates": gates,
        }
        self.field = Field(devices=DEVICES)
        self.operator = Operator(spec(**self.policies), self.field)

    # --- what may happen --------------------------------------------------------------------------

    @rule(crash=st.sampled_from(["never", "never", "before status", "before plan"]))
    def look(self, crash: Crash) -> None:
        before, plan = self.operator.status, self.field.plan
        phases = dict(self.field.phase)
        outcome = self.operator.one_pass(crash)
        self._no_promotion_past_a_failure(before, outcome.status)
        for action in outcome.actions:
            if isinstance(action, PutPlan):
                self._stages_widen_by_the_rules(plan, action.plan, phases)

    @rule(number=st.integers(1, 60), answer=ANSWERS)
    def devices_answer(self, number: int, answer: str) -> None:
        offered = [d for d, p in self.field.phase.items() if p == "offered"]
        for device in offered[:number]:
            self.field.answer(device, answer)

    @rule()
    def all_take_it(self) -> None:
        self.field.answer_all()

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

    @precondition(lambda self: self.field.target and self.field.plan.mode == "Rolling")
    @rule()
    def the_gateway_stops_it(self) -> None:
        self.field.stop(self.operator.now)

    @rule(problem=st.sampled_from(["", "connection refused"]))
    def the_gateway_comes_and_goes(self, problem: str) -> None:
        self.operator.problem = problem

    # --- what must hold ---------------------------------------------------------------------------

    def _no_promotion_past_a_failure(self, before, after) -> None:
        if len(after.history) == len(before.history) or after.history[-1].result != "Promoted":
            return
        assert stages.failure(after.gates) is None
        assert self.field.halt is None or self.field.halt.revision != after.revision.stable

    def _stages_widen_by_the_rules(self, old, new, phases: dict[str, str]) -> None:
        if new.stage is None or new.mode != "Rolling":
            return
        rollout = self.operator.spec.rollout
        assert new.stage.limit == stages.size((rollout.stages or ())[new.stage.index], DEVICES)
        same = old is not None and old.stage is not None and old.target == new.target
        if not same or new.stage.index == old.stage.index:
            return
        assert new.stage.index == old.stage.index + 1
        if rollout.on_inconclusive == "Pause":
            allowed = order(new.target.number, self.field.ids)[: old.stage.limit]
            assert all(phases.get(d, "pending") not in ("pending", "offered") for d in allowed)

    @invariant()
    def counts_sum_to_the_fleet(self) -> None:
        counts = self.operator.status.counts.model_dump()
        assert counts.pop("total") == sum(counts.values())

    @invariant()
    def nobody_has_more_than_the_stage_allows(self) -> None:
        plan = self.field.plan
        if plan is None or plan.stage is None:
            return
        allowed = set(order(plan.target.number, self.field.ids)[: plan.stage.limit])
        assert set(self.field.phase) <= allowed

    @invariant()
    def a_wait_has_a_reason_and_a_time(self) -> None:
        waiting = self.operator.status.waiting_for
        if waiting is not None:
            assert waiting.reason
            assert waiting.message
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
        operator.edit(version="Latest", **self.policies)
        good = operator.publish()
        field.confidence = dict.fromkeys(range(1, good + 1), 0.9)
        for _ in range(12):
            operator.settle()
            field.put_back()
            field.answer_all()
            operator.settle()
            operator.wait(minutes=10)
        status = operator.status
        assert (status.mode, status.revision.stable) == ("Idle", good), status.message
        assert {c.type: c.status for c in status.conditions}["Ready"] == "True"
        assert list(field.running.values()).count(good) == DEVICES


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
