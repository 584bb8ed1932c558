"""Gates that fail, pass, or cannot say, and what the policy makes of it."""

from __future__ import annotations

import re

import pytest

from petiole.api.rollout import Stage
from petiole.rollout.gates import MIN_ARM

from .fleet import CONFIDENCE, UPDATE, Field, Operator, canary_of, spec


def test_a_bad_revision_is_taken_back_at_once_and_not_tried_again(rolled: Operator) -> None:
    canary_of(rolled, confidence=0.61)
    rolled.settle()
    assert rolled.status.mode == "Reverting"
    assert rolled.field.plan.halted == (2,)
    assert rolled.field.plan.halted_digests == (f"{2:064x}",)
    assert rolled.status.waiting_for.reason == "DevicesReverting"
    rolled.field.put_back(30)
    rolled.settle()
    said = rolled.status.waiting_for.message
    assert said.startswith("10 of 40 exposed devices still run revision 2; ")
    rolled.field.put_back()
    rolled.settle()
    status = rolled.status
    assert (status.mode, status.revision.stable, status.revision.failed) == ("Idle", 1, 2)
    entry = status.history[-1]
    assert (entry.result, entry.exposed, entry.reverted) == ("Reverted", 40, 40)
    assert (
        entry.message
        == status.message
        == (
            "Reverted revision 2: mean confidence of 40 canaries was 0.61, 0.29 below the 160 "
            "devices on the stable revision (at least 0.28 below with 95 % confidence; 0.05 "
            "allowed). 40 devices exposed, all put back."
        )
    )
    for type_, wanted in (("Ready", "False"), ("Stalled", "True"), ("Degraded", "True")):
        assert rolled.condition(type_).status == wanted
    rolled.wait(hours=30)
    assert rolled.status == status
    rolled.publish()
    rolled.roll()
    assert (rolled.status.revision.stable, rolled.status.revision.failed) == (3, 0)
    assert rolled.condition("Degraded").status == "False"


def test_a_halt_of_the_gateway_counts_without_a_verdict_of_our_own(rolled: Operator) -> None:
    canary_of(rolled)
    rolled.field.stop(rolled.now, "mean confidence of 12 canaries was 0.50")
    rolled.settle()
    assert rolled.status.mode == "Reverting"
    rolled.field.put_back()
    rolled.settle()
    assert "mean confidence of 12 canaries was 0.50" in rolled.status.history[-1].message


def test_a_failed_gate_stays_failed_when_the_evidence_turns(rolled: Operator) -> None:
    rolled.edit(on_failure="Pause")
    number = canary_of(rolled, confidence=0.6)
    rolled.settle()
    rolled.field.confidence[number] = 0.95
    rolled.wait(hours=3)
    assert rolled.status.mode == "Paused"
    assert rolled.status.waiting_for.reason == "GateFailed"


def test_silent_devices_do_not_hold_up_a_revert(rolled: Operator) -> None:
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    rolled.field.put_back(37)
    for device in rolled.field.exposed:
        if rolled.field.phase[device] == "updated":
            rolled.field.phase[device] = "silent"
    rolled.settle()
    entry = rolled.status.history[-1]
    assert (entry.exposed, entry.reverted) == (40, 37)
    assert entry.message.endswith("40 devices exposed, 37 put back, 3 silent.")


def test_the_first_revision_has_nothing_to_go_back_to() -> None:
    operator = Operator(spec(), Field())
    operator.settle()
    for at, device in enumerate(list(operator.field.phase)):
        operator.field.answer(device, "failed" if at % 2 else "updated")
    operator.settle()
    assert operator.status.mode == "Paused"
    assert operator.status.history[-1].result == "Kept"
    assert "no earlier revision to go back to" in operator.status.history[-1].message
    operator.wait(hours=5)
    assert len(operator.status.history) == 1
    operator.publish()
    operator.roll()
    assert operator.status.revision.stable == 2


