"""The life of a fleet, scene by scene, as the controller plays it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from petiole.api.rollout import Stage
from petiole.learning.drift import DriftVerdict
from petiole.rollout import drifting
from petiole.rollout.observed import PutPlan, Reference
from petiole.rollout.plan import Window
from petiole.rollout.reconcile import reconcile
from petiole.rollout.stages import size

from .fleet import START, Field, Operator, canary_of, spec, version

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
    assert status.waiting_for.message.endswith("`kubectl edit devicefleet meters -n default`")
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


def test_a_reference_that_cannot_be_read_stops_no_rollout(rolled: Operator) -> None:
    rolled.settle()
    assert all(c.type != "ReferenceReadable" for c in rolled.status.conditions)
    rolled.reference_problem = "file:///store/models/u/versions/1.json is not JSON. Restore it."
    rolled.latest = 2
    rolled.settle()
    assert (rolled.status.mode, rolled.status.revision.target) == ("Rolling", 2)
    assert rolled.status.waiting_for.reason != "GatewayUnreachable"
    assert rolled.condition("GatewayReachable").status == "True"
    told = rolled.condition("ReferenceReadable")
    assert (told.status, told.reason) == ("False", "ReferenceUnreadable")
    assert "Restore it. Rollouts go on; drift is not judged" in told.message
    rolled.reference_problem = ""
    rolled.settle()
    assert rolled.condition("ReferenceReadable").status == "True"


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

    def evaluate(reference, windows, *, false_alarms_per_year, interval_seconds, **_):
        calls.append((len(windows), false_alarms_per_year, interval_seconds))
        return DriftVerdict("Drifted", START, 1.2, "mean confidence 0.95 -> 0.70")

    monkeypatch.setattr(drifting.drift, "evaluate", evaluate)
    monkeypatch.setattr(drifting, "_known", {})
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
