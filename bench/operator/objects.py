"""The two objects of a play, as somebody would write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hack.testbed.crowd import a_model
from petiole.api.base import GROUP, VERSION

NAME = "play"
CANARY = 4
POLICY = {
    "stages": [{"name": "canary", "size": CANARY}, {"name": "all", "size": "100%"}],
    "pace": {"maxInFlight": 1},
    "gates": [
        {"name": "update", "outcome": "Confirmed", "test": {"good": "1%", "bad": "70%"}},
    ],
    "noReportAfter": "10m",
    "progressDeadline": "1h",
}
EDITED_POLICY = POLICY | {"pace": {"maxInFlight": 2}, "noReportAfter": "15m"}


def model(namespace: str, data: Path) -> dict[str, Any]:
    """Return a TinyModel whose round asks once and trains."""
    made = a_model(data, NAME)
    made["metadata"]["namespace"] = namespace
    made["spec"]["data"] = {
        "pool": {"uri": (data / "pool").as_uri()},
        "evaluation": {"uri": (data / "evaluation-1").as_uri()},
    }
    made["spec"]["learning"] |= {
        "batchSize": 4,
        "labelBudget": 4,
        "labels": {"source": "Oracle", "uri": (data / "labels.csv").as_uri()},
    }
    return made


def fleet(namespace: str, label: str) -> dict[str, Any]:
    """Return a DeviceFleet that stays at version 1 until somebody says otherwise."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "DeviceFleet",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": {"play": label}},
            "model": {"name": NAME, "version": 1},
            "rollout": POLICY,
            "monitoring": {"interval": "1h", "samplesPerDay": 0},
        },
    }


def data(folder: Path) -> None:
    """Write what the pipeline's double reads: ids and labels of a pool."""
    ids = [f"s{number:02}" for number in range(20)]
    (folder / "pool").mkdir(parents=True)
    (folder / "pool" / "ids.json").write_text(json.dumps(ids))
    lines = "".join(f"{id_},class-{number % 10}\n" for number, id_ in enumerate(ids))
    (folder / "labels.csv").write_text(f"id,label\n{lines}")
