"""What a simulated rollout does, scene by scene: the policy's promises must show in it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from petiole.fleet.fleet import Fleet, Surroundings
from petiole.fleet.standing import Clock
from petiole.rollout.plan import Revision
from petiole.simulation.events import Events
from petiole.simulation.field import Field
from petiole.simulation.policy import PolicyError
from petiole.simulation.run import Run, _Play, simulate
from petiole.simulation.world import is_target

from .policies import AT_ONCE, CONFIDENCE, UPDATE, assumed, meters

ROME = ZoneInfo("Europe/Rome")
NIGHT = {"cron": "0 1 * * *", "timeZone": "Europe/Rome", "duration": "4h"}


def runs(policy, assumptions, build="good", number=8) -> list[Run]:
    return [simulate(policy, assumptions, build, seed) for seed in range(number)]


def begun(policy, assumptions, build="good") -> tuple[Run, list[tuple[datetime, bool]]]:
    """A run, and when devices were granted the target; True: to hold it."""
    play = _Play(policy, assumptions, build, 1)
    field, events, seen = play._gateway.field, play._events, []
    travel = field.grant

    def grant(device) -> None:
        if is_target(device.grant.artefact.digest):
            seen.append((datetime.fromtimestamp(events.now, UTC), device.grant.hold))
        travel(device)

    field.grant = grant
    return play.play(), seen


def test_the_same_seed_gives_the_same_run():
    policy, world = meters(), assumed(500, silent="2%", offline="5%", dark_sites=1)
    for build in ("good", "bad"):
        first, again = simulate(policy, world, build, 7), simulate(policy, world, build, 7)
        assert first == again
        assert simulate(policy, world, build, 8) != first


def test_every_device_is_accounted_for_in_a_good_rollout():
    (run,) = runs(meters(), assumed(400, silent="5%", good="0%"), number=1)
    assert run.end == "Promoted"
    assert run.exposed == 380
    assert run.failed == 0
    assert [name for name, _ in run.stages] == ["canary", "all"]
    assert run.stages[-1][1] == run.seconds
    # downloading, on trial, confirmed
    assert run.reports == 3 * 380
    assert run.grants == 400
    assert run.course[-1] == (run.over, 380)


def test_a_bad_build_is_taken_back():
    for run in runs(meters(), assumed(400, bad="40%"), "bad"):
        assert run.end == "Stopped"
        assert run.message.startswith("gate update: ")
        assert run.halts == 1
        assert run.exposed < 100
        assert run.seconds < 60.0 < 300.0 > run.over


def test_devices_that_had_it_for_hours_come_back_too():
    """They are heard of by their statistics only; without these they would pass for silent."""
    stages = [
        {"name": "canary", "size": 20, "soak": "6h"},
        {"name": "half", "size": "50%"},
        {"name": "all", "size": "100%"},
    ]
    gates = [UPDATE | {"test": {"good": "1%", "bad": "20%"}}]
    policy = meters(stages=stages, gates=gates, noReportAfter="30m")
    for seed in range(20):  # until the canaries have luck
        play = _Play(policy, assumed(2000, bad="12%"), "bad", seed)
        run = play.play()
        if run.stages:
            break
    assert [name for name, _ in run.stages] == ["canary"]
    assert run.end == "Stopped"
    assert run.seconds > 6 * 3600.0
    (entry,) = play._operator.status.history
    assert entry.result == "Reverted"
    assert entry.reverted == entry.exposed == run.exposed
    running = {d.state.active for d in play._gateway.field.devices}
    assert not any(is_target(active) for active in running)


# --- pace, windows, approval ----------------------------------------------------------------------


def test_pace_trades_time_for_exposure():
    def mean(in_flight: int, build: str) -> tuple[float, float]:
        done = runs(
            meters(stages=list(AT_ONCE), pace={"maxInFlight": in_flight}), assumed(), build, 20
        )
        return sum(r.exposed for r in done) / 20, sum(r.seconds for r in done) / 20

    slow, fast = mean(5, "bad"), mean(500, "bad")
    assert slow[0] < 0.6 * fast[0], "fewer in flight, fewer exposed"
    assert slow[1] > 3.0 * fast[1]
    assert mean(5, "good")[1] > 3.0 * mean(500, "good")[1], "and a good build takes longer"


def test_a_pace_by_the_minute_holds():
    _, grants = begun(meters(stages=list(AT_ONCE), pace={"perMinute": 20}, gates=[]), assumed(120))
    times = [at.timestamp() for at, _ in grants]
    assert len(times) == 120
    for start in times:
        assert sum(start <= t < start + 60.0 for t in times) <= 20


def test_nothing_is_downloaded_outside_its_window():
    policy = meters(windows={"download": [NIGHT]}, pace={"perMinute": 3}, progressDeadline="9d")
    run, grants = begun(policy, assumed(1000, good="0%"))
    assert run.end == "Promoted"
    assert len(grants) == 1000
    hours = {at.astimezone(ROME).hour for at, _ in grants}
    assert hours <= {1, 2, 3, 4}
    assert len({at.astimezone(ROME).date() for at, _ in grants}) > 1, "it took more than a night"


def test_outside_its_window_an_artefact_is_kept_back():
    policy = meters(windows={"apply": [NIGHT]}, progressDeadline="3d")
    run, grants = begun(policy, assumed(300, good="0%"))
    assert run.end == "Promoted"
    held = [at for at, hold in grants if hold]
    let_go = [at.astimezone(ROME).hour for at, hold in grants if not hold]
    assert len(held) == 100, "the canaries fetch at once, and wait"
    assert set(let_go) <= {1, 2, 3, 4}
    assert all(exposed == 0 for seconds, exposed in run.course if seconds < 15 * 3600)


def test_nothing_begins_on_a_frozen_day():
    freeze = {"first": "2026-01-05", "last": "2026-01-07", "timeZone": "Europe/Rome"}
    run, grants = begun(meters(windows={"freeze": [freeze]}), assumed(200, good="0%"))
    assert run.end == "Promoted"
    assert min(at for at, _ in grants) >= datetime(2026, 1, 8, tzinfo=ROME)


def test_a_manual_stage_waits_for_its_person():
    stages = [
        {"name": "canary", "size": 100, "approval": "Manual"},
        {"name": "all", "size": "100%", "approval": "Manual"},
    ]
    (run,) = runs(meters(stages=stages), assumed(300, good="0%", approval="5h"), number=1)
    assert run.end == "Promoted"
    canary, whole = (at for _, at in run.stages)
    assert canary > 5 * 3600.0, "passed when the person let the next begin"
    assert whole - canary < 3600.0


def test_a_ramp_names_its_stages():
    policy = meters(stages=None, ramp={"start": 100, "factor": 3})
    (run,) = runs(policy, assumed(1000, good="0%"), number=1)
    assert [name for name, _ in run.stages] == policy.stages(1000)
    assert policy.stages(1000) == ["ramp-1", "ramp-2", "ramp-3", "ramp-4"]


# --- devices --------------------------------------------------------------------------------------


def test_a_fleet_of_thirty_says_that_its_gate_cannot_pass():
    policy = meters(stages=[{"name": "canary", "size": 10}, {"name": "all", "size": "100%"}])
    for run in runs(policy, assumed(30, good="0%")):
        assert run.end == "Undecided"
        assert run.exposed == 10
        assert "10 clean devices exclude failure rates >= " in run.message
        assert "to pass it takes 9 more without a failure" in run.message
        assert run.seconds == pytest.approx(86400.0, abs=1.0), "at the progress deadline"


@pytest.mark.parametrize("cluster", [None, "site"])
def test_one_dark_site_is_no_bad_build_to_a_policy_that_clusters(cluster):
    world = assumed(1000, good="0%", sites=10, dark_sites=1)
    done = runs(meters(clusterBy=cluster), world)
    stopped = sum(run.end == "Stopped" for run in done)
    assert stopped == (0 if cluster else len(done))


def test_a_dark_site_gets_it_later_with_retries():
    """And no sooner: the backoff keeps devices from trying again at once."""
    retries = {"limit": 3, "backoff": "20m", "reasons": ["timeout"]}
    world = assumed(1000, good="0%", sites=10, dark_sites=1, dark_for="15m")
    for run in runs(meters(retries=retries), world, number=4):
        assert run.end == "Promoted"
        assert run.exposed == 1000
        # The site's canaries, about ten of a hundred, gave up once.
        assert 1 <= run.failed <= 30


def test_silent_and_absent_devices_only_cost_time():
    world = assumed(1000, good="0%", silent="10%", offline="20%")
    away = runs(meters(), world, number=4)
    there = runs(meters(), assumed(1000, good="0%"), number=4)
    for run, fast in zip(away, there, strict=True):
        assert run.end == fast.end == "Promoted"
        assert run.seconds > fast.seconds + 1800.0, "noReportAfter"
        assert fast.exposed == 1000
        assert 700 < run.exposed < 900


def test_a_build_that_kills_devices_is_seen_by_a_gate_on_life():
    alive = {"name": "alive", "outcome": "Alive", "test": {"good": "1%", "bad": "10%"}}
    stages = [{"name": "canary", "size": 100, "soak": "3h"}, {"name": "all", "size": "100%"}]
    world = assumed(1000, good="0%", bad="0%", dies="30%")
    blind = runs(meters(stages=stages), world, "bad", 3)
    seeing = runs(meters(stages=stages, gates=[UPDATE, alive]), world, "bad", 3)
    good = runs(meters(stages=stages, gates=[UPDATE, alive]), world, "good", 3)
    assert [run.end for run in blind] == ["Promoted"] * 3
    assert [run.end for run in seeing] == ["Stopped"] * 3
    assert all(run.exposed == 100 and "gate alive" in run.message for run in seeing)
    assert [run.end for run in good] == ["Promoted"] * 3


@pytest.mark.parametrize(("effect", "gate"), [("drop", "confidence"), ("rise", "latency")])
def test_a_worse_model_is_seen_by_a_gate_on_means(effect, gate):
    latency = {
        "name": "latency",
        "metric": "LatencyMean",
        "baseline": "ConcurrentControl",
        "test": {"maxRise": "10%"},
    }
    policy = meters(gates=[UPDATE, CONFIDENCE, latency])
    world = assumed(1000, good="0%", bad="0%", hardware=3, **{effect: "30%"})
    for run in runs(policy, world, "bad", 3):
        assert run.end == "Stopped"
        assert f"gate {gate}: " in run.message
        assert run.exposed == 100
    for run in runs(policy, world, "good", 3):
        assert run.end == "Promoted"


def test_a_model_that_answers_otherwise_is_seen_in_the_shadow_run():
    same = {"name": "same", "metric": "Disagreement", "test": {"max": "10%"}}
    policy = meters(gates=[UPDATE, same], shadow={"inferences": 60})
    world = assumed(1000, good="0%", bad="0%", strays="30%")
    for run in runs(policy, world, "bad", 3):
        assert run.end == "Stopped"
        assert "gate same: " in run.message
        assert run.exposed <= 100
    for run in runs(policy, world, "good", 3):
        assert run.end == "Promoted"


def test_what_the_operator_refuses_is_said():
    window = {"cron": "0 1 * * *", "timeZone": "Atlantis/Capital", "duration": "4h"}
    with pytest.raises(PolicyError, match="Atlantis/Capital"):
        simulate(meters(windows={"apply": [window]}), assumed(), "good", 1)


def test_a_fleet_at_rest_says_what_a_real_one_would():
    """The first summary is written down; this is the fleet's own."""
    play = _Play(meters(), assumed(60, hardware=2), "good", 1)
    play._operator.wake()
    play._events.run(until=play._events.now + 60.0)
    first = play._gateway._at_rest
    number = {"number": 1, "variants": play._gateway.fleet.plan.stable.variants}
    idle = play._gateway.fleet.plan.model_copy(
        update={"serial": first.serial, "mode": "Idle", "stage": None, "target": Revision(**number)}
    )
    world = Field(Events(0.0), meters(), assumed(60, hardware=2), "good", "1", lambda *_: None)
    fleet = Fleet(idle.fleet, idle)
    fleet.enrol(world.devices)
    said = fleet.turn(Clock(0.0, 0.0), lambda _: True, Surroundings())
    assert said.grants == [], "devices hold what a rollout has left behind"
    counted = {"version", "at", "evidence"}
    assert said.summary.model_dump(exclude=counted) == first.model_dump(exclude=counted)
