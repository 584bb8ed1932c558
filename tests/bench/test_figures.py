"""The arithmetic of the rollout benchmark, on traces made by hand."""

import io

import pytest
from rich.console import Console

from bench.rollout import plot, show
from bench.rollout.figures import bars, figures
from bench.rollout.work import Counted, Run, Trace, Usage, choose_failing

USAGE = Usage(cpu={"a": 0.3, "b": 0.1}, rss=100.0, peak=120.0, client_cpu=0.2)


def trace(ended, *, began=None, started=10.0):
    """``ended``: seconds after the start and whether well, a device each."""
    made = Trace(started)
    for number, (after, ok) in enumerate(ended):
        made.begun[f"d{number}"] = started
        made.ended[f"d{number}"] = (started + after, ok)
    for device, after in (began or {}).items():
        made.begun[device] = started + after
    return made


def run(kind="speed", devices=4, failing=0.0, ended=None, counted=(4, 0), **more):
    found = trace(ended if ended is not None else [(1.0, True)] * 3 + [(2.0, True)])
    return Run(kind, devices, failing, more.pop("trace", found), Counted(*counted), USAGE, **more)


def test_speed_is_ended_devices_over_the_time_of_the_last_one():
    made = figures([run()], "as it is")
    assert made["devicesPerSecond"] == {"4": 2.0}
    assert made["serverCpuMsPerDevice"] == 100.0
    assert made["serverCpuMs"] == {"4": {"a": 75.0, "b": 25.0}}
    assert made["clientCpuMsPerDevice"] == 50.0


def test_of_many_runs_of_a_size_the_one_in_the_middle_counts():
    seconds = (4.0, 1.0, 2.0)
    many = [run(ended=[(after, True)] * 4) for after in seconds]
    made = figures(many, "")
    assert made["devicesPerSecond"] == {"4": 2.0}
    assert made["seconds"] == {"4": 2.0}
    assert made["devicesPerSecondOf"] == {"4": [1.0, 4.0, 2.0]}
    assert figures(many[:2], "")["devicesPerSecond"] == {"4": 1.0}  # not the better one


def test_cpu_a_device_is_that_of_the_largest_run():
    large = run(devices=8, ended=[(1.0, True)] * 8, counted=(8, 0))
    assert figures([large, run()], "")["serverCpuMsPerDevice"] == 50.0


@pytest.mark.parametrize(("counted", "lost"), [((3, 1), 0), ((1, 1), 2), ((4, 1), 1), ((3, 0), 1)])
def test_a_count_is_lost_in_either_direction(counted, lost):
    ended = [(1.0, True)] * 3 + [(2.0, False)]
    assert run(ended=ended, counted=counted).lost == lost


def test_counts_too_high_do_not_make_up_for_counts_too_low():
    made = figures([run(counted=(3, 0)), run(devices=8, counted=(5, 0))], "")
    assert made["countsLost"] == 2


def test_stop_is_from_the_deciding_failure_to_the_last_begin():
    ended = [(1.0, False)]
    late = run("stop", trace=trace(ended, began={"x": 1.5}), counted=(0, 1), deciding=11.25)
    early = run("stop", trace=trace(ended, began={"x": 1.0}), counted=(0, 1), deciding=11.25)
    assert late.stop_seconds == 0.25
    assert early.stop_seconds == 0.0
    assert figures([early, late], "")["stopSeconds"] == 0.25


def test_what_never_stops_has_no_stop():
    made = figures([run("failing", failing=0.1)], "")
    assert "stopSeconds" not in made
    assert made["exposed"] == {"10": 4.0}


def test_exposed_devices_are_averaged_over_the_runs_of_a_share():
    few = run("failing", failing=0.1, trace=trace([(1.0, True)] * 2))
    many = run("failing", failing=0.1, trace=trace([(1.0, True)] * 6))
    other = run("failing", failing=0.01, trace=trace([(1.0, True)] * 8))
    assert figures([few, many, other], "")["exposed"] == {"10": 4.0, "1": 8.0}


def results(**petiole):
    good = {
        "devicesPerSecond": {"1000": 500.0, "10000": 450.0},
        "serverCpuMsPerDevice": 1.5,
        "countsLost": 0,
        "stopSeconds": 0.2,
        "apiWritesPerStage": 6.0,
        "exposed": {"10": 30.0},
    }
    return {
        "goosebit": {"devicesPerSecond": {"1000": 20.0}},
        "hawkbit": {
            "devicesPerSecond": {"1000": 60.0},
            "serverCpuMsPerDevice": 20.0,
            "exposed": {"10": 96.0},
        },
        "petiole": good | petiole,
    }


def test_all_bars_can_be_met():
    judged = bars(results())
    assert [bar.text for bar in judged if bar.met is not True] == []
    assert len(judged) == 9


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({"devicesPerSecond": {"1000": 500.0, "10000": 399.0}}, ["devices/s at 10,000"]),
        (
            {"devicesPerSecond": {"1000": 450.0, "10000": 450.0}},
            ["devices/s at 1,000: 8 x hawkBit's"],
        ),
        (
            {"devicesPerSecond": {"1000": 390.0, "10000": 450.0}},
            ["devices/s at 1,000: 20 x goosebit's", "devices/s at 1,000: 8 x hawkBit's"],
        ),
        (
            {"serverCpuMsPerDevice": 2.1},
            ["server CPU ms a device", "server CPU a device: a tenth of hawkBit's"],
        ),
        ({"countsLost": 1}, ["counts lost"]),
        ({"stopSeconds": 0.31}, ["seconds from deciding report to last begin"]),
        ({"apiWritesPerStage": 10.5}, ["API-server writes a stage"]),
        ({"exposed": {"10": 32.0}}, ["exposed at 10 % failing: under a third of hawkBit's"]),
    ],
)
def test_each_bar_can_be_missed(change, missed):
    assert [bar.text for bar in bars(results(**change)) if bar.met is False] == missed


def test_a_bar_without_its_peer_is_not_judged():
    alone = {"petiole": results()["petiole"]}
    undecided = [bar.text for bar in bars(alone) if bar.met is None]
    assert len(undecided) == 4
    assert not [bar for bar in bars(alone) if bar.met is False]


def test_failing_devices_are_a_fixed_number_and_seeded():
    devices = [f"d{n}" for n in range(1000)]
    chosen = choose_failing(devices, 0.1, 1)
    assert len(chosen) == 100
    assert chosen == choose_failing(devices, 0.1, 1)
    assert chosen != choose_failing(devices, 0.1, 2)


@pytest.mark.parametrize("peers", [(), ("goosebit",), ("hawkbit", "petiole")])
def test_whatever_was_run_can_be_shown(tmp_path, peers):
    ran = {peer: figures([run()], "as it is") for peer in peers}
    text = io.StringIO()
    show.results(Console(file=text, width=120), ran, bars(ran))
    assert text.getvalue().count("as it is") == len(peers)
    assert ("devices/s, 4 devices" in text.getvalue()) == bool(peers)
    plot.draw(ran, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