@pytest.mark.parametrize(
    ("policy", "mode", "result"),
    [("Revert", "Reverting", None), ("Pause", "Paused", None), ("Keep", "Paused", "Kept")],
)
def test_on_failure(rolled: Operator, policy: str, mode: str, result: str | None) -> None:
    rolled.edit(on_failure=policy)
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    assert rolled.status.mode == mode
    assert rolled.field.plan.mode == mode
    assert rolled.field.plan.halted == (2,)
    if result:
        assert rolled.status.history[-1].result == result
    rolled.publish()
    rolled.settle()
    rolled.field.put_back()
    rolled.roll()
    assert rolled.status.revision.stable == 3


def test_a_paused_failure_is_reverted_when_the_policy_is_edited(rolled: Operator) -> None:
    rolled.edit(on_failure="Pause")
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    rolled.edit(on_failure="Revert")
    rolled.settle()
    assert rolled.status.mode == "Reverting"


def test_a_canary_too_small_to_prove_anything_pauses_and_says_so() -> None:
    stages = (Stage(name="canary", size=20, soak="1m"), Stage(name="all", size="100%"))
    operator = Operator(spec(stages=stages, gates=(UPDATE,)), Field())
    operator.settle()
    operator.field.answer_all()
    operator.settle()
    operator.wait(minutes=1)
    assert operator.status.waiting_for.reason == "GateUndecided"
    said = operator.status.waiting_for.message
    more = int(re.search(r"to pass it takes (\d+) more without a failure", said)[1])
    assert said.endswith("to go on without its verdict: `petiole skip meters -n default`")
    operator.wait(hours=2)
    assert operator.status.mode == "Paused"
    assert operator.status.waiting_for.reason == "Inconclusive"
    assert operator.condition("Stalled").status == "True"
    operator.edit(stages=(Stage(name="canary", size=20 + more), *stages[1:]), gates=(UPDATE,))
    operator.settle()
    operator.field.answer_all()
    operator.settle()
    assert operator.status.mode == "Paused"  # its deadline is past: no new grants
    longer = {"progress_deadline": "1d", "gates": (UPDATE,)}
    operator.edit(stages=(Stage(name="canary", size=20 + more), *stages[1:]), **longer)
    operator.settle()
    operator.field.answer_all()
    operator.settle()
    assert operator.status.stage.name == "all"


def test_on_inconclusive_proceed_goes_on_at_the_deadline() -> None:
    stages = (Stage(name="canary", size=20), Stage(name="all", size="100%"))
    fleet = spec(stages=stages, gates=(UPDATE,), on_inconclusive="Proceed")
    operator = Operator(fleet, Field())
    operator.settle()
    operator.field.answer_all()
    operator.wait(hours=1, minutes=59)
    assert operator.status.stage.name == "canary"
    operator.wait(minutes=1)
    assert operator.status.stage.name == "all"


def test_a_metric_gate_does_not_apply_without_a_control() -> None:
    operator = Operator(spec(gates=(CONFIDENCE,)), Field())
    operator.roll()
    gate = operator.status.gates[0]
    assert (gate.verdict, operator.status.revision.stable) == ("NotApplicable", 1)
    wanted = f"0 devices stay on a stable revision to compare with, {MIN_ARM} are needed"
    assert gate.message == wanted


def test_on_inconclusive_proceed_does_not_let_through_what_no_device_took() -> None:
    operator = Operator(spec(on_inconclusive="Proceed"), Field())
    operator.settle()
    operator.wait(hours=30)
    assert (operator.status.stage.index, operator.status.mode) == (0, "Paused")
    assert operator.status.waiting_for.reason == "Inconclusive"


def test_a_stable_revision_on_too_few_devices_is_no_control(rolled: Operator) -> None:
    canary_of(rolled)
    for device in rolled.field.ids[5:]:
        rolled.field.running.pop(device)  # their last report names no model of ours
    rolled.settle()
    gate = next(g for g in rolled.status.gates if g.name == "confidence")
    assert gate.verdict == "NotApplicable"
