"""Valid objects in which every field of a spec is given: one of each kind, and a fleet's ramp."""

from __future__ import annotations

import copy
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
            "credentials": {"secretRef": {"name": "orchard-s3"}},
        },
        "learning": {
            "features": "Kernel",
            "strategy": "TypiClustThenMargin",
            "batchSize": 20,
            "labelBudget": 240,
            "driftBudget": 60,
            "randomShare": "10%",
            "quota": {"perClass": "50%", "perDevice": "20%"},
            "nearDuplicates": "Drop",
            "stopping": {
                "accuracy": "98%",
                "plateau": {"batches": 3, "gain": "0.5%"},
                "kappa": {"batches": 3, "agreement": "99%"},
            },
            "student": {"search": "Halving", "tries": 6, "fineTune": "Whole"},
            "labels": {"source": "Oracle", "uri": "file:///data/labels.csv"},
            "triggers": {"drift": True, "newSamples": 200},
            "seed": 7,
            "deadline": "10m",
        },
        "targets": [
            {
                "name": "cortex-m4",
                "flash": "64Ki",
                "arena": "32Ki",
                "core": "cortex-m4",
                "instructions": "8M",
            }
        ],
        "acceptance": {
            "accuracy": "90%",
            "recall": "80%",
            "maxRegression": "1%",
            "confidence": "95%",
        },
        "events": {
            "sink": "https://functions.example.com/petiole",
            "secretRef": {"name": "hooks", "key": "petiole"},
        },
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
        "firmware": {"uri": "firmware/agent-1.4.0.zip"},
        "rollout": {
            "stages": [
                {"name": "canary", "size": 30, "soak": "5s", "approval": "Auto"},
                {"name": "early", "size": "50%", "soak": "5s", "approval": "Auto"},
                {"name": "all", "size": "100%", "soak": "0s", "approval": "Manual"},
            ],
            "stratifyBy": ["hardware"],
            "clusterBy": "site",
            "pace": {"maxInFlight": 100, "perMinute": 1000},
            "disruption": {"groupBy": ["site"], "maxUnavailable": 2},
            "windows": {
                "download": [{"cron": "0 20 * * 1-5", "timeZone": "UTC", "duration": "8h"}],
                "apply": [{"cron": "0 1 * * *", "timeZone": "Europe/Rome", "duration": "4h"}],
                "freeze": [{"first": "2026-12-24", "last": "2027-01-06", "timeZone": "UTC"}],
            },
            "shadow": {"inferences": 100},
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
                {
                    "name": "latency",
                    "metric": "LatencyMean",
                    "baseline": "ConcurrentControl",
                    "test": {"maxRise": "20%", "alpha": "5%", "beta": "5%"},
                },
                {
                    "name": "same",
                    "metric": "Disagreement",
                    "test": {"max": "10%", "alpha": "5%", "beta": "5%"},
                },
            ],
            "falseStop": "5%",
            "retries": {"limit": 2, "backoff": "5m", "reasons": ["timeout", "flash-error"]},
            "onFailure": "Revert",
            "onInconclusive": "Pause",
            "noReportAfter": "30m",
            "progressDeadline": "24h",
            "rollbackWindow": {"revisions": 3},
        },
        "monitoring": {
            "interval": "15m",
            "samplesPerDay": 5,
            "drift": {"falseAlarmsPerYear": 1, "baseline": "1d"},
        },
        "events": {
            "sink": "https://functions.example.com/petiole",
            "secretRef": {"name": "hooks", "key": "petiole"},
        },
    },
}


def _labelled() -> dict[str, Any]:
    made = copy.deepcopy(TINY_MODEL)
    made["spec"]["learning"]["labels"] = {
        "source": "LabelStudio",
        "labelStudio": {
            "url": "http://labels.example.com",
            "tokenSecretRef": {"name": "label-studio", "key": "token"},
            "project": "Apple leaves",
            "overlap": 3,
            "agreement": "66%",
        },
    }
    return made


LABELLED_MODEL = _labelled()  # the source excludes a URI


ANOMALY_MODEL: dict[str, Any] = {
    "apiVersion": "petiole.dev/v1alpha1",
    "kind": "TinyModel",
    "metadata": {"name": "pump"},
    "spec": {
        "task": {
            "type": "AnomalyDetection",
            "input": {"height": 1, "width": 40, "channels": 8},
            "commissioning": {"scale": 60, "reach": 32, "baseline": 400},
        },
        "data": {
            "pool": {"uri": "file:///data/pool"},
            "evaluation": {"uri": "file:///data/evaluation"},
        },
        "learning": {"triggers": {"drift": False}, "seed": 7, "deadline": "10m"},
        "targets": [{"name": "cortex-m4", "flash": "64Ki", "arena": "32Ki"}],
        "acceptance": {"f1": "60%", "falseAlarms": "10%", "maxRegression": "5%"},
    },
}  # a task without classes has no labels


def _ramped() -> dict[str, Any]:
    made = copy.deepcopy(DEVICE_FLEET)
    del made["spec"]["rollout"]["stages"]
    made["spec"]["rollout"]["ramp"] = {"start": 10, "factor": 2, "soak": "10m"}
    return made


RAMPED_FLEET = _ramped()
