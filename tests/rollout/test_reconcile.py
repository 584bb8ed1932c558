"""The life of a fleet, scene by scene, as the controller plays it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from petiole.api.devicefleet import Stage
from petiole.learning.drift import DriftVerdict
from petiole.rollout import drifting
from petiole.rollout.observed import PutPlan, Reference
from petiole.rollout.plan import Window
from petiole.rollout.reconcile import reconcile
from petiole.rollout.stages import size

from .fleet import CONFIDENCE, START, UPDATE, Field, Operator, spec, version


@pytest.fixture
def rolled() -> Operator:
    """A fleet of 200 that runs revision 1."""
    operator = Operator(spec(), Field())
    operator.roll()
    return operator


def canary_of(operator: Operator, *, confidence: float = 0.9) -> int:
    """A newer version with its canaries updated."""
    number = operator.publish()
    operator.field.confidence[number] = confidence
    operator.settle()
    operator.field.answer_all()
    return number


# --- before the first rollout ---------------------------------------------------------------------


def test_a_fleet_without_its_model_says_so() -> None:
    operator = Operator(spec(), Field())
    observed = operator.observe()
    lost = type(observed)(
        **{f: getattr(observed, f) for f in observed.__slots__} | {"model_uid": ""}
    )
    status = reconcile(lost, START).status
    assert status.waiting_for.reason == "ModelMissing"
    assert "there is no TinyModel 'digits' in namespace 'default'" in status.message
    assert {c.type: c.status for c in status.conditions}["Stalled"] == "True"
    assert reconcile(lost, START).actions == ()


def test_a_fleet_waits_for_the_first_version() -> None:
    operator = Operator(spec(), Field(), latest=0)
    operator.settle()
    assert operator.status.waiting_for.reason == "NoVersion"
    assert operator.status.counts.total == 200  # its devices are counted already
    assert operator.condition("Reconciling").status == "True"


def test_a_pin_to_a_version_that_is_not_there_names_those_that_are() -> None:
    operator = Operator(spec(version=7), Field(), latest=2)
    operator.settle()
    assert operator.status.waiting_for.reason == "VersionMissing"
    assert "no version 7 (it has: 1, 2); correct spec.model.version" in operator.status.message


def test_a_fleet_without_devices_waits_for_some() -> None:
    operator = Operator(spec(), Field(devices=0))
    operator.settle()
    assert operator.status.mode == "Idle"
    assert operator.status.waiting_for.reason == "NoDevices"
    assert "app=meters" in operator.status.waiting_for.message
    operator.field.devices = 50
    operator.settle()
    assert operator.status.mode == "Rolling"


def test_an_unreachable_gateway_stops_nothing_that_runs(rolled: Operator) -> None:
    before = rolled.status
    rolled.problem = "The gateway at http://gw:8080 does not answer: connection refused"
    outcome = rolled.settle()
    after = rolled.status
    assert (after.mode, after.revision, after.counts) == (
        before.mode,
        before.revision,
        before.counts,
    )
    assert not [a for a in outcome.actions if isinstance(a, PutPlan)]
    assert rolled.condition("GatewayReachable").status == "False"
    assert "check that it runs" in rolled.condition("GatewayReachable").message
    rolled.problem = ""
    rolled.settle()
    assert rolled.condition("GatewayReachable").status == "True"
    assert rolled.status.waiting_for is None


# --- stages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "devices", "allowed"),
    [(40, 200, 40), (40, 10, 40), ("10%", 200, 20), ("10%", 205, 21), ("1%", 5, 1), ("100%", 7, 7)],
)
def test_sizes(stage: int | str, devices: int, allowed: int) -> None:
    assert size(Stage(name="s", size=stage), devices) == allowed


def test_all_goes_well() -> None:
    operator = Operator(spec(), Field())
    limits = []
    for _ in range(3):
        operator.settle()
        limits.append(operator.status.stage.limit)
        assert operator.status.waiting_for.reason == "DevicesUpdating"
        assert operator.status.waiting_for.until == operator.now + timedelta(hours=2)
        operator.field.answer_all()
        operator.settle()
        if operator.status.mode == "Rolling":
            assert operator.status.waiting_for.reason == "Soaking"
            operator.now = operator.status.waiting_for.until
    assert limits == [40, 100, 200]
    status = operator.status
    assert (status.mode, status.revision.stable, status.waiting_for) == ("Idle", 1, None)
    assert status.message == "Revision 1 runs on 200 of 200 devices"
    assert status.history[-1].result == "Promoted"
    assert (status.history[-1].exposed, status.history[-1].updated) == (200, 200)
    assert {c.type: c.status for c in status.conditions} == {
        "Degraded": "False",
        "Drifted": "Unknown",
        "GatewayReachable": "True",
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
    }
    assert operator.events == ["StageStarted"] * 3 + ["Promoted"]


def test_again_asks_for_the_end_of_the_soak(rolled: Operator) -> None:
    canary_of(rolled)
    outcome = rolled.settle()
    assert outcome.again == 600.0
    rolled.now += timedelta(minutes=4)
    assert rolled.settle().again == 360.0


def test_a_stage_waits_for_every_device_it_allows(rolled: Operator) -> None:
    rolled.publish()
    rolled.settle()
    devices = [d for d, p in rolled.field.phase.items() if p == "offered"]
    for device in devices[:-1]:
        rolled.field.answer(device, "updated")
    rolled.wait(minutes=30)
    assert rolled.status.stage.complete_at is None
    assert rolled.status.message == (
        "Rolling out revision 2, stage canary: 39 of 40 devices updated (1 offered)"
    )
    rolled.field.answer(devices[-1], "silent")
    rolled.settle()
    assert rolled.status.stage.complete_at == rolled.now


def test_a_growing_fleet_widens_a_stage_in_percent() -> None:
    operator = Operator(spec(stages=(Stage(name="all", size="100%", soak="10m"),)), Field())
    operator.settle()
    operator.field.answer_all()
    operator.settle()
    assert operator.status.stage.complete_at is not None
    operator.field.devices = 260
    operator.settle()
    assert (operator.status.stage.limit, operator.status.stage.complete_at) == (260, None)
    operator.field.answer_all()
    operator.wait(minutes=10)
    operator.wait(minutes=10)
    assert operator.status.history[-1].updated == 260


def test_a_stage_in_which_no_device_took_the_revision_proves_nothing() -> None:
    operator = Operator(spec(gates=()), Field())
    operator.settle()
    operator.field.answer_all("failed")
    operator.settle()
    operator.wait(minutes=30)
    assert operator.status.stage.index == 0
    assert operator.status.waiting_for.reason == "NothingUpdated"
    assert operator.condition("Degraded").message == "40 devices refused: 40 golden-mismatch"
    operator.wait(hours=2)
    assert operator.status.mode == "Paused"


# --- gates ----------------------------------------------------------------------------------------


def test_a_bad_revision_is_taken_back_at_once_and_not_tried_again(rolled: Operator) -> None:
    canary_of(rolled, confidence=0.61)
    rolled.settle()
    assert rolled.status.mode == "Reverting"
    assert rolled.field.plan.halted == (2,)
    assert rolled.field.plan.halted_digests == (f"{2:064x}",)
    assert rolled.status.waiting_for.reason == "DevicesReverting"
    rolled.field.put_back(30)
    rolled.settle()
    assert rolled.status.waiting_for.message == "10 of 40 exposed devices still run revision 2"
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
    assert "to pass it takes 11 more without a failure" in operator.status.waiting_for.message
    operator.wait(hours=2)
    assert operator.status.mode == "Paused"
    assert operator.status.waiting_for.reason == "Inconclusive"
    assert operator.condition("Stalled").status == "True"
    operator.edit(stages=(Stage(name="canary", size=31), *stages[1:]), gates=(UPDATE,))
    operator.settle()
    operator.field.answer_all()
    operator.settle()
    assert operator.status.mode == "Paused"  # its deadline is past: no new grants
    longer = {"progress_deadline": "1d", "gates": (UPDATE,)}
    operator.edit(stages=(Stage(name="canary", size=31), *stages[1:]), **longer)
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
    assert gate.message == "0 devices stay on a stable revision to compare with, 8 are needed"


# --- changes of course ----------------------------------------------------------------------------


def test_a_newer_revision_supersedes(rolled: Operator) -> None:
    canary_of(rolled)
    rolled.publish()
    rolled.settle()
    assert rolled.status.revision.target == 3
    assert rolled.status.history[-1].result == "Superseded"
    rolled.roll()
    assert rolled.status.revision.stable == 3
    assert [h.result for h in rolled.status.history] == ["Promoted", "Superseded", "Promoted"]


def test_a_revert_is_finished_before_a_newer_revision_begins(rolled: Operator) -> None:
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    rolled.publish()
    rolled.settle()
    assert (rolled.status.mode, rolled.status.revision.target) == ("Reverting", 2)
    rolled.field.put_back()
    rolled.settle()
    assert (rolled.status.mode, rolled.status.revision.target) == ("Rolling", 3)


def test_pinning_the_stable_revision_takes_the_canaries_back(rolled: Operator) -> None:
    canary_of(rolled)
    rolled.settle()
    rolled.edit(version=1)
    rolled.settle()
    assert rolled.status.mode == "Reverting"
    rolled.field.put_back()
    rolled.settle()
    assert rolled.status.history[-1].message == (
        "Reverted revision 2: an earlier revision was asked for. 40 devices exposed, all put back."
    )
    assert rolled.condition("Ready").status == "True"
    assert rolled.condition("Degraded").status == "False"


def test_a_failed_revision_is_tried_again_after_the_pin_was_moved(rolled: Operator) -> None:
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    rolled.field.put_back()
    rolled.settle()
    rolled.edit(version=2)
    rolled.settle()
    assert rolled.status.mode == "Idle"
    rolled.edit(version=1)
    rolled.settle()
    assert (rolled.status.revision.failed, rolled.condition("Ready").status) == (0, "True")
    rolled.field.confidence[2] = 0.9
    rolled.edit(version=2)
    rolled.roll()
    assert rolled.status.revision.stable == 2


def test_a_stable_version_that_the_model_forgot_leaves_the_gateway_its_plan(
    rolled: Operator,
) -> None:
    observed = rolled.observe()
    fields = {f: getattr(observed, f) for f in observed.__slots__}
    forgetful = type(observed)(**fields | {"latest": 2, "versions": (version(2),)})
    outcome = reconcile(forgetful, rolled.now)
    assert not [a for a in outcome.actions if isinstance(a, PutPlan)]


# --- plans ----------------------------------------------------------------------------------------


def test_the_serial_rises_with_the_content_only(rolled: Operator) -> None:
    serial, writes = rolled.status.serial, rolled.writes
    for _ in range(5):
        rolled.wait(minutes=15)
    assert (rolled.status.serial, rolled.writes) == (serial, writes)
    rolled.edit(pace={"max_in_flight": 7})
    rolled.settle()
    assert (rolled.status.serial, rolled.field.plan.max_in_flight) == (serial + 1, 7)


def test_a_gateway_that_lost_everything_gets_the_plan_again(rolled: Operator) -> None:
    plan = rolled.field.plan
    rolled.field.plan = None
    rolled.settle()
    assert rolled.field.plan == plan


def test_a_status_restored_from_a_backup_overtakes_the_serial_of_the_gateway(
    rolled: Operator,
) -> None:
    old = rolled.status
    canary_of(rolled)
    rolled.settle()
    held = rolled.field.plan.serial
    rolled.status = old
    rolled.settle()
    assert rolled.field.plan.serial > held


# --- drift ----------------------------------------------------------------------------------------


def test_drift_of_one_target_is_drift_of_the_fleet_and_stays_until_another_revision(
    rolled: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def evaluate(reference, windows, *, false_alarms_per_year, interval_seconds):
        calls.append((len(windows), false_alarms_per_year, interval_seconds))
        return DriftVerdict("Drifted", START, 1.2, "mean confidence 0.95 -> 0.70")

    monkeypatch.setattr(drifting.drift, "evaluate", evaluate)
    digest = f"{1:064x}"
    seen = Window(
        index=0,
        start=START,
        end=START,
        digest=digest,
        devices=1,
        count=1,
        confidence=(1,),
        classes=(1,),
        confidence_sum=1,
        confidence_squares=1,
    )
    other = seen.model_copy(update={"digest": "another"})
    observed = rolled.observe()
    fields = {f: getattr(observed, f) for f in observed.__slots__}
    reference = Reference(1, (1,), (1,), 1, 1, 1)
    moved = type(observed)(**fields | {"windows": (seen, other), "references": {digest: reference}})
    outcome = reconcile(moved, rolled.now)
    assert calls == [(1, 1.0, 900.0)]
    rolled.status = outcome.status
    assert [a.reason for a in outcome.actions] == ["Drifted"]
    assert rolled.status.drift.message == "m4: mean confidence 0.95 -> 0.70"
    assert rolled.condition("Drifted").status == "True"
    rolled.settle()
    assert (rolled.status.drift.state, rolled.status.drift.version) == ("Drifted", 1)
    rolled.publish()
    rolled.roll()
    assert (rolled.status.drift.state, rolled.status.drift.version) == ("Unknown", 2)


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
