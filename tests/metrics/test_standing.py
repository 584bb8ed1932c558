"""What a status tells Prometheus: where an object stands, and what has ended since the last one."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from petiole.api.base import Condition
from petiole.api.devicefleet import (
    DeviceFleetStatus,
    DriftStatus,
    GateStatus,
    HistoryEntry,
    RevisionStatus,
    StageStatus,
    Waiting,
)
from petiole.api.tinymodel import LabelStatus, RoundStatus, TinyModelStatus, VersionStatus
from petiole.controller.keys import Key
from petiole.controller.progress import fleet_moved, model_moved, stage_answered
from petiole.controller.standing import Standing, of_fleet, of_model
from petiole.events.told import Teller
from petiole.events.told import of_fleet as told_of_fleet
from petiole.events.told import of_model as told_of_model

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
FLEET = Key("devicefleets", "orchard", "meters")
MODEL = Key("tinymodels", "orchard", "leaf")


def ago(**past):
    return NOW - timedelta(**past)


def condition(type_, status):
    return Condition(type=type_, status=status, last_transition_time=NOW, reason="Because")


def rolling(**fields):
    stage = StageStatus(index=1, name="early", limit=40, started_at=ago(seconds=90))
    values = {"mode": "Rolling", "stage": stage, "revision": RevisionStatus(target=3, stable=2)}
    return DeviceFleetStatus(**{**values, **fields})


def test_a_fleet_in_numbers():
    status = rolling(
        gates=(GateStatus(name="update", verdict="Continue"),),
        drift=DriftStatus(state="Stable", score="0.4"),
        waiting_for=Waiting(reason="Pace", message="...", since=ago(minutes=5)),
        reported_at=ago(seconds=10),
        conditions=(condition("Ready", "False"), condition("Drifted", "Unknown")),
    )
    found = {(name, *labels[1:]): value for name, labels, value in of_fleet("o.m", status)}
    assert {labels[0] for _, labels, _ in of_fleet("o.m", status)} == {"o.m"}
    assert found["fleet_mode", "Rolling"] == 1
    assert sum(value for (name, *_), value in found.items() if name == "fleet_mode") == 1
    assert (found["fleet_stage",], found["fleet_stage_limit_devices",]) == (1, 40)
    assert found["fleet_revision", "Model", "target"] == 3
    assert found["fleet_revision", "Model", "stable"] == 2
    assert not [key for key in found if key[1:2] == ("Firmware",)]
    assert found["fleet_gate_verdict", "update", "Continue"] == 1
    assert found["fleet_gate_verdict", "update", "Fail"] == 0
    assert found["fleet_drift_score",] == 0.4
    since = found["fleet_waiting_since_timestamp_seconds", "Pace"]
    assert since == ago(minutes=5).timestamp()
    assert found["fleet_reported_timestamp_seconds",] == ago(seconds=10).timestamp()
    assert found["fleet_condition", "Ready"] == 0
    assert ("fleet_condition", "Drifted") not in found  # unknown is neither
    unknown = of_fleet("o.m", rolling(drift=DriftStatus(score="0.0")))
    assert "fleet_drift_score" not in {name for name, *_ in unknown}


def version(**fields):
    return VersionStatus(
        version=2, round=2, created_at=NOW, labels=40, trigger="Initial", variants=(),
        reference_uri="", **fields,
    )  # fmt: skip


def test_a_model_in_numbers():
    status = TinyModelStatus(
        latest_version=2,
        round=RoundStatus(number=3, step="Labelling", since=ago(hours=1), target_labels=60),
        labels=LabelStatus(pool=500, spent=40, requested=20),
        versions=(version(accuracy="93.25%"),),
    )
    found = {(name, *labels[1:]): value for name, labels, value in of_model("o.l", status)}
    assert found["model_step", "Labelling"] == 1
    assert sum(value for (name, *_), value in found.items() if name == "model_step") == 1
    assert found["model_version",] == 2
    assert found["model_accuracy_ratio",] == pytest.approx(0.9325)
    assert ("model_f1_ratio",) not in found
    states = {state: found["model_labels", state] for state in ("spent", "requested", "target")}
    assert states == {"spent": 40, "requested": 20, "target": 60}
    assert found["model_pool_samples",] == 500
    whole = TinyModelStatus(versions=(version(f1="100.00%"),))
    assert ("model_f1_ratio", ("o.l",), 1.0) in list(of_model("o.l", whole))


def samples(standing):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in standing.collect()
        for sample in family.samples
    }


def test_an_object_that_is_gone_is_not_told_of():
    standing = Standing()
    names = [family.name for family in standing.collect()]
    assert samples(standing) == {}
    standing.fleet(FLEET, rolling())
    standing.model(MODEL, TinyModelStatus())
    found = samples(standing)
    assert found["petiole_fleet_mode", "orchard.meters", "Rolling"] == 1
    assert found["petiole_model_step", "orchard.leaf", "Idle"] == 1
    standing.fleet(FLEET, DeviceFleetStatus())
    assert samples(standing)["petiole_fleet_mode", "orchard.meters", "Rolling"] == 0
    assert ("petiole_fleet_stage", "orchard.meters") not in samples(standing)
    standing.forget(FLEET)
    assert {key[1] for key in samples(standing)} == {"orchard.leaf"}
    standing.forget(MODEL)
    standing.forget(MODEL)
    assert [family.name for family in standing.collect()] == names


def test_of_an_object_that_cannot_be_read_the_conditions_are_told():
    standing = Standing()
    standing.fleet(FLEET, rolling())
    standing.invalid(FLEET, (condition("Stalled", "True"),))
    assert samples(standing) == {("petiole_fleet_condition", "orchard.meters", "Stalled"): 1}


# --- what ended ---------------------------------------------------------------------------------


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def stage(index, started, complete=None):
    return StageStatus(
        index=index, name=f"s{index}", limit=5, started_at=started, complete_at=complete
    )


@pytest.mark.parametrize(
    ("before", "after", "promoted", "seconds"),
    [
        (stage(0, ago(seconds=90)), stage(0, ago(seconds=90)), False, None),
        (stage(0, ago(seconds=90)), stage(0, ago(seconds=90), ago(seconds=10)), False, 80.0),
        (stage(0, ago(seconds=90), ago(seconds=10)), stage(1, NOW), False, None),
        (stage(0, ago(seconds=90)), stage(1, NOW), False, 90.0),  # without soak
        (stage(1, ago(seconds=90)), StageStatus(), True, 90.0),
        (stage(1, ago(seconds=90)), StageStatus(), False, None),  # taken back
        (stage(1, ago(seconds=90)), stage(0, NOW), False, None),  # another revision
        (StageStatus(), stage(0, NOW), False, None),
    ],
)
def test_a_stage_is_timed_when_its_last_device_has_answered(before, after, promoted, seconds):
    old, new = rolling(stage=before), rolling(stage=after)
    assert stage_answered(old, new, promoted=promoted, now=NOW) == seconds


def test_a_rollout_that_ended_is_counted_once():
    entry = HistoryEntry(
        revision=3, result="Reverted", started_at=ago(minutes=10), finished_at=NOW,
        exposed=4, updated=0, reverted=4,
    )  # fmt: skip
    before, after = rolling(), rolling(mode="Idle", history=(entry,))
    labels = {"kind": "Model", "result": "Reverted"}
    count, total = (f"petiole_fleet_rollout_seconds_{end}" for end in ("count", "sum"))
    had = counted(count, **labels), counted(total, **labels)
    teller = Teller("devicefleets", "orchard", "meters", "uid")
    fleet_moved(before, after, told_of_fleet(teller, before, after, NOW), NOW)
    fleet_moved(after, after, told_of_fleet(teller, after, after, NOW), NOW)
    assert counted(count, **labels) - had[0] == 1
    assert counted(total, **labels) - had[1] == 600


def test_a_drift_alarm_is_counted_once():
    before = rolling(drift=DriftStatus(state="Stable"))
    after = rolling(drift=DriftStatus(state="Drifted", detected_at=NOW))
    teller = Teller("devicefleets", "orchard", "meters", "uid")
    had = counted("petiole_fleet_drift_alarms_total")
    fleet_moved(before, after, told_of_fleet(teller, before, after, NOW), NOW)
    fleet_moved(after, after, told_of_fleet(teller, after, after, NOW), NOW)
    assert counted("petiole_fleet_drift_alarms_total") - had == 1


def test_steps_and_rounds_that_ended_are_counted():
    teller = Teller("tinymodels", "orchard", "leaf", "uid")

    def at(step, since, latest=0):
        round_ = RoundStatus(number=1, step=step, since=since)
        return TinyModelStatus(round=round_, latest_version=latest)

    def move(before, after):
        model_moved(before, after, told_of_model(teller, before, after, NOW), NOW)

    training = "petiole_model_step_seconds_sum", {"step": "Training"}
    had = (
        counted(training[0], **training[1]),
        counted("petiole_model_rounds_total", result="Accepted"),
    )
    move(at("Training", ago(seconds=300)), at("Training", ago(seconds=5)))  # tried again
    move(at("Training", ago(seconds=200)), at("Packing", NOW))
    assert counted(training[0], **training[1]) - had[0] == 200
    move(at("Packing", ago(seconds=2)), at("Idle", None, latest=1))
    assert counted("petiole_model_rounds_total", result="Accepted") - had[1] == 1
    assert counted("petiole_model_step_seconds_count", step="Idle") == 0
