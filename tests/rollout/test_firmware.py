"""Firmware goes out like a model, before it, and whatever becomes of it the model goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from petiole.api.rollout import RollbackWindow, Stage
from petiole.rollout.observed import Obstacle

from .fleet import CONFIDENCE, UPDATE, Field, Operator, bundle, spec

LOST = Obstacle("FirmwareMissing", "there is no bundle firmware.zip; put it there")


def well(operator: Operator, times: int = 4) -> None:
    """Let all devices take what they are offered until the rollout is through."""
    for _ in range(times):
        operator.settle()
        operator.field.answer_all()
        operator.settle()
        operator.wait(minutes=10)


def bad(operator: Operator) -> None:
    """Let canaries give it up until the gate stops it."""
    operator.settle()
    operator.field.answer_all("failed")
    operator.settle()


def test_firmware_goes_first_then_the_model() -> None:
    operator = Operator(spec(), Field())
    operator.offer(1)
    operator.settle()
    plan = operator.field.plan
    assert (operator.status.kind, plan.kind, plan.target.number) == ("Firmware", "Firmware", 1)
    assert plan.other is None  # no model was rolled out yet
    assert operator.status.message.startswith("Rolling out firmware 1, stage canary")
    well(operator)
    assert (operator.status.firmware.stable, operator.status.kind) == (1, "Model")
    plan = operator.field.plan
    assert (plan.kind, plan.target.number, plan.other.number) == ("Model", 1, 1)
    well(operator)
    assert [(e.kind, e.revision, e.result) for e in operator.status.history] == [
        ("Firmware", 1, "Promoted"),
        ("Model", 1, "Promoted"),
    ]
    assert "; their firmware is 1 (1.1)" in operator.status.message
    assert operator.condition("Ready").status == "True"


def test_the_model_stays_while_firmware_rolls(rolled: Operator) -> None:
    rolled.offer(1)
    rolled.settle()
    plan = rolled.field.plan
    assert (plan.kind, plan.other.kind, plan.other.number) == ("Firmware", "Model", 1)
    assert [v.arena for v in plan.target.variants.values()] == [0]
    assert {len(v.images) for v in plan.target.variants.values()} == {2}
    assert set(rolled.field.running.values()) == {1}


def test_a_new_version_waits_for_the_firmware(rolled: Operator) -> None:
    rolled.offer(1)
    rolled.settle()
    rolled.publish()
    rolled.settle()
    assert (rolled.status.kind, rolled.status.revision.target) == ("Firmware", 1)
    well(rolled)
    assert (rolled.status.kind, rolled.status.revision.target) == ("Model", 2)


def test_firmware_waits_for_a_model_on_its_way(rolled: Operator) -> None:
    rolled.publish()
    rolled.settle()
    rolled.offer(1)
    rolled.settle()
    assert (rolled.status.kind, rolled.field.plan.target.number) == ("Model", 2)
    well(rolled)
    assert (rolled.status.kind, rolled.status.revision.stable) == ("Firmware", 2)


def firmware(operator: Operator, *numbers: int) -> Operator:
    for number in numbers:
        operator.offer(number)
        well(operator)
    return operator


def test_firmware_that_fails_is_taken_back_and_the_model_goes_on(rolled: Operator) -> None:
    firmware(rolled, 1)
    rolled.offer(2)
    bad(rolled)
    rolled.field.put_back()
    rolled.settle()
    assert (rolled.status.mode, rolled.status.kind) == ("Idle", "Model")
    assert (rolled.status.firmware.stable, rolled.status.firmware.failed) == (1, 2)
    ended = rolled.status.history[-1]
    assert (ended.kind, ended.result) == ("Firmware", "Reverted")
    assert "golden-mismatch)" in ended.message
    assert rolled.status.waiting_for.reason == "RevisionFailed"
    assert "firmware 2 was taken back" in rolled.status.waiting_for.message
    assert rolled.condition("Stalled").status == "True"
    assert rolled.condition("Degraded").message == ended.message
    halted = {i.digest for v in bundle(2).variants for i in (v.a, v.b)}
    assert halted <= set(rolled.field.plan.halted_digests)
    assert rolled.field.plan.other.number == 1
    rolled.publish()
    well(rolled)
    assert rolled.status.revision.stable == 2


def test_devices_that_gave_up_firmware_after_its_rollout_are_seen_at_once(rolled: Operator) -> None:
    firmware(rolled, 1)
    assert rolled.status.message.endswith("; their firmware is 1 (1.1)")
    assert rolled.condition("Degraded").status == "False"
    writes = rolled.writes
    rolled.field.gave_up = {"hung": 1, "crashed": 2}
    rolled.settle()
    assert rolled.writes == writes + 1, "the first is worth a write"
    assert rolled.condition("Degraded").message == (
        "3 devices gave up firmware 1: 2 crashed, 1 hung"
    )
    assert rolled.status.message.endswith("; their firmware is 1 (1.1), which 3 of them gave up")
    rolled.problem = "connection refused"
    rolled.wait(minutes=5)
    assert rolled.condition("Degraded").status == "True", "nobody said that it was over"
    rolled.problem, rolled.field.gave_up = "", {}
    rolled.settle()
    assert rolled.condition("Degraded").status == "False"


def test_what_was_taken_back_is_tried_again_by_request_or_gives_way(rolled: Operator) -> None:
    firmware(rolled, 1)
    rolled.offer(2)
    bad(rolled)
    rolled.field.put_back()
    rolled.settle()
    assert "firmware 2 is tried from its first stage" in rolled.ask("retry")
    assert (rolled.status.kind, rolled.status.mode) == ("Firmware", "Rolling")
    bad(rolled)
    rolled.field.put_back()
    rolled.settle()
    firmware(rolled, 3)
    assert (rolled.status.firmware.stable, rolled.status.firmware.failed) == (3, 0)


def test_going_back_to_the_stable_bundle_forgets_the_failure(rolled: Operator) -> None:
    firmware(rolled, 1)
    rolled.offer(2)
    bad(rolled)
    rolled.field.put_back()
    rolled.settle()
    rolled.offer(1)
    rolled.settle()
    assert (rolled.status.firmware.target, rolled.status.firmware.failed) == (1, 0)
    assert rolled.condition("Ready").status == "True"


def test_the_first_firmware_has_no_way_back_and_the_model_goes_on(rolled: Operator) -> None:
    rolled.offer(1)
    bad(rolled)
    assert (rolled.status.mode, rolled.status.firmware.kept) == ("Paused", True)
    assert rolled.status.waiting_for.reason == "GateFailed"
    rolled.publish()
    rolled.settle()
    assert (rolled.status.mode, rolled.status.kind) == ("Rolling", "Model")
    assert rolled.field.plan.other is None  # who has it keeps it
    well(rolled)
    assert rolled.status.revision.stable == 2
    assert (rolled.status.mode, rolled.status.kind) == ("Paused", "Firmware")
    firmware(rolled, 2)
    assert (rolled.status.mode, rolled.status.firmware.stable) == ("Idle", 2)


def test_what_was_kept_can_still_be_taken_back(rolled: Operator) -> None:
    rolled.edit(on_failure="Keep")
    firmware(rolled, 1)
    rolled.offer(2)
    rolled.settle()
    for device in [d for d, p in rolled.field.phase.items() if p == "offered"][:30]:
        rolled.field.answer(device, "updated")
    bad(rolled)
    assert (rolled.status.mode, rolled.status.firmware.kept) == ("Paused", True)
    rolled.offer(1)
    rolled.settle()
    assert rolled.status.mode == "Reverting"
    rolled.field.put_back()
    rolled.settle()
    assert (rolled.status.mode, rolled.status.firmware.target) == ("Idle", 1)
    assert set(rolled.field.firmware.values()) == {1}


def test_a_model_that_was_stopped_lets_firmware_go_out() -> None:
    operator = Operator(spec(gates=(UPDATE,)), Field())
    bad(operator)
    assert (operator.status.mode, operator.status.kind) == ("Paused", "Model")
    firmware(operator, 1)
    assert operator.status.firmware.stable == 1
    assert (operator.status.mode, operator.status.revision.failed) == ("Paused", 1)
    assert "revision 1 is tried" in operator.ask("retry")
    well(operator)
    assert operator.status.revision.stable == 1


def test_a_bundle_that_cannot_be_had_stalls_and_changes_nothing_else(rolled: Operator) -> None:
    firmware(rolled, 1)
    plan = rolled.field.plan
    rolled.bundle_problem = LOST
    rolled.settle()
    stalled = rolled.condition("Stalled")
    assert (stalled.status, stalled.reason) == ("True", "FirmwareMissing")
    assert rolled.status.waiting_for.message.endswith(
        "`kubectl edit devicefleet meters -n default`"
    )
    assert rolled.field.plan == plan
    rolled.publish()
    rolled.settle()
    assert rolled.status.mode == "Rolling"
    assert rolled.condition("Stalled").reason == "FirmwareMissing"
    well(rolled)
    assert rolled.status.revision.stable == 2
    rolled.bundle_problem = None
    rolled.settle()
    assert rolled.condition("Stalled").status == "False"


def test_a_bundle_that_lacks_a_board_of_the_fleet_is_not_begun(rolled: Operator) -> None:
    rolled.field.boards = {"m4": 150, "m7": 50}
    rolled.offer(1)
    rolled.settle()
    assert rolled.status.mode == "Idle"
    assert rolled.status.bundles == ()
    assert rolled.condition("Stalled").reason == "FirmwareLacksBoard"
    assert (
        "no image for 'm7', which 50 devices of the fleet are" in rolled.status.waiting_for.message
    )


def test_without_firmware_in_the_spec_devices_keep_theirs(rolled: Operator) -> None:
    firmware(rolled, 1)
    plan = rolled.field.plan
    rolled.edit()
    rolled.settle()
    assert rolled.field.plan == plan
    assert rolled.condition("Ready").status == "True"


def test_a_bundle_keeps_its_number(rolled: Operator) -> None:
    window = RollbackWindow(revisions=1)
    rolled.edit(rollback_window=window)
    firmware(rolled, 5, 7)
    assert [(b.number, b.version) for b in rolled.status.bundles] == [(1, "1.5"), (2, "1.7")]
    rolled.offer(5)
    rolled.settle()
    assert (rolled.status.firmware.target, rolled.status.stage.rollback) == (1, True)
    well(rolled, 1)
    assert rolled.status.firmware.stable == 1
    firmware(rolled, *range(10, 20))
    assert rolled.status.firmware.stable == 12
    assert len(rolled.status.bundles) <= 16


def test_a_model_once_proven_does_not_make_firmware_of_that_number_proven(rolled: Operator) -> None:
    rolled.edit(rollback_window=RollbackWindow(revisions=3))
    rolled.publish()
    well(rolled)
    rolled.offer(1)
    rolled.settle()
    assert not rolled.status.stage.rollback


def test_an_earlier_bundle_in_the_middle_takes_the_new_one_back(rolled: Operator) -> None:
    firmware(rolled, 1)
    rolled.offer(2)
    rolled.settle()
    rolled.field.answer_all()
    rolled.settle()
    rolled.offer(1)
    rolled.settle()
    assert (rolled.status.mode, rolled.status.firmware.target) == ("Reverting", 2)
    rolled.field.put_back()
    rolled.settle()
    rolled.settle()
    assert (rolled.status.mode, rolled.status.firmware.target) == ("Idle", 1)


@pytest.mark.parametrize("verb", ["pause", "abort", "promote", "skip"])
def test_requests_are_about_what_rolls(rolled: Operator, verb: str) -> None:
    firmware(rolled, 1)
    rolled.offer(2)
    rolled.settle()
    rolled.field.answer_all()
    said = rolled.ask(verb)
    assert said.startswith(f"accepted, {verb}")
    if verb in ("abort", "promote"):
        assert "firmware 2" in said


def test_a_first_stage_by_hand_holds_firmware_and_says_so(rolled: Operator) -> None:
    stages = (Stage(name="canary", size=40, approval="Manual"), Stage(name="all", size="100%"))
    rolled.edit(stages=stages)
    rolled.offer(1)
    rolled.settle()
    assert rolled.status.waiting_for.reason == "ApprovalNeeded"
    assert rolled.status.waiting_for.message.startswith("firmware 1 begins")
    assert "firmware 1 begins with stage 'canary'" in rolled.ask("resume")


def test_no_gate_asks_firmware_for_a_shadow_run(rolled: Operator) -> None:
    shadow = CONFIDENCE.model_copy(update={"name": "shadow", "metric": "Disagreement"})
    rolled.edit(gates=(UPDATE, shadow))
    rolled.offer(1)
    rolled.settle()
    assert [gate.name for gate in rolled.field.plan.gates] == ["update"]
    well(rolled)
    assert [gate.name for gate in rolled.field.plan.gates] == ["update", "shadow"]


def test_events_and_history_name_the_firmware(rolled: Operator) -> None:
    rolled.offer(1)
    rolled.settle()
    rolled.now += timedelta(minutes=1)
    well(rolled)
    assert rolled.status.history[-1].message.startswith("Promoted firmware 1: 200 of 200 devices")
