"""What the bench of many objects counts; and a small one, whole."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from bench.operator import scale
from bench.operator.requests import Asked, Tail

ME = "the-operator"


def event(verb: str, resource: str, *, user: str = ME, stage: str = "ResponseComplete", sub=None):
    about = {"resource": resource} | ({"subresource": sub} if sub else {})
    return {"verb": verb, "stage": stage, "user": {"username": user}, "objectRef": about}


def test_requests_are_counted_once_and_of_one_user() -> None:
    asked = Asked.of(
        [
            event("get", "devicefleets"),
            event("get", "devicefleets", user="somebody"),
            event("watch", "devicefleets", stage="ResponseStarted"),
            event("watch", "devicefleets"),
            event("patch", "devicefleets", sub="status"),
            event("create", "events"),
        ],
        ME,
    )
    assert asked.by[("patch", "devicefleets/status")] == 1
    assert (asked.total, asked.writes) == (4, 2)


def test_a_request_without_an_object_is_named_by_its_path() -> None:
    plain = {"verb": "get", "stage": "ResponseComplete", "user": {"username": ME}}
    assert Asked.of([plain | {"requestURI": "/version"}], ME).by == Counter(
        {("get", "/version"): 1}
    )


def test_a_log_is_read_on_where_it_was_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text(json.dumps({"n": 0}) + "\n")
    tail = Tail(log)
    with log.open("a") as writing:
        writing.write(json.dumps({"n": 1}) + '\n{"n"')
        writing.flush()
        assert tail.take() == [{"n": 1}]
        writing.write(": 2}\n")
    log.rename(tmp_path / "audit-old.log")
    assert tail.take() == [{"n": 2}]
    log.write_text('{"n": 3}\n')
    assert tail.take() == [{"n": 3}]
    tail.close()


def found(*, writes: int = 0, memory: list[float] | None = None) -> scale.Found:
    def act(name: str, asked: Asked) -> scale.Act:
        return scale.Act(name, 60.0, asked, operator=3.0, gateway=2.0, rss=100.0)

    rest = Asked(Counter({("get", "devicefleets"): 60, ("patch", "devicefleets/status"): writes}))
    acts = [act("rest", rest), act("restart", Asked(Counter()))]
    return scale.Found(60, acts, memory or [100.0] * 20)


def test_rest_without_a_write_and_without_growth_is_good() -> None:
    assert found().good
    assert found().figures()["cpuSecondsPerHour"] == 180
    assert found().figures()["requestsPerMinuteAtRest"] == 60


def test_a_write_at_rest_is_not() -> None:
    assert not found(writes=1).good


def test_growth_is_that_of_the_medians_and_not_of_a_spike() -> None:
    spike = [100.0] * 12 + [140.0] + [100.0] * 27
    assert found(memory=spike).good
    assert not found(memory=[100.0 + n / 10 for n in range(40)]).good


@pytest.mark.long
@pytest.mark.timeout(600)
def test_thirty_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    made = scale.measure(30, 20.0, Console(), settle_seconds=5.0)
    assert [act.name for act in made.acts] == [
        "models found", "fleets made", "fleets edited", "rest", "restart",
    ]  # fmt: skip
    assert made.act("rest").asked.writes == 0
    assert made.act("restart").asked.writes == 0
    edited = made.act("fleets edited").asked
    assert edited.by[("patch", "devicefleets/status")] >= 30
    # One pass of the edit, one of what the gateway says to it, and what the status makes of both.
    assert edited.total <= 30 * 20
    assert made.act("restart").asked.total <= 60 * 8
    with capsys.disabled():
        Console().print(scale.table(made))
