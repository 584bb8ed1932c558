"""A device that may try again is told so, when its backoff is over and not before."""

from __future__ import annotations

import pytest

from petiole.api.rollout import Retries
from petiole.wire.messages import Phase, Reason

from .world import World, revision, rolling


def test_the_next_attempt_is_granted_after_the_backoff():
    retries = Retries(limit=2, backoff="10m", reasons=("timeout",))
    world = World(rolling(2, 1, retries=retries))
    world.add("a", {})
    world.turns()
    target = revision(2).variants["m4"].digest
    assert (world.granted("a"), world.devices["a"].grant.attempt) == (target, 0)

    for attempt, minutes in ((1, 10), (2, 20)):
        world.say("a", Phase.DOWNLOADING)
        world.say("a", Phase.FAILED, Reason.TIMEOUT)
        world.turns()
        world.now += 60.0 * minutes - 1.0
        world.turns()
        assert world.devices["a"].grant.attempt == attempt - 1, "it would try at once"
        world.now += 2.0
        world.turns()
        assert world.devices["a"].grant.attempt == attempt
        assert world.granted("a") == target


@pytest.mark.parametrize(("attempt", "tries"), [(0, False), (1, True)])
def test_who_gave_up_in_a_rollout_before_tries_again_in_a_later_attempt_only(attempt, tries):
    world = World(rolling(2, 1))
    world.add("a", {})
    world.turns()
    world.say("a", Phase.DOWNLOADING)
    world.say("a", Phase.FAILED, Reason.GOLDEN_MISMATCH)
    world.turns()
    assert world.turn().summary.counts.failed == 1

    world.put(mode="Idle", target=revision(1), stage=None)  # the rollout is forgotten
    world.turns()
    begun = rolling(2, 1, attempt=attempt)
    world.put(mode="Rolling", target=begun.target, stage=begun.stage, attempt=attempt)
    world.turns()

    assert world.turn().summary.counts.failed == (0 if tries else 1)
    assert (world.granted("a") == revision(2).variants["m4"].digest) is tries
    if tries:
        assert world.devices["a"].grant.attempt == 1
        world.say("a", Phase.CONFIRMED)
        world.turns()
        assert world.turn().summary.counts.updated == 1
