"""What a person asks for beside the spec, and what is refused."""

from __future__ import annotations

import pytest

from petiole.api.rollout import Stage

from .fleet import CONFIDENCE, START, UPDATE, Field, Operator, canary_of, spec

COMMAND = "petiole {} meters -n default"


def rolling(rolled: Operator, **changes) -> Operator:
    """A second revision, whose canaries have the grant."""
    if changes:
        rolled.edit(**changes)
    rolled.publish()
    rolled.settle()
    rolled.events.clear()
    return rolled


def test_a_request_is_carried_out_once(rolled: Operator) -> None:
    rolling(rolled)
    assert rolled.ask("pause").startswith("accepted, pause: ")
    assert rolled.events == ["RequestAccepted"]
    rolled.ask("resume")
    rolled.settle()
    rolled.wait(minutes=5)
    assert rolled.events == ["RequestAccepted"] * 2
    assert not rolled.status.held
    assert rolled.status.attempt == 0


def test_an_unknown_verb_is_refused_with_those_there_are(rolled: Operator) -> None:
    before = rolled.status.mode
    answer = rolled.ask("explode")
    assert "no verb 'explode'; the verbs are pause, resume, skip, promote, abort, retry" in answer
    assert answer.startswith("refused, ")
    assert rolled.events[-1] == "RequestRefused"
    assert rolled.status.mode == before


def test_a_request_longer_than_status_keeps_is_answered_once(rolled: Operator) -> None:
    rolled.request = "pause@" + "x" * 200
    rolled.settle()
    assert rolled.status.held
    assert len(rolled.status.request) == 128
    assert rolled.events.count("RequestAccepted") == 1


# --- pause and resume -----------------------------------------------------------------------------


def test_paused_nobody_new_begins_and_no_deadline_runs(rolled: Operator) -> None:
    rolling(rolled)
    rolled.ask("pause")
    assert (rolled.status.mode, rolled.field.plan.mode) == ("Paused", "Paused")
    waiting = rolled.status.waiting_for
    assert (waiting.reason, waiting.until) == ("Held", None)
    assert waiting.message.endswith(f"`{COMMAND.format('resume')}`")
    rolled.field.answer_all()
    rolled.settle()
    rolled.wait(hours=30)
    assert (rolled.status.mode, rolled.status.stage.index) == ("Paused", 0)
    rolled.ask("resume")
    assert rolled.status.stage.index == 1  # complete and soaked in the meantime
    assert rolled.field.plan.mode == "Rolling"


def test_resumed_the_stage_has_its_whole_deadline(rolled: Operator) -> None:
    rolling(rolled)
    rolled.wait(minutes=110)
    rolled.ask("pause")
    rolled.wait(hours=5)
    rolled.ask("resume")
    rolled.wait(minutes=119)
    assert rolled.status.mode == "Rolling"
    rolled.wait(minutes=1)
    assert rolled.status.waiting_for.reason == "Inconclusive"


def test_a_gate_fails_also_while_it_is_paused(rolled: Operator) -> None:
    rolling(rolled)
    rolled.ask("pause")
    rolled.field.confidence[2] = 0.6
    rolled.field.answer_all()
    rolled.settle()
    assert rolled.status.mode == "Reverting"
    rolled.field.put_back()
    rolled.settle()
    assert rolled.status.held  # the next revision waits for a person too
    rolled.publish()
    rolled.settle()
    assert (rolled.status.mode, rolled.status.waiting_for.reason) == ("Idle", "Held")
    rolled.ask("resume")
    assert (rolled.status.mode, rolled.status.revision.target) == ("Rolling", 3)


def test_a_pause_is_written_while_the_gateway_is_away(rolled: Operator) -> None:
    rolling(rolled)
    rolled.problem = "connection refused"
    rolled.settle()
    assert rolled.ask("pause").startswith("accepted")
    rolled.problem = ""
    rolled.settle()
    assert rolled.field.plan.mode == "Paused"


