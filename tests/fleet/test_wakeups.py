"""Whoever waits for others of his group is asked again, whatever becomes of those before him."""

from __future__ import annotations

from typing import Any

from petiole.api.rollout import Disruption, Window, Windows
from petiole.rollout import cohort
from petiole.wire.messages import Phase, Reason

from .world import START, World, revision, rolling

BUDGET = Disruption(group_by=("site",), max_unavailable=1)


def world(sites: str, caps: dict[int, str] | None = None, **fields: Any) -> tuple[World, list[str]]:
    """Devices in the order of the rollout, one of each letter's site; and their names."""
    names = cohort.order(2, [f"d{n}" for n in range(len(sites))])
    made = World(rolling(2, len(sites), disruption=BUDGET, **fields))
    for place, name in enumerate(names):
        made.add(name, {"site": sites[place]}, (caps or {}).get(place, "m4"))
    made.turn()
    assert [m.id for m in made.fleet.roster.order] == names
    return made, names


def granted(made: World, names: list[str]) -> str:
    """Places of those that are granted the target."""
    targets = {v.digest for v in revision(2).variants.values()}
    return "".join(str(p) for p, name in enumerate(names) if made.granted(name) in targets)


def take(made: World, name: str) -> None:
    for phase in (Phase.DOWNLOADING, Phase.TRIAL, Phase.CONFIRMED):
        made.say(name, phase)


def test_the_next_of_a_group_begins_when_the_one_before_needs_its_place_no_more() -> None:
    made, names = world("aaabc", max_in_flight=2)
    assert granted(made, names) == "03"
    made.put(max_in_flight=1)
    take(made, names[0])
    made.turn()  # now place 1 may begin as soon as there is a place in flight
    made.devices[names[1]].grant = made.devices[names[3]].grant
    made.say(names[1], Phase.CONFIRMED)  # but it has the artefact from elsewhere
    take(made, names[3])
    made.turn()
    assert granted(made, names) == "023"


def test_the_next_of_a_group_begins_when_the_artefact_of_the_one_before_is_missing() -> None:
    made, names = world("aaa", caps={1: "m7"})
    assert granted(made, names) == "0"
    made.missing = {revision(2).variants["m7"].digest}
    take(made, names[0])
    made.turn()
    assert granted(made, names) == "02"
    made.missing = set()
    made.turn()
    assert granted(made, names) == "02", "its group is full now"
    take(made, names[2])
    made.turn()
    assert granted(made, names) == "012"


def test_the_next_of_a_group_applies_when_the_one_before_is_done() -> None:
    night = Windows(apply=(Window(cron="0 1 * * *", duration="4h"),))
    made, names = world("aa", windows=night)
    for name in names:  # one after another: to fetch takes from the budget too
        made.say(name, Phase.READY)
        made.turn()
    made.say(names[1], Phase.READY)
    made.now = START + 3600.0
    made.turns(2)
    held = [p for p, n in enumerate(names) if (g := made.devices[n].grant) and g.hold]
    assert held == [1]
    made.say(names[0], Phase.TRIAL)
    made.say(names[0], Phase.FAILED, Reason.GOLDEN_MISMATCH)
    made.turn()
    assert all(d.grant and not d.grant.hold for d in made.devices.values())
