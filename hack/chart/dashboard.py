"""Writes ``charts/petiole/files/dashboard.json``: the panels of panels.yaml as Grafana wants them.

Grafana's own format repeats place, data source and options in every panel; here each is said once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).with_name("panels.yaml")
FILE = Path(__file__).resolve().parents[2] / "charts" / "petiole" / "files" / "dashboard.json"
WIDTH = 24  # columns of Grafana's grid
_HEIGHTS = {"stat": 4, "timeseries": 8, "table": 8, "state-timeline": 8}
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

Panel = dict[str, Any]


def queries(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Title and query of every panel, in order."""
    return [
        (panel["title"], target["expr"])
        for row in document["rows"]
        for panel in row["panels"]
        for target in _targets(panel)
    ]


def dashboard(document: dict[str, Any]) -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    panels: list[Panel] = []
    top = 0
    for row in document["rows"]:
        panels.append(_row(row["title"], top))
        placed, top = _placed(row["panels"], top + 1)
        panels += placed
    for number, panel in enumerate(panels, 1):
        panel["id"] = number
    return {
        "uid": "petiole",
        "title": "Petiole",
        "description": document["description"],
        "tags": ["petiole"],
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source_variable(), *map(_variable, document["variables"])]},
        "panels": panels,
    }


def _row(title: str, top: int) -> Panel:
    place = {"h": 1, "w": WIDTH, "x": 0, "y": top}
    return {"type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _placed(given: list[dict[str, Any]], top: int) -> tuple[list[Panel], int]:
    """Fill lines of the grid from the left; returns the first free line below too."""
    panels: list[Panel] = []
    left = high = 0
    for panel in given:
        width, height = panel["width"], _HEIGHTS[panel["type"]]
        if left + width > WIDTH:
            left, top, high = 0, top + high, 0
        panels.append(_panel(panel, {"h": height, "w": width, "x": left, "y": top}))
        left, high = left + width, max(high, height)
    return panels, top + high


def _panel(given: dict[str, Any], place: dict[str, int]) -> Panel:
    kind = given["type"]
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": _SOURCE,
            "editorMode": "code",
            "expr": target["expr"],
            "legendFormat": target.get("legend", "__auto"),
            **({"instant": True, "range": False} if kind in ("stat", "table") else {"range": True}),
            **({"format": "table"} if kind == "table" else {}),
        }
        for number, target in enumerate(_targets(given))
    ]
    return {
        "type": kind,
        "title": given["title"],
        "description": given["says"],
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": targets,
        "fieldConfig": {"defaults": _defaults(given), "overrides": _overrides(given)},
        "options": _OPTIONS[kind],
        **({"transformations": _columns(given)} if kind == "table" else {}),
    }


def _targets(panel: dict[str, Any]) -> list[dict[str, str]]:
    return list(panel["queries"])


def _defaults(given: dict[str, Any]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    for colour, value in given.get("thresholds", {}).items():
        steps.append({"color": colour, "value": value})
    if "base" in given:
        steps[0]["color"] = given["base"]
    made: dict[str, Any] = {
        "unit": given.get("unit", "short"),
        "thresholds": {"mode": "absolute", "steps": steps},
        "color": {"mode": "thresholds" if given["type"] == "stat" else "palette-classic"},
    }
    if given["type"] in ("stat", "timeseries") and given.get("from_zero", True):
        made["min"] = 0
    if given["type"] == "timeseries":
        stacked = {"mode": "normal" if given.get("stacked") else "none"}
        fill = 30 if given.get("stacked") else 5
        made["custom"] = {"fillOpacity": fill, "showPoints": "never", "stacking": stacked}
    return made


def _overrides(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Columns of a table with a unit of their own."""
    return [
        {
            "matcher": {"id": "byName", "options": query["column"]},
            "properties": [{"id": "unit", "value": query["unit"]}],
        }
        for query in _targets(given)
        if "unit" in query
    ]


def _columns(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Join the queries by their labels; each value becomes a column with a name for people."""
    asked = _targets(given)
    names = {
        f"Value #{chr(ord('A') + number)}" if len(asked) > 1 else "Value": query["column"]
        for number, query in enumerate(asked)
    }
    hidden = {"Time": True} | {name: True for name, column in names.items() if not column}
    shown = {name: column for name, column in names.items() if column}
    return [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": hidden, "renameByName": shown}},
    ]


def _source_variable() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
    }


def _variable(given: dict[str, str]) -> dict[str, Any]:
    query = f"label_values({given['of']}, {given['name']})"
    return {
        "name": given["name"],
        "label": given["label"],
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": given["name"]},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


_OPTIONS: dict[str, dict[str, Any]] = {
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "value",
    },
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "state-timeline": {
        "mergeValues": True,
        "showValue": "never",
        "rowHeight": 0.8,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
    },
    "table": {"showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": []}},
}


def document() -> dict[str, Any]:
    """The panels as they are described."""
    read: dict[str, Any] = yaml.safe_load(SOURCE.read_text())
    return read


def written() -> str:
    return json.dumps(dashboard(document()), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
