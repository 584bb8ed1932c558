"""What the acts read from the objects, and how they give up."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from kubernetes.client import ApiException
from urllib3.exceptions import ReadTimeoutError

from hack.demo import acts
from hack.demo.acts import drift_is_stable, finished, told_by_telemetry, version_since
from hack.demo.children import detectors_of
from hack.demo.record import Failing, Record
from hack.demo.watch import ActFailedError, Cluster, Snapshot, watched
from hack.testbed.machines import Failure


def model(version=0, **condition):
    conditions = [{"status": "True", "reason": "Why", "message": "what to do"} | condition]
    status = {"latestVersion": version, "message": "Training", "conditions": conditions}
    return Snapshot(0.0, model={"status": status | ({} if condition else {"conditions": []})})


def fleet(**status):
    return Snapshot(0.0, fleet={"status": status})


def test_a_version_counts_once_it_is_newer():
    assert version_since(model(1), 0) == 1
    assert version_since(model(1), 1) is None
    assert version_since(Snapshot(0.0), 0) is None


@pytest.mark.parametrize("type_", ["Rejected", "Stalled"])
def test_a_model_that_cannot_go_on_ends_the_wait(type_):
    with pytest.raises(ActFailedError, match="what to do"):
        version_since(model(1, type=type_), 0)


def test_a_rollout_that_ends_otherwise_ends_the_wait():
    entry = {"revision": 2, "result": "Reverted", "message": "canaries were worse"}
    assert finished(fleet(history=[entry]), 1, "Promoted") is None
    assert finished(fleet(history=[entry]), 2, "Reverted") == entry
    with pytest.raises(ActFailedError, match="canaries were worse"):
        finished(fleet(history=[entry]), 2, "Promoted")


def test_detectors_are_named_where_there_are_any():
    classes = {"target": "m4", "choice": "the widest of the usual networks that fits"}
    assert detectors_of({"variants": [classes]}) == {}
    chosen = {"option": "means of 3 sensors", "nominal": 0.1, "expected": 0.1}
    machine = {"target": "m4", "choice": chosen, "detector": {"kind": "Distance"}}
    assert detectors_of({"variants": [machine]}) == {"m4": "means of 3 sensors"}


def test_drift_before_the_shift_is_a_failure():
    assert drift_is_stable(fleet(drift={"state": "Unknown"})) is None
    assert drift_is_stable(fleet(drift={"state": "Stable"})) is True
    calm = {"state": "Stable", "version": 1}
    assert drift_is_stable(fleet(drift=calm, revision={"stable": 2})) is None
    assert drift_is_stable(fleet(drift=calm, revision={"stable": 1})) is True
    with pytest.raises(ActFailedError, match="before"):
        drift_is_stable(fleet(conditions=[{"type": "Drifted", "status": "True"}]))


BEGAN = datetime(2030, 1, 1, 12, tzinfo=UTC)


def seen(minute, count, alarms):
    """A window of the gateway that began at that minute of the hour."""
    start = BEGAN.replace(hour=11 if minute < 0 else 12, minute=minute % 60).isoformat()
    return {"start": start, "count": count, "classes": [count - alarms, alarms]}


def failing(raised):
    """A machine whose device raised the alarm on so many of three faulty readings."""
    alarms = [n < raised for n in range(3)]
    return Failing(1, "calm", [Failure("a", "bed/1", "calm", "d1", alarms, [True] * 3)])


def staged(*windows):
    async def answer(digests):
        assert digests == ["d1"]
        return list(windows)

    record = Record(BEGAN)
    record.model = {"status": {"versions": [{"version": 1, "variants": [{"digest": "d1"}]}]}}
    return SimpleNamespace(record=record, gateway=SimpleNamespace(windows=answer))


async def test_alarms_of_the_fleet_are_those_since_the_machines_failed():
    found = failing(3)
    await told_by_telemetry(staged(seen(-1, 50, 9), seen(0, 60, 1), seen(1, 60, 2)), found, BEGAN)
    assert (found.answers, found.alarms) == (120, 3)


async def test_alarms_that_no_window_has_end_the_demo(monkeypatch):
    monkeypatch.setattr(acts, "TOLD_SECONDS", 0.1)
    with pytest.raises(ActFailedError, match="2 alarms and the fleet's windows have none"):
        await told_by_telemetry(staged(seen(0, 60, 0)), failing(2), BEGAN)


async def test_a_fault_that_no_device_sees_is_no_failure_of_telemetry():
    found = failing(0)
    await told_by_telemetry(staged(seen(0, 60, 0)), found, BEGAN)
    assert (found.answers, found.alarms) == (60, 0)


def cluster(dead=lambda: None):
    model_, fleet_ = (
        watched({"kind": kind, "metadata": {"name": "digits"}})
        for kind in ("TinyModel", "DeviceFleet")
    )
    logs = Path("logs")
    found = Cluster(model_, fleet_, Path("k"), Path("kubectl"), "default", logs, dead=dead)
    found.latest = model(1)
    return found


async def test_giving_up_says_what_was_waited_for_and_what_was_seen():
    with pytest.raises(ActFailedError) as error:
        await cluster().wait("version 7", lambda s: version_since(s, 6), 0.2)
    for words in ("version 7", "TinyModel/digits: Training", "it does not exist", "logs"):
        assert words in str(error.value)


class Answers:
    """An API server that says these things in turn."""

    def __init__(self, *turns):
        self.turns = iter(turns)

    def get_namespaced_custom_object(self, *_, **__):
        found = next(self.turns)
        if isinstance(found, Exception):
            raise found
        return found


def test_a_server_that_is_slow_or_refuses_changes_nothing_and_is_named():
    found = cluster()
    slow, refuses = ReadTimeoutError(None, "/", "Read timed out."), ApiException(503, "busy")
    gone = ApiException(404, "Not Found")
    api = Answers({"kind": "TinyModel"}, slow, refuses, gone)
    last = found._read(api, found.model, None)
    assert (last, found.problem) == ({"kind": "TinyModel"}, "")
    for words in ("timed out", "503 busy"):
        assert found._read(api, found.model, last) == last
        assert words in found.problem
    assert found._read(api, found.model, last) is None
    assert found.problem == ""


async def test_a_dead_process_ends_the_wait_at_once():
    async with asyncio.timeout(5):
        with pytest.raises(ActFailedError, match="gateway has ended"):
            await cluster(lambda: "gateway has ended").wait("anything", lambda _: None, 600)
