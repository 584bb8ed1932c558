"""``petiole simulate`` as a person calls it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from petiole.cli.main import app
from petiole.simulation.assumptions import Assumptions
from petiole.simulation.policy import PolicyError, policy
from petiole.view.words import duration

from .policies import CONFIDENCE, UPDATE, body

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "fleet.yaml"
    path.write_text(yaml.safe_dump(body()))
    return path


def simulate(file, *arguments):
    given = ["simulate", "-f", str(file), "--jobs", "1", *(str(a) for a in arguments)]
    return CliRunner(env={"COLUMNS": "120", "TERM": "dumb"}).invoke(app, given)


def test_a_table_says_what_the_policy_does(file):
    done = simulate(file, "--devices", 300, "--runs", 3, "--bad", "50%", "--good", "0%")
    assert done.exit_code == 0, done.output
    rows = {
        cells[0]: cells[1:]
        for line in done.stdout.splitlines()
        if len(cells := [c.strip() for c in re.split("[│┃]", line)[1:-1]]) == 3
    }
    assert "default/meters: 300 devices, 3 rollouts of each build" in done.stdout
    assert rows["stopped"] == ["0 % (0 % .. 70.8 %)", "100 % (29.2 % .. 100 %)"]
    assert rows["promoted"] == ["100 % (29.2 % .. 100 %)", "0 % (0 % .. 70.8 %)"]
    assert float(rows["devices exposed, mean"][1].split()[0]) < 100
    assert rows["stage all passed after"][1] == "-"
    assert rows["halts, mean"] == ["0.00", "1.00"]
    assert "bad build, 3 of 3 runs: Stopped: gate update: " in done.stdout


def test_json_has_every_run_and_repeats_itself(file):
    first, again = (simulate(file, "--devices", 200, "--runs", 2, "--json") for _ in range(2))
    assert first.stdout == again.stdout
    found = json.loads(first.stdout)
    assert found["fleet"] == "default/meters"
    assert found["assumptions"]["devices"] == 200
    assert found["assumptions"]["silent"] == 0.01
    assert set(found["builds"]) == {"good", "bad"}
    assert [(r["build"], r["seed"]) for r in found["runs"]] == [
        ("bad", 1), ("good", 1), ("bad", 2), ("good", 2),
    ]  # fmt: skip
    exposed = [r["exposed"] for r in found["runs"] if r["build"] == "bad"]
    assert found["builds"]["bad"]["exposed"]["mean"] == sum(exposed) / 2


def test_processes_change_nothing_but_the_time(file):
    arguments = ("--devices", 200, "--runs", 2, "--json")
    assert simulate(file, *arguments, "--jobs", 2).stdout == simulate(file, *arguments).stdout


@pytest.mark.parametrize("name", ["out.png", "out.svg"])
def test_a_plot_is_drawn(file, tmp_path, name):
    out = tmp_path / name
    assert simulate(file, "--devices", 200, "--runs", 2, "--plot", out).exit_code == 0
    assert out.stat().st_size > 10_000


def test_a_plot_that_cannot_be_written_is_an_error(file, tmp_path):
    for out in (tmp_path / "none" / "out.png", tmp_path / "out.words"):
        done = simulate(file, "--devices", 50, "--runs", 1, "--plot", out)
        assert done.exit_code == 1
        assert f"cannot write {out}" in done.stderr


def test_every_example_can_be_simulated():
    found = 0
    for example in sorted(EXAMPLES.rglob("*.yaml")):
        for document in yaml.safe_load_all(example.read_text()):
            if document["kind"] == "DeviceFleet":
                found += 1
                done = simulate(example, "--devices", 100, "--runs", 1)
                assert done.exit_code == 0, done.output
    assert found >= 2


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--bad", "10"), "--bad: '10' is not a percentage such as '5%'"),
        (("--trial", "soon"), "--trial: 'soon' is not a duration such as '10m'"),
        (("--trial", "0s"), "--trial: Input should be greater than 0"),
        (("--size", "big"), "--size: 'big' is not a size such as '64Ki'"),
        (("--devices", "many"), "--devices: Input should be a valid integer"),
        (("--devices", "0"), "--devices: Input should be greater than or equal to 1"),
    ],
)
def test_an_assumption_that_makes_no_sense_is_named(file, options, said):
    done = simulate(file, *options)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_file_that_is_no_fleet_is_named(tmp_path):
    done = simulate(tmp_path / "none.yaml")
    assert done.exit_code == 2
    assert "cannot read" in done.stderr
    for text, said in (("a: [", "is no YAML"), ("kind: Pod", "has 0 DeviceFleets")):
        file = tmp_path / "fleet.yaml"
        file.write_text(text)
        done = simulate(file)
        assert done.exit_code == 2
        assert said in done.stderr


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        ({"pase": {}}, "spec.rollout.pase: unknown field; known are "),
        ({"pace": {"maxInFlght": 3}}, "spec.rollout.pace.maxInFlght: unknown field"),
        ({"gates": [UPDATE | {"tset": {}}]}, "spec.rollout.gates.0.tset: unknown field"),
        ({"pace": {"maxInFlight": 0}}, "spec.rollout.pace.maxInFlight: Input should be"),
        ({"ramp": {}}, "spec.rollout: give exactly one of stages and ramp"),
        ({"stages": [{"name": "a", "size": "50%"}]}, "the last stage must have size 100%"),
        ({"gates": [UPDATE | {"test": {}}]}, "spec.rollout.gates[update]: an outcome gate needs"),
        (
            {"gates": [UPDATE | {"test": {"good": "9%", "bad": "2%"}}]},
            "spec.rollout.gates[update]: good must be below bad",
        ),
        ({"gates": [CONFIDENCE | {"test": {}}]}, "needs test.maxDrop"),
        ({"gates": [CONFIDENCE | {"metric": "LatencyMean"}]}, "needs test.maxRise"),
        ({"gates": [CONFIDENCE | {"outcome": "Alive"}]}, "exactly one of outcome and metric"),
    ],
)
def test_a_policy_that_the_api_server_would_refuse_is_refused(file, rollout, said):
    with pytest.raises(PolicyError) as refused:
        policy(body(**rollout))
    assert said in str(refused.value)
    file.write_text(yaml.safe_dump(body(**rollout)))
    done = simulate(file)
    assert done.exit_code == 2
    assert said in done.stderr


# --- numbers --------------------------------------------------------------------------------------


def test_the_defaults_are_what_the_help_says():
    shown = simulate("none", "--help").stdout
    for name in Assumptions.model_fields:
        assert f"--{name.replace('_', '-')}" in shown
    assumed = Assumptions()
    assert (assumed.silent, assumed.offline_for, assumed.size) == (0.01, 7200.0, 32768)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0s"), (59.4, "59.4s"), (59.6, "1m 00s"), (4000.0, "1h 06m"), (2e5, "2d 07h")],
)
def test_durations_are_shown_in_two_units(seconds, shown):
    assert duration(seconds) == shown
