"""What the chart makes of values, by reading what Helm renders."""

import re
from functools import cache

import pytest
import yaml
from typer.main import get_command

from petiole.cli.main import app

from .chart import MATRIX, PEER, containers, pods, run_helm

pytestmark = pytest.mark.parametrize("row", MATRIX)


def test_lint_finds_nothing(row, tmp_path):
    done = run_helm("lint", MATRIX[row], folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "0 chart(s) failed" in done.stdout
    assert "[WARNING]" not in done.stdout


def test_no_pod_may_more_than_it_needs(row, rendered):
    for name, _, spec in pods(rendered[row]):
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["enableServiceLinks"] is False, name  # PETIOLE_... would be overwritten
        for container in containers(spec):
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"] is True, name
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), name
            assert "memory" in container["resources"]["limits"], name
            assert any(m["mountPath"] == "/tmp" for m in container["volumeMounts"]) or (
                container["name"] == "mosquitto"
            ), name


def test_only_who_asks_the_api_server_has_a_token(row, rendered):
    asks = {name for name, _, spec in pods(rendered[row]) if _token(spec)}
    prefix = "tiny" if row == "everything" else "petiole"
    expected = {f"{prefix}-operator", f"{prefix}-clear"}
    assert asks - {"the runner's Jobs"} <= expected  # the operator itself turns the Jobs' off
    assert f"{prefix}-operator" in asks


def _token(spec):
    return spec.get("automountServiceAccountToken", True)


def test_images_are_pinned(row, rendered):
    for name, _, spec in pods(rendered[row]):
        for container in containers(spec):
            if container["name"] != "pipeline":  # the operator gives that one its image
                image = container["image"]
                assert re.search(r"(:\d[\w.-]*|@sha256:[0-9a-f]{64})$", image), (name, image)
                assert image.startswith("registry.example/petiole/") == (row == "everything")


def test_every_variable_is_an_option_of_the_command_that_gets_it(row, rendered):
    known = {name: _variables(*words) for name, words in COMMANDS.items()}
    seen = set()
    for _, _, spec in pods(rendered[row]):
        for container in containers(spec):
            given = {e["name"] for e in container.get("env", ()) if e["name"].startswith("PETIOLE")}
            if container["name"] in known:
                assert given <= known[container["name"]], container["name"]
                seen.add(container["name"])
            else:
                assert not given, container["name"]
    assert {"operator", "gateway", "check"} <= seen


COMMANDS = {
    "operator": ("operator",),
    "gateway": ("gateway",),
    "check": ("installation", "check"),
    "clear": ("installation", "clear"),
    "revocations": ("installation", "revocations"),
    "first-revocations": ("installation", "revocations"),
}
SHARED = {"PETIOLE_OPERATOR_URL"}  # check and clear have one list


@cache
def _variables(*words):
    command = get_command(app)
    for word in words:
        command = command.commands[word]
    found = {v for p in command.params for v in _listed(p.envvar)}
    return found | (SHARED if words[0] == "installation" else set())


def _listed(envvar):
    return [envvar] if isinstance(envvar, str) else list(envvar or ())


def test_the_chart_makes_no_secret_and_shows_none(row, rendered):
    assert not [o for o in rendered[row] if o["kind"] == "Secret"]
    for name, _, spec in pods(rendered[row]):
        for container in containers(spec):
            for entry in container.get("env", ()):
                secret = re.search("TOKEN$|PASSWORD$|DATABASE_URL$", entry["name"])
                if secret and not entry.get("value", "").startswith("sqlite"):
                    assert "secretKeyRef" in entry["valueFrom"], (name, entry["name"])


def test_there_are_pages_where_a_token_is_named(row, rendered):
    given = {
        entry["name"]: entry.get("valueFrom")
        for _, _, spec in pods(rendered[row])
        for container in containers(spec)
        if container["name"] == "gateway"
        for entry in container["env"]
    }
    secret = {"secretKeyRef": {"name": "pages", "key": "token"}}
    assert given.get("PETIOLE_WEB_TOKEN") == (secret if row == "everything" else None)


def test_traces_go_where_the_values_say_and_may_go_there(row, rendered):
    given = {
        container["name"]: entry["value"]
        for _, _, spec in pods(rendered[row])
        for container in containers(spec)
        for entry in container.get("env", ())
        if entry["name"].startswith("OTEL_")
    }
    address = "http://collector.monitoring:4318"
    assert given == ({"operator": address, "gateway": address} if row == "everything" else {})
    reach = {
        o["metadata"]["name"]
        for o in rendered[row]
        if o["kind"] == "NetworkPolicy" and {"to": [PEER]} in o["spec"].get("egress", ())
    }
    assert reach == ({"tiny-operator", "tiny-gateway"} if row == "everything" else set())


def test_services_and_policies_meet_the_pods(row, rendered):
    objects = rendered[row]
    made = [(labels, spec) for name, labels, spec in pods(objects) if labels]
    policies = [o["spec"] for o in objects if o["kind"] == "NetworkPolicy"]
    for service in (o for o in objects if o["kind"] == "Service"):
        chosen = [spec for labels, spec in made if _matches(service["spec"]["selector"], labels)]
        assert len(chosen) == 1, service["metadata"]["name"]
        ports = {p["name"] for c in chosen[0]["containers"] for p in c.get("ports", ())}
        assert {p["targetPort"] for p in service["spec"]["ports"]} <= ports
    for labels, spec in made:
        served = any(c.get("ports") for c in spec["containers"])
        covering = [p for p in policies if _matches(p["podSelector"]["matchLabels"], labels)]
        assert len(covering) == served, labels


def _matches(selector, labels):
    return selector.items() <= labels.items()


def test_the_crds_are_those_of_the_code(row, rendered, root):
    made = {o["metadata"]["name"]: o for o in rendered[row] if "CustomResource" in o["kind"]}
    kept = MATRIX[row].get("crds", {}).get("keep", True)
    for file in sorted((root / "crds").glob("*.yaml")):
        wanted = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
        found = made.pop(wanted["metadata"]["name"])
        annotations = found["metadata"].pop("annotations", {})
        assert annotations == ({"helm.sh/resource-policy": "keep"} if kept else {})
        assert found == wanted
    assert not made
