"""Several operators and one Lease, on a real API server: who writes is read from its audit log."""

import os
import signal
import time

import pytest

from hack.testbed.apiline import Answer, ApiLine
from hack.testbed.waits import wait_until

from .conftest import Model, Operator, answers

LEASES = "coordination.k8s.io"


@pytest.fixture
def pair(tmp_path, processes, control_plane, gateway, namespace):
    """Make two operators of one release, each with a name of its own in the audit log."""
    made = []

    def make(**more):
        for user in (f"{namespace}-a", f"{namespace}-b"):
            settings = {
                "PETIOLE_KUBECONFIG": str(control_plane.stand_in(user, release=namespace)),
                "PETIOLE_LEASE": f"{namespace}/petiole-operator",
                "PETIOLE_IDENTITY": user,
                **more,
            }
            made.append(
                Operator(tmp_path, processes, control_plane, gateway, namespace, **settings)
            )
        return made

    yield make
    for operator in made:
        if operator.process is not None:
            operator.process.stop()


def never_both(first, second):
    """Tell whether all that ``first`` did was over before ``second`` began; both did something."""
    earlier, later = (list(o.cluster.accepted(o.more["PETIOLE_IDENTITY"])) for o in (first, second))
    assert earlier
    assert later
    return max(done for _, done in earlier) < min(begun for begun, _ in later)


def begun(operator, model):
    return operator.status("tinymodel", model.name).get("round", {}).get("number", 0)


def follows(operator):
    """Wait until a second operator is there, and see that it is not ready."""
    operator.launch()
    operator.process.wait_ready(lambda: answers(f"{operator.url}/healthz"), 60)
    assert not operator.ready()


def test_another_leads_when_the_leader_is_killed(pair, tmp_path, namespace):
    first, second = pair(PETIOLE_LEASE_SECONDS="3")
    model, later = Model(tmp_path / "1", namespace), Model(tmp_path / "2", namespace)
    first.start()
    follows(second)
    first.cluster.apply(model.manifest(labelBudget=4))
    wait_until(lambda: begun(first, model), 20, "a round by the leader")
    first.kill()
    first.cluster.apply(later.manifest(labelBudget=4))
    wait_until(lambda: begun(second, later), 20, "a round by the other")
    assert second.ready()
    assert never_both(first, second)


@pytest.mark.long
def test_a_leader_that_slept_writes_no_more(pair, tmp_path, namespace):
    first, second = pair(PETIOLE_LEASE_SECONDS="3")
    model = Model(tmp_path / "1", namespace)
    model.behave(sleep=0.5)
    first.start()
    follows(second)
    first.cluster.apply(model.manifest())
    wait_until(lambda: begun(first, model), 20, "a round by the leader")
    os.kill(first.process.pid, signal.SIGSTOP)
    try:
        second.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1")
    finally:
        os.kill(first.process.pid, signal.SIGCONT)
    assert first.process.wait(30) == 1
    assert "leads no more" in first.process.log.read_text()
    assert never_both(first, second)
    assert len(set(model.runs())) == len(model.runs()) == 3


@pytest.mark.long
def test_a_leader_that_is_told_to_stop_lets_the_other_lead_at_once(pair):
    first, second = pair(PETIOLE_LEASE_SECONDS="120")
    first.start()
    follows(second)
    first.process.stop(30)
    ended = time.monotonic()
    # A follower of such a Lease looks every 20 s.
    wait_until(second.ready, 40, "the other to lead")
    assert time.monotonic() - ended < 40


@pytest.mark.long
def test_a_leader_that_cannot_renew_ends_and_leads_again(pair, control_plane, namespace):
    (first, _) = pair(PETIOLE_LEASE_SECONDS="3")
    with ApiLine(control_plane, f"{namespace}-line", release=namespace) as line:
        first.more["PETIOLE_KUBECONFIG"] = str(line.kubeconfig)
        first.start()
        line.answer = lambda asked: Answer(503) if LEASES in asked.path else None
        assert first.process.wait(30) == 1
        assert "could not be renewed" in first.process.log.read_text()
        first.launch()  # as its supervisor would
        first.process.wait_ready(lambda: answers(f"{first.url}/healthz"), 60)
        assert not first.ready()
        line.mend()
        first.process.wait_ready(first.ready, 30)


@pytest.mark.long
def test_refused_by_the_api_server_it_ends_with_a_word_and_begins_anew(
    control_plane, namespace, operator, model
):
    """What kopf calls fatal. A supervisor starts the operator again; it waits until it may."""
    with ApiLine(control_plane, f"{namespace}-line") as line:
        operator.more["PETIOLE_KUBECONFIG"] = str(line.kubeconfig)
        operator.start()
        line.answer = lambda _: Answer(401)
        line.cut()
        assert operator.process.wait(30) == 1
        assert "Watching ended" in operator.process.log.read_text()
        operator.launch()
        operator.cluster.apply(model.manifest(labelBudget=4))
        line.mend()
        operator.process.wait_ready(operator.ready, 30)
        operator.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1")
