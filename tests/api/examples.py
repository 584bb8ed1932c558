"""One valid object of each kind, with every field of its spec given."""

from __future__ import annotations

from typing import Any

TINY_MODEL: dict[str, Any] = {
    "apiVersion": "petiole.dev/v1alpha1",
    "kind": "TinyModel",
    "metadata": {"name": "digits"},
    "spec": {
        "task": {
            "type": "ImageClassification",
            "labels": ["zero", "one"],
            "input": {"height": 8, "width": 8, "channels": 1},
        },
        "data": {
            "pool": {"uri": "file:///data/pool"},
            "evaluation": {"uri": "file:///data/evaluation"},
        },
        "learning": {
            "strategy": "TypiClustThenMargin",
            "batchSize": 20,
            "labelBudget": 240,
            "driftBudget": 60,
            "randomShare": "10%",
            "labels": {"source": "Oracle", "uri": "file:///data/labels.csv"},
            "triggers": {"drift": True, "newSamples": 200},
            "seed": 7,
            "deadline": "10m",
        },
        "targets": [{"name": "cortex-m4", "flash": "64Ki", "arena": "32Ki"}],
        "acceptance": {"accuracy": "90%", "maxRegression": "1%"},
        "securityCounter": 3,
    },
}

DEVICE_FLEET: dict[str, Any] = {
    "apiVersion": "petiole.dev/v1alpha1",
    "kind": "DeviceFleet",
    "metadata": {"name": "meters"},
    "spec": {
        "selector": {"matchLabels": {"site": "north"}},
        "model": {"name": "digits", "version": "Latest"},
        "rollout": {
            "stages": [
                {"name": "canary", "size": 30, "soak": "5s"},
                {"name": "early", "size": "50%", "soak": "5s"},
                {"name": "all", "size": "100%", "soak": "0s"},
            ],
            "pace": {"maxInFlight": 100},
            "gates": [
                {
                    "name": "update",
                    "outcome": "Confirmed",
                    "test": {"good": "1%", "bad": "10%", "alpha": "5%", "beta": "5%"},
                },
                {
                    "name": "confidence",
                    "metric": "ConfidenceMean",
                    "baseline": "ConcurrentControl",
                    "test": {"maxDrop": "5%", "alpha": "5%", "beta": "5%"},
                },
            ],
            "onFailure": "Revert",
            "onInconclusive": "Pause",
            "noReportAfter": "30m",
            "progressDeadline": "24h",
        },
        "monitoring": {
            "interval": "15m",
            "samplesPerDay": 5,
            "drift": {"falseAlarmsPerYear": 1},
        },
    },
}
