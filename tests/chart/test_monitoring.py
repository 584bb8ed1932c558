"""What Prometheus' operator and Grafana are given, where they are asked for."""

import json

from hack.chart.render import CHART

from .chart import FOREIGN, find


def test_grafana_is_given_the_dashboard(rendered):
    made = find(rendered["everything"], "ConfigMap", "tiny-dashboard")
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert made["metadata"]["annotations"] == {"grafana_folder": "Petiole"}
    board = json.loads((CHART / "files" / "dashboard.json").read_text())
    assert json.loads(made["data"]["petiole.json"]) == board


def test_without_them_there_is_nothing_of_theirs(rendered):
    for body in rendered["another broker"]:
        assert body["apiVersion"] not in FOREIGN
        assert "dashboard" not in body["metadata"]["name"]
