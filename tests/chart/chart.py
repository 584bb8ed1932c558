"""The chart as Helm renders it, for values that a user may give."""

import json
import os
import subprocess

import yaml

from hack.chart.programs import ROOT, helm
from hack.testbed.controlplane import RELEASE as NAMESPACE

CHART = ROOT / "charts" / "petiole"
WORKLOADS = ("Deployment", "Job", "Pod")
FOREIGN = ("monitoring.coreos.com/v1", "cert-manager.io/v1")  # their CRDs are not ours to have

BROKER = {"gateway": {"broker": {"host": "mqtt.example"}}}
OWN_BROKER = {
    "mosquitto": {"enabled": True},
    "gateway": {"enrolment": {"authoritySecretName": "petiole-authority"}},
}
PEER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
# By name: what differs from the defaults.
MATRIX = {
    "another broker": BROKER,
    "own broker": OWN_BROKER,
    "replicas": BROKER
    | {
        "operator": {"replicas": 2},
        "gateway": {
            **BROKER["gateway"],
            "replicas": 3,
            "database": {"urlSecretName": "postgresql"},
        },
        "store": {"uri": "s3://orchard/petiole", "secretName": "store"},
    },
    "kfp": BROKER
    | {
        "store": {"uri": "s3://orchard/petiole"},
        "runner": {
            "kind": "kfp",
            "kfp": {
                "url": "http://ml-pipeline.kubeflow:8888",
                "namespace": "orchard",
                "tokenAudience": "pipelines.kubeflow.org",
                "caConfigMap": "kfp-ca",
                "secretName": "store",
            },
        },
    },
    "listed namespaces": BROKER
    | {
        "namespaces": ["chart-a", "chart-b"],
        "rbac": {"secretNames": ["orchard", "label-studio"], "aggregate": False},
        "crds": {"keep": False},
        "signing": {"accepted": True},
    },
    "everything": OWN_BROKER
    | {
        "gateway": OWN_BROKER["gateway"] | {"web": {"tokenSecretName": "pages"}},
        "fullnameOverride": "tiny",
        "image": {"registry": "registry.example/petiole", "pullSecrets": [{"name": "pull"}]},
        "operator": {
            "image": {"digest": "sha256:" + "a" * 64},
            "nodeSelector": {"pool": "control"},
            "tolerations": [{"key": "control", "operator": "Exists"}],
            "env": [{"name": "TZ", "value": "Europe/Rome"}],
            "podLabels": {"team": "orchard"},
            "hookUrl": "https://petiole.example",
        },
        "runner": {"job": {"nodeSelector": {"pool": "training"}, "serviceAccountName": "train"}},
        "certManager": {"enabled": True, "brokerNames": ["broker.example"]},
        "monitoring": {
            "rules": {"enabled": True},
            "serviceMonitor": {"enabled": True},
            "dashboard": {"enabled": True, "annotations": {"grafana_folder": "Petiole"}},
        },
        "networkPolicy": {
            "devicesFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
            "metricsFrom": [PEER],
            "operatorFrom": [PEER],
            "gatewayFrom": [PEER],
            "operatorEgress": [{"ports": [{"port": 443}]}],
            "gatewayEgress": [{"ports": [{"port": 443}]}],
        },
    },
}


def run_helm(command, values, *, folder):
    """Run one of Helm's commands on the chart, with nothing of the user's own settings."""
    given = folder / "values.json"
    given.write_text(json.dumps(values))
    own = {f"HELM_{kind}_HOME": str(folder / "helm") for kind in ("CACHE", "CONFIG", "DATA")}
    where = ["petiole"] if command == "template" else []
    return subprocess.run(
        [str(helm()), command, *where, str(CHART), "--namespace", NAMESPACE, "-f", str(given)],
        capture_output=True,
        text=True,
        env=os.environ | own,
        timeout=60,
    )


def render(values, folder):
    """Return the objects that the chart makes of the values."""
    done = run_helm("template", values, folder=folder)
    assert done.returncode == 0, done.stderr
    # libyaml's loader: the CRDs take Python's a second each time.
    return [found for found in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if found]


def pods(objects):
    """Yield (name, labels, Pod spec) of all that makes Pods, Jobs of the runner included."""
    for body in objects:
        if body["kind"] in WORKLOADS:
            inner = body if body["kind"] == "Pod" else body["spec"]["template"]
            yield body["metadata"]["name"], inner["metadata"]["labels"], inner["spec"]
        if body["kind"] == "ConfigMap" and "job.yaml" in body["data"]:
            yield "the runner's Jobs", {}, yaml.safe_load(body["data"]["job.yaml"])["spec"]


def containers(spec):
    return [*spec.get("initContainers", ()), *spec["containers"]]


def find(objects, kind, name):
    return next(o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))
