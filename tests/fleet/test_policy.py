"""One rule of the plan at a time, from a device's first grant to its last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from petiole.api.rollout import Disruption, Freeze, Gate, GateTest, Retries, Window, Windows
from petiole.wire.messages import Phase, Reason

from .oracle import Recount
from .world import START, World, revision, rolling, stage

HOUR = 3600.0
NIGHT = Windows(apply=(Window(cron="0 1 * * *", duration="4h"),))
DAY = Windows(download=(Window(cron="0 9 * * *", duration="8h"),))


def world(count: int, labels: Mapping[int, dict[str, str]] | None = None, **fields: Any) -> World:
    made = World(rolling(2, fields.pop("limit", count), **fields))
    for n in range(count):
        made.add(f"d{n:02}", (labels or {}).get(n, {}))
    made.turn()
    return made


def on_target(made: World) -> list[str]:
    """Names of those whose grant names the target."""
    digest = revision(2).variants["m4"].digest
    return sorted(n for n in made.devices if made.granted(n) == digest)


def take(made: World, name: str) -> None:
    for phase in (Phase.DOWNLOADING, Phase.TRIAL, Phase.CONFIRMED):
        made.say(name, phase)


def held_back(made: World) -> dict[str, int]:
    assert made.fleet.summary is not None
    return made.fleet.summary.held_back


def test_a_freed_place_is_filled_by_the_next_in_order() -> None:
    made = world(5, max_in_flight=1)
    order = [m.id for m in made.fleet.roster.order]
    for n, name in enumerate(order):
        assert on_target(made) == sorted(order[: n + 1])
        take(made, name)
        made.turn()
    assert held_back(made) == {}


def test_pace_holds_over_a_restart_and_another_target() -> None:
    made = world(5, per_minute=2)
    assert len(on_target(made)) == 2
    assert held_back(made) == {"Pace": 3}
    assert made.fleet.next_time() == START + 60.0
    made.now += 59.9
    made.crash()
    made.turn()
    assert len(on_target(made)) == 2
    made.put(target=revision(3))
    made.crash()
    assert [m for m in made.turn().members if m.granted_at is not None] == []
    made.now += 0.1
    assert len([m for m in made.turn().members if m.granted_at is not None]) == 2


def test_a_group_has_so_many_in_flight_and_a_device_without_the_label_is_its_own() -> None:
    sites = {n: {"site": "a"} for n in range(3)} | {3: {"site": "b"}}
    budget = Disruption(group_by=("site",), max_unavailable=1)
    made = world(6, sites, disruption=budget)
    granted = on_target(made)
    assert len(granted) == 4
    assert len({"d00", "d01", "d02"} & set(granted)) == 1
    assert {"d03", "d04", "d05"} <= set(granted)
    assert held_back(made) == {"DisruptionBudget": 2}
    first = next(iter({"d00", "d01", "d02"} & set(granted)))
    take(made, first)
    made.turn()
    assert len(on_target(made)) == 5


def test_who_may_not_apply_yet_holds_and_is_let_go_when_the_window_opens() -> None:
    made = world(3, windows=NIGHT, max_in_flight=2)  # midnight: one hour too early
    waiting = on_target(made)
    assert len(waiting) == 2
    assert all(d.grant and d.grant.hold for n, d in made.devices.items() if n in waiting)
    for name in waiting:
        made.say(name, Phase.READY)
    made.turn()
    assert held_back(made) == {"ApplyWindow": 2}, "the third one fetches meanwhile"
    assert len(on_target(made)) == 3
    assert made.fleet.next_time() == START + 600.0  # the silence of the third one
    made.say(next(n for n in on_target(made) if n not in waiting), Phase.READY)
    made.now = START + HOUR
    made.turns(2)
    let_go = [n for n, d in made.devices.items() if d.grant and not d.grant.hold]
    assert len(let_go) == 2, "no more than may be in flight"
    for name in let_go:
        made.say(name, Phase.TRIAL)
        made.say(name, Phase.CONFIRMED)
    made.turns(2)
    assert all(d.grant and not d.grant.hold for d in made.devices.values())


def test_who_is_on_its_way_when_the_window_closes_is_told_to_hold() -> None:
    made = world(1, windows=NIGHT)
    made.now = START + HOUR
    made.turn()
    grant = made.devices["d00"].grant
    assert grant is not None
    assert not grant.hold
    made.say("d00", Phase.DOWNLOADING)
    made.now = START + 5 * HOUR
    made.say("d00", Phase.DOWNLOADING)
    made.turn()
    grant = made.devices["d00"].grant
    assert grant is not None
    assert grant.hold


@pytest.mark.parametrize(
    ("windows", "why"),
    [
        (DAY, "DownloadWindow"),
        (Windows(freeze=(Freeze(first="2026-03-02", last="2026-03-02"),)), "Freeze"),
    ],
)
def test_nobody_begins_while_it_is_closed(windows: Windows, why: str) -> None:
    made = world(3, windows=windows)
    assert on_target(made) == []
    assert held_back(made) == {why: 3}
    opens = made.fleet.next_time()
    assert opens is not None
    made.now = opens - 0.01
    made.turn()
    assert on_target(made) == []
    made.now = opens
    made.turn()
    assert len(on_target(made)) == 3


def test_a_window_that_means_nothing_stays_closed_and_says_so() -> None:
    made = world(2, windows=Windows(apply=(Window(cron="0 1 31 2 *", duration="1h"),)))
    assert on_target(made) == []
    assert made.fleet.summary is not None
    (problem,) = made.fleet.summary.problems
    assert problem.startswith("nobody begins: spec.rollout.windows.apply[0].cron")


def test_retries_wait_twice_as_long_each_time_and_end() -> None:
    made = world(1, retries=Retries(limit=2, backoff="1m", reasons=("timeout",)))
    for attempt, wait in ((0, 60.0), (1, 120.0)):
        made.say("d00", Phase.FAILED, Reason.TIMEOUT)
        made.turn()
        assert held_back(made) == {"Backoff": 1}
        assert made.fleet.next_time() == made.now + wait
        made.now += wait - 0.01
        made.turn()
        grant = made.devices["d00"].grant
        assert grant is not None
        assert grant.attempt == attempt
        made.now += 0.01
        made.turn()
        grant = made.devices["d00"].grant
        assert grant is not None
        assert grant.attempt == attempt + 1
    made.say("d00", Phase.FAILED, Reason.TIMEOUT)
    made.turn()
    assert made.fleet.summary is not None
    assert made.fleet.summary.reasons == {"timeout": 1}


def test_other_failures_are_final_until_a_person_says_retry() -> None:
    made = world(2, retries=Retries(reasons=("timeout",)))
    made.say("d00", Phase.FAILED, Reason.GOLDEN_MISMATCH)
    made.turn()
    assert on_target(made) == ["d01"]
    made.put(attempt=1)
    made.turn()
    assert on_target(made) == ["d00", "d01"]
    grants = [made.devices[n].grant for n in ("d00", "d01")]
    assert [g.attempt for g in grants if g is not None] == [1, 0]
    made.crash()
    made.turn()
    assert made.fleet.summary is not None
    assert made.fleet.summary.counts.offered == 2, "the old refusal is old news"
    take(made, "d00")
    made.turn()
    assert made.fleet.summary.counts.updated == 1


def test_places_of_failures_are_those_of_beginning_whoever_answers_first() -> None:
    gates = (Gate(name="u", outcome="Confirmed", test=GateTest(good="1%", bad="50%")),)
    made = world(4, gates=gates)
    for name in ("d02", "d00", "d03"):
        made.say(name, Phase.DOWNLOADING)
    made.say("d03", Phase.FAILED, Reason.FLASH_ERROR)
    made.turn()
    assert made.fleet.summary is not None
    (found,) = made.fleet.summary.evidence
    assert (found.began, found.failed_at) == (3, (3,))
    made.crash()
    made.turn()
    assert made.fleet.summary is not None
    assert made.fleet.summary.evidence == (found,)


def test_a_failed_gate_halts_before_anything_else_and_takes_back_what_nobody_began() -> None:
    gates = (Gate(name="self", outcome="SelfTest", test=GateTest(good="1%", bad="30%")),)
    made = world(20, gates=gates, max_in_flight=10)
    for name in on_target(made)[:6]:
        made.say(name, Phase.FAILED, Reason.GOLDEN_MISMATCH)
    outcome = made.turn()
    assert outcome.new_halt
    assert outcome.grants == []
    assert outcome.summary.halt is not None
    assert outcome.summary.halt.gate == "self"
    assert made.fleet.next_time() == made.now
    made.turn()
    assert on_target(made) == []
    assert made.fleet.roster.flying == {}


def test_a_failure_on_the_way_is_not_the_builds_own() -> None:
    gates = (Gate(name="self", outcome="SelfTest", test=GateTest(good="1%", bad="30%")),)
    made = world(20, gates=gates)
    for name in on_target(made)[:10]:
        made.say(name, Phase.FAILED, Reason.TIMEOUT)
    assert not made.turn().new_halt


def test_devices_that_fall_silent_after_they_confirmed_are_not_alive() -> None:
    gates = (Gate(name="alive", outcome="Alive", test=GateTest(good="1%", bad="90%")),)
    made = world(3, gates=gates)
    for name in made.devices:
        take(made, name)
    made.turn()
    made.now += 599.0
    made.devices["d00"].seen_at = made.now
    made.fleet.heard(made.devices["d00"])
    made.now += 1.0
    made.turn()
    assert made.fleet.summary is not None
    (found,) = made.fleet.summary.evidence
    assert (found.canary.devices, found.canary.failures, found.silent) == (3, 2, 2)
    assert made.fleet.summary.counts.updated == 3


def test_the_stage_grows_without_a_recount() -> None:
    made = world(10, limit=2)
    totals = made.fleet.roster.totals
    made.put(stage=stage(6, made.now, 1))
    made.turn()
    assert made.fleet.roster.totals is totals
    assert len(on_target(made)) == 6
    assert len(Recount(made.fleet).flying) == 6


def test_strata_share_every_stage() -> None:
    sites = {n: {"site": "a" if n < 30 else "b"} for n in range(40)}
    made = world(40, sites, limit=8, stratify_by=("site",))
    made.put(target=revision(3))
    made.turn()
    beginners = [m for m in made.fleet.roster.order if m.granted_at is not None]
    by_site = [made.devices[m.id].labels["site"] for m in beginners]
    assert (by_site.count("a"), by_site.count("b")) == (6, 2)


def test_blocks_that_come_late_let_nobody_begin_the_next_revision() -> None:
    """After a restart devices wait for the blocks of what they were granted in the last rollout."""
    made = world(6)
    for name in made.devices:
        take(made, name)
    digest = revision(2).variants["m4"].digest
    made.missing.add(digest)
    made.crash()
    made.turn()
    made.put(target=revision(3), stable=revision(2), stage=stage(2, made.now))
    made.missing.clear()
    made.turn()
    new = revision(3).variants["m4"].digest
    assert sorted(made.granted(name) == new for name in made.devices) == [False] * 4 + [True] * 2
