"""A device that may try again is told so when its backoff is over, not before."""

from __future__ import annotations

from petiole.api.rollout import Retries
from petiole.wire.messages import Phase, Reason

from .world import World, revision, rolling


def test_the_next_attempt_is_granted_after_the_backoff():
    retries = Retries(limit=2, backoff="10m", on=("timeout",))
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
