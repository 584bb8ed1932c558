"""What the operator may expect of a runner, whichever it is."""

import pytest

from hack.testbed.collector import Collector
from petiole import tracing
from petiole.tracing import Place


def test_a_run_is_not_there_before_it_is_started(world):
    assert world.find() is None
    assert world.start().state == "Running"
    assert world.find() is not None


def test_a_run_succeeds_with_its_outputs(world):
    world.start()
    run = world.until_over()
    path = f"{world.key().folder}/query.json"
    assert (run.state, run.outputs) == ("Succeeded", {"query.json": path})
    assert world.store.get_json(path) == {"queries": []}


def test_starting_again_makes_no_second_run(world):
    world.behave(sleep=0.3)
    for _ in range(3):
        world.start()
    assert world.until_over().state == "Succeeded"
    assert world.start().state == "Succeeded"
    assert len(world.begun()) == 1


def test_a_failing_step_is_named_with_reason_and_message(world):
    world.behave(end="fail")
    world.start()
    run = world.until_over()
    found = (run.state, run.reason, run.step, run.message)
    assert found == ("Failed", "NoLabels", "embed", "no sample has a label yet")
    assert run.outputs == {}


def test_a_run_that_dies_without_a_word_is_told_from_one_that_failed(world):
    world.behave(end="die")
    world.start()
    run = world.until_over()
    assert (run.state, run.reason) == ("Failed", "Died")
    assert run.message


def test_an_overrunning_run_is_ended(world):
    world.behave(sleep=600)
    world.start(deadline=1.0)
    run = world.until_over()
    assert (run.state, run.reason) == ("Failed", "DeadlineExceeded")
    assert "spec.learning.deadline" in run.message


def test_cancel_ends_the_run_for_good(world):
    world.behave(sleep=600)
    world.start()
    world.until_begun()
    world.runner.cancel(world.key())
    assert world.find().reason == "Canceled"
    assert world.start().reason == "Canceled"
    world.restart()
    assert (world.find().state, world.find().reason) == ("Failed", "Canceled")
    assert len(world.begun()) == 1


def test_cancel_leaves_alone_what_is_over_or_unknown(world):
    world.start()
    world.until_over()
    world.runner.cancel(world.key())
    assert world.find().state == "Succeeded"
    unknown = world.key("leaf-0f5c1e52-r0-b0-query")
    world.runner.cancel(unknown)
    assert world.find(unknown) is None


def test_a_restarted_operator_finds_the_run_and_starts_no_second(world):
    world.behave(sleep=1.0)
    world.start()
    world.until_begun()
    world.restart()
    assert world.find().state == "Running"
    world.start()
    assert world.until_over().state == "Succeeded"
    world.restart()
    assert world.find().state == "Succeeded"
    assert len(world.begun()) == 1


def test_a_run_that_vanished_without_a_result_has_died(world):
    world.behave(sleep=600)
    world.start()
    world.until_begun()
    world.vanish()
    run = world.until_over()
    assert (run.state, run.reason) == ("Failed", "Died")
    assert run.message


@pytest.mark.parametrize("head", ["", "l" * 50], ids=["short", "long"])
def test_a_retry_is_a_run_of_its_own(world, head):
    first, again = (world.key(f"{head}{world.run}{end}") for end in ("", "-a2"))
    world.start(first)
    assert world.until_over(first).state == "Succeeded"
    assert world.find(again) is None
    world.start(again)
    assert world.until_over(again).state == "Succeeded"
    assert len(world.begun()) == 2


def test_a_run_is_in_the_trace_that_started_it(world, monkeypatch):
    place = Place.named("round/uid-1/1").below("Querying")
    with Collector() as collector:
        for name, value in collector.environment.items():
            monkeypatch.setenv(name, value)
        with tracing.process("petiole-operator"), tracing.within(place):
            world.start()
        assert world.until_over().state == "Succeeded"
        (span,) = collector.until("embed")
    assert (span.service, span.trace, span.parent) == (
        "petiole-pipelines",
        f"{place.trace:032x}",
        f"{place.span:016x}",
    )
