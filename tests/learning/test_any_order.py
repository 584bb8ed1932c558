"""Whatever happens to a model, in whatever order, and wherever the operator dies."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from petiole.learning.observed import DriftAlarm

from .model import World, spec


class AnyOrder(RuleBasedStateMachine):
    """One model with its runs, labels, versions and fleets."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(spec())
        self.data = 0

    @rule(lose_status=st.booleans(), lose_actions=st.booleans())
    def look(self, lose_status: bool, lose_actions: bool) -> None:
        self.world.one_pass(lose_status=lose_status, lose_actions=lose_actions)

    @rule(reason=st.sampled_from(["", "", "", "Died", "StepFailed", "DataMissing"]))
    def runs_end(self, reason: str) -> None:
        self.world.fails = {"": reason} if reason else {}
        self.world.work()

    @rule(silent=st.booleans())
    def people_come_and_go(self, silent: bool) -> None:
        self.world.silent = silent

    @rule(seconds=st.sampled_from([1, 5, 60]))
    def time_passes(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule(number=st.integers(1, 50))
    def samples_come(self, number: int) -> None:
        self.world.samples += number

    @rule()
    def the_field_drifts(self) -> None:
        version = self.world.status.latest_version
        self.world.drift = (DriftAlarm("default.meters", version, self.world.now, "moved"),)

    @rule()
    def the_data_change(self) -> None:
        self.data += 1
        self.world.edit(pool=f"file:///data/pool-{self.data}")

    @rule(good=st.booleans())
    def candidates_turn(self, good: bool) -> None:
        self.world.accuracy = {"m4": 0.97, "m0": 0.96 if good else 0.5}

    @rule(problem=st.sampled_from(["", "the store is gone"]))
    def the_store_comes_and_goes(self, problem: str) -> None:
        self.world.run_problem = problem

    @invariant()
    def no_more_labels_are_spent_than_allowed(self) -> None:
        round_ = self.world.status.round
        if round_.number:
            # Saved labels may be ahead of status by one batch, never of the target.
            assert len(self.world.labels) <= max(round_.target_labels, 60)

    @invariant()
    def one_run_at_a_time(self) -> None:
        assert sum(r.state == "Running" for r in self.world.runs.values()) <= 1

    @invariant()
    def versions_are_numbered_without_gaps(self) -> None:
        status = self.world.status
        assert [v.version for v in status.versions] == list(range(1, status.latest_version + 1))

    def teardown(self) -> None:
        """Once faults stop, a model comes to rest with a version, or says why not."""
        world = self.world
        world.fails, world.silent, world.run_problem = {}, False, ""
        world.accuracy = {"m4": 0.97, "m0": 0.96}
        world.wait(61)
        world.edit(pool=world.spec.data.pool.uri, accuracy="94%")  # a person answers a stall
        for _ in range(4):
            world.wait(61)
        assert world.status.round.step == "Idle"
        assert world.status.latest_version >= 1
        assert world.condition("Ready").status == "True"
        writes = world.writes
        world.wait(3600)
        assert world.writes == writes


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=50,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
