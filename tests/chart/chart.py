"""The chart as Helm renders it, for values that a user may give."""

import yaml

import hack.chart.render
from hack.testbed.rights import RELEASE as NAMESPACE

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
        "tracing": {"endpoint": "http://collector.monitoring:4318", "to": [PEER]},
    },
}


def run_helm(command, values, *, folder):
    """Run one of Helm's commands on the chart, for the namespace of an installation."""
    return hack.chart.render.run_helm(command, values, folder=folder, namespace=NAMESPACE)


def render(values, folder):
    """Return the objects that the chart makes of the values."""
    return hack.chart.render.render(values, folder, NAMESPACE)


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
