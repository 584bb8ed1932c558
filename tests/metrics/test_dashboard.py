"""The dashboard in the chart: as its panels say, in place, and asking for what there is."""

import itertools
import json
import subprocess

import pytest
import yaml

from hack.chart import dashboard
from hack.chart.programs import FetchError, promtool

from .declared import declared
from .queries import labels_by_sample, plain, unknown


@pytest.fixture(scope="module")
def board():
    return json.loads(dashboard.FILE.read_text())


def test_the_file_is_what_the_panels_say():
    assert dashboard.FILE.read_text() == dashboard.written(), "run `make dashboard`"


def test_panels_have_places_of_their_own(board):
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = set(
            itertools.product(
                range(place["x"], place["x"] + place["w"]),
                range(place["y"], place["y"] + place["h"]),
            )
        )
        assert place["x"] + place["w"] <= dashboard.WIDTH, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_every_panel_says_what_it_shows(board):
    shown = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert [panel["title"] for panel in board["panels"] if panel["type"] == "row"] == [
        "At a glance", "Fleets", "Rollout", "Gates", "Devices", "Drift and learning", "Operator",
        "Gateway", "Broker",
    ]  # fmt: skip
    for panel in shown:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["targets"], panel["title"]


def test_every_query_names_metrics_and_labels_that_there_are():
    known = labels_by_sample(declared())
    for title, query in dashboard.queries(dashboard.document()):
        assert unknown(query, known) == set(), title
    for variable in dashboard.document()["variables"]:
        assert variable["name"] in known[variable["of"]]


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("sum(petiole_fleet_device)", {"petiole_fleet_device"}),
        ('petiole_fleet_devices{device="a"}', {"petiole_fleet_devices{device}"}),
        ("sum by (standing, site) (petiole_fleet_devices)", {"site"}),
        ('petiole_fleet_devices{standing!~"a|b", namespace="x"}', set()),
    ],
)
def test_a_wrong_query_is_noticed(query, wrong):
    assert unknown(query, labels_by_sample(declared())) == wrong


def test_promtool_reads_every_query(tmp_path):
    try:
        program = promtool()
    except FetchError as error:
        pytest.skip(str(error))
    rules = [
        {"record": f"q{number}", "expr": plain(query)}
        for number, (_, query) in enumerate(dashboard.queries(dashboard.document()))
    ]

    def check(given):
        file = tmp_path / "rules.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": given}]}))
        command = [program, "check", "rules", file]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    done = check(rules)
    assert done.returncode == 0, done.stderr
    assert check([*rules, {"record": "bad", "expr": "sum(rate(x[5m])"}]).returncode != 0