def test_pause_twice_and_resume_for_nothing_are_refused(rolled: Operator) -> None:
    assert "nothing waits for a person" in rolled.ask("resume")
    rolling(rolled)
    assert rolled.ask("resume").startswith("refused, resume: nothing waits")
    rolled.ask("pause")
    assert rolled.ask("pause").startswith("refused, pause: it is paused already")


# --- approval -------------------------------------------------------------------------------------

MANUAL = (
    Stage(name="canary", size=40),
    Stage(name="all", size="100%", approval="Manual"),
)


def test_a_manual_stage_begins_after_resume_only(rolled: Operator) -> None:
    rolling(rolled, stages=MANUAL)
    assert "nothing waits for a person" in rolled.ask("resume")  # not yet
    rolled.field.answer_all()
    rolled.wait(hours=30)
    status = rolled.status
    assert (status.mode, status.stage.name) == ("Rolling", "canary")
    assert (status.waiting_for.reason, status.waiting_for.until) == ("ApprovalNeeded", None)
    assert status.waiting_for.message.endswith(f"`{COMMAND.format('resume')}`")
    assert rolled.ask("resume") == "accepted, resume: stage 'all' begins"
    assert rolled.field.plan.stage.limit == 200
    rolled.roll()
    assert rolled.status.revision.stable == 2


def test_a_manual_first_stage_holds_the_revision_back(rolled: Operator) -> None:
    rolled.edit(stages=(Stage(name="all", size="100%", approval="Manual"),))
    rolled.publish()
    rolled.wait(hours=30)
    assert (rolled.status.mode, rolled.status.waiting_for.reason) == ("Idle", "ApprovalNeeded")
    assert rolled.ask("resume") == "accepted, resume: revision 2 begins with stage 'all'"
    assert rolled.status.mode == "Rolling"


def test_a_newer_revision_that_needs_approval_stops_the_older_where_it_is(
    rolled: Operator,
) -> None:
    stages = (Stage(name="canary", size=40, approval="Manual"), Stage(name="all", size="100%"))
    rolling(rolled, stages=stages)
    rolled.ask("resume")
    rolled.field.answer_all()
    rolled.publish()
    rolled.settle()
    status = rolled.status
    assert (status.mode, status.revision.target) == ("Paused", 2)
    assert status.waiting_for.reason == "ApprovalNeeded"
    assert "revision 3 begins in place of this one" in status.waiting_for.message
    assert len(rolled.field.phase) == 40
    assert rolled.ask("resume") == "accepted, resume: revision 3 begins with stage 'canary'"
    assert [h.result for h in rolled.status.history] == ["Promoted", "Superseded"]


def test_a_resume_waits_for_the_gateway_that_it_needs(rolled: Operator) -> None:
    rolling(rolled, stages=MANUAL)
    rolled.field.answer_all()
    rolled.settle()
    rolled.problem = "connection refused"
    rolled.annotate("resume")
    rolled.settle()
    assert rolled.status.request != rolled.request
    rolled.problem = ""
    rolled.settle()
    assert rolled.status.stage.name == "all"


# --- inconclusive ---------------------------------------------------------------------------------


def test_resume_gives_an_inconclusive_stage_as_much_time_again(rolled: Operator) -> None:
    rolling(rolled)
    rolled.wait(hours=2)
    waiting = rolled.status.waiting_for
    assert waiting.reason == "Inconclusive"
    assert f"`{COMMAND.format('skip')}`" in waiting.message
    assert waiting.message.endswith(f"`{COMMAND.format('resume')}`")
    assert rolled.ask("resume") == "accepted, resume: stage 'canary' has another 2h to decide"
    assert rolled.field.plan.mode == "Rolling"
    rolled.wait(minutes=119)
    assert rolled.status.mode == "Rolling"
    rolled.wait(minutes=1)
    assert rolled.status.mode == "Paused"


