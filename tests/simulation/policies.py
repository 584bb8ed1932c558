"""Policies and assumptions that the tests of the simulator vary."""

from __future__ import annotations

from typing import Any

from petiole.simulation.assumptions import Assumptions
from petiole.simulation.policy import Policy, policy

UPDATE = {
    "name": "update",
    "outcome": "Confirmed",
    "test": {"good": "1%", "bad": "10%", "alpha": "5%", "beta": "5%"},
}
CONFIDENCE = {
    "name": "confidence",
    "metric": "ConfidenceMean",
    "baseline": "ConcurrentControl",
    "test": {"maxDrop": "5%"},
}
CANARY = ({"name": "canary", "size": 100, "soak": "10m"}, {"name": "all", "size": "100%"})
AT_ONCE = ({"name": "all", "size": "100%"},)


def body(**rollout: Any) -> dict[str, Any]:
    """A DeviceFleet as YAML gives it; ``rollout`` in the words of the spec."""
    given = {"stages": list(CANARY), "gates": [UPDATE]} | rollout
    return {
        "apiVersion": "petiole.dev/v1alpha1",
        "kind": "DeviceFleet",
        "metadata": {"name": "meters"},
        "spec": {
            "selector": {"matchLabels": {"app": "meters"}},
            "model": {"name": "digits"},
            "rollout": given,
        },
    }


def meters(**rollout: Any) -> Policy:
    return policy(body(**rollout))


def assumed(devices: int = 100, **others: Any) -> Assumptions:
    """Devices that always answer and are always there, unless said otherwise."""
    return Assumptions(**{"devices": devices, "silent": 0.0, "offline": 0.0} | others)
