"""Kills and faults between the operator and the API server change no end.

``make bench-operator`` kills after each write of a whole scenario, and tries all faults.
"""

import time
from collections import Counter

import pytest
from rich.console import Console

from bench.operator import crashes, faults
from hack.testbed.apiline import Answer, ApiLine
from petiole.controller.cluster import ClusterError, RefusedError
from petiole.controller.keys import Key
from petiole.controller.reconciler import Reconciler
from petiole.learning.observed import Event


def events(operator):
    found = operator.cluster.kubectl(
        *("get", "events", "-n", operator.namespace, "-o"),
        "jsonpath={range .items[*]}{.reason}:{.message}{'\\n'}{end}",
    )
    return Counter(line.partition(":")[0] for line in found.splitlines())


def test_killed_after_two_writes_and_refused_others_a_round_ends_as_ever(
    control_plane, namespace, operator, model
):
    """Killed between what announces a round and what begins it, then later, and then told 500."""
    refused = []

    def written(asked, _):
        last = len(line.writes) in (1, 4)
        if last:
            operator.kill()
        return last

    def answer(asked):
        if not asked.writes or len(line.writes) < 5 or len(refused) == 2:
            return None
        refused.append(asked)
        return Answer(500)

    with ApiLine(control_plane, f"{namespace}-line") as line:
        line.written, line.answer = written, answer
        operator.more["PETIOLE_KUBECONFIG"] = str(line.kubeconfig)
        operator.cluster.apply(model.manifest(labelBudget=4))
        operator.launch()
        for _ in range(2):
            operator.process.wait(100)
            operator.launch()
        operator.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1")
        before = len(line.writes)
        time.sleep(2.5)  # a resync
        assert len(line.writes) == before
    assert len(refused) == 2
    assert len(set(model.runs())) == len(model.runs()) == 2
    assert events(operator) == {"RoundStarted": 1, "Accepted": 1}


class Telling:
    """A cluster that says no to Events."""

    def __init__(self, error):
        self.error = error

    async def event(self, *_):
        raise self.error


def reconciler(cluster):
    names = ("gateway", "models", "fleets", "watches", "outbox", "showing", "clock")
    return Reconciler(cluster=cluster, **dict.fromkeys(names))


async def test_an_event_that_is_refused_holds_nothing_up_and_another_comes_again():
    tell = (Key("tinymodels", "fields", "maize"), {}, [Event("Normal", "Accepted", "Version 1")])
    await reconciler(Telling(RefusedError("403: the namespace is being deleted")))._tell(*tell)
    with pytest.raises(ClusterError, match="503"):
        await reconciler(Telling(ClusterError("503")))._tell(*tell)


class Behind:
    """A cluster whose lists are from before the fleet was made, and a gateway that has its plan."""

    def __init__(self, found):
        self.found, self.deleted = found, []

    async def all(self, _plural, _namespaces):
        return []

    async def get(self, _plural, _namespace, _name):
        return self.found

    async def fleets(self):
        return ["fields.maize"]

    async def delete(self, fleet):
        self.deleted.append(fleet)

    async def compare(self, _keys, _ours):
        pass


@pytest.mark.parametrize(("found", "deleted"), [({"metadata": {}}, []), (None, ["fields.maize"])])
async def test_a_fleet_that_a_list_lacks_is_cleared_only_when_it_is_gone(found, deleted):
    behind = Behind(found)
    sweeping = reconciler(behind)
    sweeping.gateway = sweeping.showing = behind
    assert await sweeping.sweep(()) == []
    assert behind.deleted == deleted


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_after_some_of_its_writes_the_end_is_the_same():
    found = crashes.sweep(every=9, lanes=2, console=Console())
    assert [str(v) for v in found.verdicts if not v.same] == []
    assert found.figures()["killed"] == len(found.verdicts) - 1 >= 4


@pytest.mark.long
@pytest.mark.timeout(900)
def test_after_some_faults_the_end_is_the_same():
    found = faults.measure(["410 in watches", "objects stale"], lanes=2, console=Console())
    assert [str(v) for v in found.failed] == []
