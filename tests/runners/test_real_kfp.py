"""The KFP runner and the whole operator at a real backend, with the real pipelines image.

``make test-kfp``. Nothing is played here. What is made at a backend that was there before, and in
its store, stays for reading; names and folders are new each time.
"""

import threading
import time

import pytest

from hack.testbed.processes import ProcessError
from hack.testbed.testbed import Testbed
from tests.controller.broken_line import Break, BrokenLine
from tests.loop.orchard import tiny_model
from tests.runners.real_kfp import LONGEST, Backend, place

pytestmark = [pytest.mark.kfp, pytest.mark.timeout(3600)]

EXPERIMENTS, RUNS = "POST /apis/v2beta1/experiments", "POST /apis/v2beta1/runs"
# Around every write to KFP in a round of a query and a training.
BREAKS = (
    Break(EXPERIMENTS, "before"),
    Break(EXPERIMENTS, "after"),
    Break(RUNS, "before"),
    Break(RUNS, "during"),
    Break(RUNS, "before"),
    Break(RUNS, "after"),
)


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kfp")
    with place(folder) as where:
        yield Backend(folder, where)


def test_a_round_asks_for_labels(backend):
    key = backend.key(1)
    assert backend.runner.find(key) is None
    backend.start(key)
    backend.start(key)
    run = backend.until_over(key)
    assert run.state == "Succeeded", run
    assert len(backend.store.get_json(run.outputs["query.json"])["queries"]) == 20
    assert len(backend.api.named(key.name)) == 1


def test_a_failing_step_is_named(backend):
    key = backend.key(2)
    backend.start(key, pool=f"{backend.store.uri}/test-kfp/nowhere")
    run = backend.until_over(key)
    assert (run.state, run.step, run.reason) == ("Failed", "embed", "DataMissing")


def test_a_run_that_somebody_terminates_is_canceled(backend):
    key = backend.key(3)
    backend.start(key)
    backend.until_running(key)
    backend.api.terminate(backend.api.named(key.name)[0])
    assert backend.until_over(key).reason == "Canceled"


def test_an_overrunning_run_is_ended(backend):
    key = backend.key(4)
    backend.start(key, deadline=3.0)
    assert backend.until_over(key).reason == "DeadlineExceeded"
    over = ("FAILED", "CANCELED")
    backend.until(lambda: backend.api.named(key.name)[0].state in over, "KFP to end it")


def test_the_operator_comes_to_an_accepted_version(backend, tmp_path):
    with petiole(tmp_path, backend, backend.place.url) as testbed:
        uid = plant(testbed, backend)
        status = backend.until(lambda: accepted(testbed), "version 1")
    accepted_once(status, backend, uid)


def test_killed_at_every_write_it_makes_no_second_run(backend, tmp_path, record_property):
    """At each call that changes something at KFP, and after each write to the API server."""
    dead = threading.Event()

    def kill():
        testbed.operator.kill()
        dead.set()

    with (
        BrokenLine(backend.place.url, kill) as line,
        petiole(tmp_path, backend, line.url) as testbed,
    ):
        line.breaks += BREAKS
        uid = plant(testbed, backend)
        kills = kill_after_every_write(testbed, dead)
        status = accepted(testbed)
        assert line.breaks == [], "all of KFP's writes were disturbed"
    record_property("kills after writes to the API server", kills)
    assert kills >= 5
    accepted_once(status, backend, uid)


def petiole(folder, backend, kfp_url):
    """A control plane, broker, gateway and operator; all but the runs, on loopback."""
    where = backend.place
    return Testbed(
        folder,
        operator_options=[
            "--store", where.store,
            "--resync", "5",
            "--runner", "kfp",
            "--kfp-url", kfp_url,
            "--kfp-namespace", where.namespace,
            "--kfp-pipeline", str(backend.pipeline),
            "--kfp-secret", where.secret,
            "--pipelines-image", where.image,
        ],
    )  # fmt: skip


def plant(testbed, backend):
    """Apply a TinyModel that asks once and trains once; return its uid."""
    testbed.cluster.apply(tiny_model(backend.digits, batchSize=60, deadline="20m"))
    return testbed.cluster.get("tinymodel", "digits")["metadata"]["uid"]


def accepted(testbed):
    status = testbed.cluster.get("tinymodel", "digits").get("status", {})
    return status if status.get("latestVersion") else None


def accepted_once(status, backend, uid):
    """Version 1 came of one query and one training, as the operator and as KFP have it."""
    assert [version["version"] for version in status["versions"]] == [1], status
    assert status["labels"]["spent"] == 60
    runs = [f"digits-{uid[:8]}-r1-b0-query", f"digits-{uid[:8]}-r1-b60-train"]
    assert backend.names(uid[:8]) == runs
    assert {backend.api.named(name)[0].state for name in runs} == {"SUCCEEDED"}


def kill_after_every_write(testbed, dead):
    """Kill the operator whenever it has written, until the version is there; return how often.

    ``dead`` is set where something else killed it. It is started again each time.
    """
    limit, kills = time.monotonic() + 2 * LONGEST, 0
    seen = testbed.cluster.writes()
    while not accepted(testbed):
        if dead.is_set():
            revive(testbed, dead)
        elif testbed.cluster.writes() > seen:
            testbed.operator.kill()
            kills, seen = kills + 1, testbed.cluster.writes()
            revive(testbed, dead)
        assert time.monotonic() < limit, f"no version after {kills} kills in {2 * LONGEST} s"
        time.sleep(0.2)
    return kills


def revive(testbed, dead):
    """Start the operator until it lives to be ready: the line may break meanwhile."""
    while True:
        dead.clear()
        try:
            testbed.start_operator()
        except ProcessError:
            if not dead.wait(10):  # it is killed first, noted next
                raise
        else:
            return
