"""What the chart refuses, and what is the same for all values."""

import pytest
import yaml

from hack.chart.render import CHART
from hack.testbed.broker import DEVICE_RULES, GATEWAY_RULES
from petiole.identity.authority import GATEWAY

from .chart import BROKER, OWN_BROKER, render, run_helm


def test_the_brokers_rules_are_those_that_are_tested():
    folder = CHART / "files" / "mosquitto"
    assert (folder / "device.acl").read_text() == DEVICE_RULES
    assert (folder / "gateway.acl").read_text() == GATEWAY_RULES.format(gateway=GATEWAY)


REFUSED = {
    "gateway.replicas=0": (BROKER, {"gateway": {"replicas": 0}}, "/gateway/replicas"),
    "runner.kind": (BROKER, {"runner": {"kind": "local"}}, "must be one of 'job', 'kfp'"),
    "misspelt": (BROKER, {"gatway": {}}, "'gatway' not allowed"),
    "misspelt inside": (BROKER, {"operator": {"resync": 5}}, "'resync' not allowed"),
    "namespace": (BROKER, {"namespaces": ["Orchard"]}, "/namespaces/0"),
    "store": (BROKER, {"store": {"uri": "/srv/store"}}, "/store/uri"),
    "port": (BROKER, {"gateway": {"broker": {"host": "m", "port": 0}}}, "/gateway/broker/port"),
    "digest": (BROKER, {"operator": {"image": {"digest": "latest"}}}, "/operator/image/digest"),
    "size": (BROKER, {"store": {"volume": {"size": "large"}}}, "/store/volume/size"),
    "collector": (BROKER, {"tracing": {"endpoint": "collector:4318"}}, "/tracing/endpoint"),
    "no broker": ({}, {}, "name the MQTT broker, or set mosquitto.enabled"),
    "two brokers": (BROKER, {"mosquitto": {"enabled": True}}, "leave it empty"),
    "sqlite for three": (BROKER, {"gateway": {"replicas": 3}}, "needs PostgreSQL"),
    "no authority": ({}, {"mosquitto": {"enabled": True}}, "enrolment.authoritySecretName"),
    "plain": (OWN_BROKER, {"gateway": {"broker": {"tlsSecretName": ""}}}, "for a certificate"),
    "cert-manager": (BROKER, {"certManager": {"enabled": True}}, "set mosquitto.enabled"),
    "kfp without url": (BROKER, {"runner": {"kind": "kfp"}}, "needs the address of its API"),
    "kfp and volume": (
        BROKER,
        {"runner": {"kind": "kfp", "kfp": {"url": "http://kfp"}}},
        "name an object store",
    ),
}


@pytest.mark.parametrize("row", REFUSED)
def test_nonsense_is_refused_with_the_place_and_the_remedy(row, tmp_path):
    base, more, words = REFUSED[row]
    done = run_helm("template", _merged(base, more), folder=tmp_path)
    assert done.returncode != 0
    assert words in done.stderr


def _merged(base, more):
    both = base.keys() & more.keys()
    inner = {k: _merged(base[k], more[k]) for k in both if isinstance(more[k], dict)}
    return base | more | inner


def test_a_template_of_ones_own_takes_the_place_of_the_charts(tmp_path):
    own = {"spec": {"runtimeClassName": "gpu"}}
    objects = render(BROKER | {"runner": {"job": {"template": own}}}, tmp_path)
    made = [o for o in objects if o["kind"] == "ConfigMap" and "job.yaml" in o["data"]]
    assert [yaml.safe_load(o["data"]["job.yaml"]) for o in made] == [own]
