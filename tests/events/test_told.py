"""What a new status tells: each thing once, under an id of its own."""

from datetime import UTC, datetime

from petiole.api.devicefleet import DeviceFleetStatus
from petiole.api.tinymodel import TinyModelStatus
from petiole.events import told
from petiole.events.told import Teller, of_fleet, of_model

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MODEL = Teller("tinymodels", "orchard", "leaf", "u1")
FLEET = Teller("devicefleets", "orchard", "trees", "u2")


def model(step, run="", number=1, version=0, requested=0):
    return TinyModelStatus.model_validate(
        {
            "message": "in words",
            "latestVersion": version,
            "round": {"number": number, "step": step, "run": run, "trigger": "Drift"},
            "labels": {"spent": 40, "requested": requested},
        }
    )


def entry(result, revision=3, kind="Model"):
    at = {"startedAt": "2026-05-01T10:00:00Z", "finishedAt": "2026-05-01T11:00:00Z"}
    counts = {"exposed": 30, "updated": 0, "reverted": 30}
    return {"kind": kind, "revision": revision, "result": result, **at, **counts}


def fleet(history=(), **drift):
    return DeviceFleetStatus.model_validate({"history": history, "drift": drift})


def test_each_batch_wants_labels_once():
    asked = model("Labelling", "leaf-r1-b40-query", requested=20)
    (one,) = of_model(MODEL, model("Querying", "leaf-r1-b40-query"), asked, NOW)
    assert (one.type, one.id) == ("dev.petiole.labels.wanted", "u1.leaf-r1-b40-query.labels")
    assert (one.data["wanted"], one.data["run"]) == (20, "leaf-r1-b40-query")
    assert of_model(MODEL, asked, asked, NOW) == ()
    after = model("Labelling", "leaf-r1-b60-query")
    (other,) = of_model(MODEL, model("Querying", "leaf-r1-b60-query"), after, NOW)
    assert other.id != one.id


def test_a_round_ends_with_a_version_or_without():
    (good,) = of_model(MODEL, model("Packing", version=1), model("Idle", version=2), NOW)
    assert (good.type, good.data["result"], good.data["version"]) == (
        "dev.petiole.round.finished",
        "Accepted",
        2,
    )
    (bad,) = of_model(MODEL, model("Training", version=1), model("Idle", version=1), NOW)
    assert (bad.data["result"], bad.data["version"]) == ("Rejected", None)
    assert of_model(MODEL, model("Idle"), model("Idle"), NOW) == ()
    assert of_model(MODEL, model("Idle"), model("Querying", "r"), NOW) == ()


def test_drift_is_told_when_it_is_detected_and_again_when_it_is_another():
    stable, first = fleet(), fleet(state="Drifted", detectedAt="2026-05-01T11:59:00Z", version=4)
    (one,) = of_fleet(FLEET, stable, first, NOW)
    assert (one.type, one.data["version"]) == (told.DRIFT_DETECTED, 4)
    assert of_fleet(FLEET, first, first, NOW) == ()
    assert of_fleet(FLEET, first, fleet(state="Stable"), NOW) == ()
    second = fleet(state="Drifted", detectedAt="2026-05-02T11:59:00Z", version=5)
    (other,) = of_fleet(FLEET, first, second, NOW)
    assert other.id != one.id


def test_rollouts_are_told_when_they_enter_the_history():
    before, after = [entry("Promoted", 2)], [entry("Promoted", 2), entry("Reverted", 3)]
    (one,) = of_fleet(FLEET, fleet(before), fleet(after), NOW)
    assert (one.type, one.data["reverted"]) == ("dev.petiole.rollout.reverted", 30)
    assert one.time == datetime(2026, 5, 1, 11, tzinfo=UTC)
    both = [*after, entry("Promoted", 3, "Firmware")]
    (other,) = of_fleet(FLEET, fleet(after), fleet(both), NOW)
    assert (other.type, other.id != one.id) == ("dev.petiole.rollout.finished", True)
    assert of_fleet(FLEET, fleet(both), fleet(both[1:]), NOW) == ()


def test_what_is_noticed_twice_is_the_same_event():
    later = NOW.replace(hour=13)
    steps = model("Packing", version=1), model("Idle", version=2)
    (one,), (again,) = of_model(MODEL, *steps, NOW), of_model(MODEL, *steps, later)
    assert one.id == again.id
    assert MODEL.source == "/apis/petiole.dev/v1alpha1/namespaces/orchard/tinymodels/leaf"