SMALL = (Stage(name="canary", size=5, soak="10m"), Stage(name="all", size="100%"))


def test_skip_ends_soak_and_undecided_gates_but_waits_for_the_devices() -> None:
    operator = Operator(spec(stages=SMALL, gates=(UPDATE,)), Field())
    operator.settle()
    assert operator.ask("skip").startswith("accepted, skip: stage 'canary' ends when all")
    assert operator.status.stage.index == 0
    assert "is being skipped already" in operator.ask("skip")
    operator.field.answer_all()
    operator.settle()
    assert (operator.status.stage.index, operator.status.stage.skipped) == (1, False)


def test_a_skipped_stage_that_is_overdue_does_not_wait_for_stragglers() -> None:
    operator = Operator(spec(stages=SMALL, gates=(UPDATE,)), Field())
    operator.settle()
    first = next(iter(operator.field.phase))
    operator.field.answer(first, "updated")
    operator.wait(hours=2)
    assert operator.status.waiting_for.reason == "Inconclusive"
    operator.ask("skip")
    assert operator.status.stage.name == "all"


def test_skip_lets_nothing_through_that_no_device_took() -> None:
    operator = Operator(spec(stages=SMALL, gates=()), Field())
    operator.settle()
    operator.field.answer_all("failed")
    operator.settle()
    operator.ask("skip")
    operator.wait(hours=3)
    assert operator.status.stage.index == 0


def test_promote_lets_all_devices_begin_past_approvals() -> None:
    first = Stage(name="first", size=5, soak="10m")
    operator = Operator(spec(stages=(first, *MANUAL), gates=(UPDATE,)), Field())
    operator.settle()
    assert operator.ask("promote") == "accepted, promote: all 200 devices may take revision 1"
    assert (operator.status.stage.name, operator.field.plan.stage.limit) == ("all", 200)
    assert "is the last one already" in operator.ask("promote")
    operator.field.answer_all()
    operator.settle()
    assert operator.status.history[-1].result == "Promoted"
    assert "nothing is rolled out" in operator.ask("promote")


def test_promoted_in_a_pause_it_waits_for_resume(rolled: Operator) -> None:
    rolling(rolled)
    rolled.ask("pause")
    rolled.ask("promote")
    assert (rolled.field.plan.mode, len(rolled.field.phase)) == ("Paused", 40)
    rolled.ask("resume")
    rolled.field.summary(rolled.now)
    assert len(rolled.field.phase) == 200


@pytest.mark.parametrize("verb", ["resume", "skip", "promote"])
@pytest.mark.parametrize("policy", ["Pause", "Keep"])
def test_no_verb_leads_past_a_gate_that_failed(rolled: Operator, verb: str, policy: str) -> None:
    rolled.edit(on_failure=policy)
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    allowed = len(rolled.field.phase)
    answer = rolled.ask(verb)
    assert answer.startswith(f"refused, {verb}: gate 'confidence' failed: mean confidence")
    assert f"`{COMMAND.format('abort')}` takes the revision back" in answer
    rolled.wait(hours=3)
    assert len(rolled.field.phase) == allowed
    assert rolled.status.mode == "Paused"


def test_a_gate_that_fails_as_the_request_comes_wins(rolled: Operator) -> None:
    rolling(rolled)
    rolled.field.confidence[2] = 0.6
    rolled.field.answer_all()
    assert rolled.ask("promote").startswith("refused, promote: nothing is rolled out")
    assert (rolled.status.mode, len(rolled.field.phase)) == ("Reverting", 40)


# --- abort ----------------------------------------------------------------------------------------


def test_abort_takes_the_revision_back(rolled: Operator) -> None:
    rolling(rolled)
    rolled.field.answer_all()
    said = "accepted, abort: revision 2 is taken back, revision 1 comes again"
    assert rolled.ask("abort") == said
    assert (rolled.status.mode, rolled.field.plan.halted) == ("Reverting", (2,))
    assert "taken back already" in rolled.ask("abort")
    rolled.field.put_back()
    rolled.settle()
    assert rolled.status.history[-1].message == (
        "Reverted revision 2: it was aborted by request. 40 devices exposed, all put back."
    )
    assert rolled.status.waiting_for.reason == "RevisionFailed"
    assert rolled.status.waiting_for.message.endswith(f"`{COMMAND.format('retry')}`")
    assert "nothing is rolled out" in rolled.ask("abort")


def test_abort_without_a_stable_revision_stops_and_keeps() -> None:
    operator = Operator(spec(), Field())
    operator.settle()
    operator.field.answer_all()
    operator.ask("abort")
    assert (operator.status.mode, operator.status.history[-1].result) == ("Paused", "Kept")
    assert operator.status.waiting_for.reason == "Stopped"
    assert operator.condition("Stalled").status == "True"
    assert "is stopped already" in operator.ask("abort")
    assert "was stopped; `petiole retry meters -n default`" in operator.ask("resume")
    operator.wait(hours=5)
    assert len(operator.field.phase) == 40
    assert len(operator.status.history) == 1


def test_abort_takes_back_what_the_policy_kept(rolled: Operator) -> None:
    rolled.edit(on_failure="Keep")
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    assert rolled.status.waiting_for.message.count(f"`{COMMAND.format('abort')}`") == 1
    rolled.ask("abort")
    rolled.field.put_back()
    rolled.settle()
    assert [h.result for h in rolled.status.history] == ["Promoted", "Kept", "Reverted"]


# --- retry ----------------------------------------------------------------------------------------


def test_retry_tries_a_revision_that_was_taken_back_from_its_first_stage(rolled: Operator) -> None:
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    assert "ask when it is done" in rolled.ask("retry")
    rolled.field.put_back()
    rolled.settle()
    rolled.field.confidence[2] = 0.9
    assert rolled.ask("retry") == "accepted, retry: revision 2 is tried from its first stage"
    assert (rolled.status.mode, rolled.status.stage.index) == ("Rolling", 0)
    assert (rolled.status.attempt, rolled.field.plan.attempt) == (1, 1)
    rolled.roll()
    assert rolled.status.revision.stable == 2


@pytest.mark.parametrize(("policy", "result"), [("Pause", "Paused"), ("Keep", "Kept")])
def test_retry_tries_a_revision_that_was_stopped(
    rolled: Operator, policy: str, result: str
) -> None:
    rolled.edit(on_failure=policy)
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    rolled.field.confidence[2] = 0.9
    rolled.ask("retry")
    assert rolled.status.mode == "Rolling"
    assert rolled.status.history[-1].result == result
    assert "Fail" not in {gate.verdict for gate in rolled.status.gates}
    rolled.roll()
    assert rolled.status.revision.stable == 2


def test_retry_in_a_rollout_is_for_the_devices_that_gave_up() -> None:
    operator = Operator(spec(gates=(CONFIDENCE,)), Field())
    operator.settle()
    assert "no device gave up" in operator.ask("retry")
    devices = list(operator.field.phase)
    for device in devices[:3]:
        operator.field.answer(device, "failed")
    operator.field.answer_all()
    operator.settle()
    assert operator.status.stage.complete_at is not None
    said = "accepted, retry: 3 devices that gave up try revision 1 again"
    assert operator.ask("retry") == said
    assert (operator.status.attempt, operator.status.stage.complete_at) == (1, None)
    assert list(operator.field.phase.values()).count("offered") == 3
    operator.field.answer_all()
    operator.settle()
    operator.wait(minutes=10)
    assert operator.status.stage.index == 1


def test_there_is_nothing_to_retry_when_all_is_well(rolled: Operator) -> None:
    assert rolled.ask("retry").startswith("refused, retry: nothing was taken back")
    assert rolled.now > START
