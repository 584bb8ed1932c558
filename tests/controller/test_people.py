"""The commands for people, beside a real API server, operator and gateway."""

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading

import pytest
import yaml
from typer.testing import CliRunner

from hack.testbed.rights import EDIT, VIEW
from hack.testbed.waits import wait_until
from petiole.cli.main import app
from petiole.cli.scrub import GONE

TOKEN = "token-of-the-tests"
HIDDEN = "h0rse-staple-battery"


def petiole(*arguments, **environment):
    runner = CliRunner(env={"COLUMNS": "200", **environment})
    return runner.invoke(app, [str(part) for part in arguments])


@pytest.fixture
def where(shared):
    """As a person who may look."""
    return ("--kubeconfig", shared.cluster.stand_in("viewer", VIEW), "-n", shared.namespace)


@pytest.fixture
def made(shared, gateway, model):
    """A model with a version, and a fleet of two devices at two sites that never reported."""
    for site in ("north", "south"):
        gateway.register(f"{model.name}-{site}", {"site": model.name, "place": site})
    shared.cluster.apply(model.manifest(labelBudget=4), model.fleet())
    shared.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1")

    def waits(status):
        return status.get("waitingFor", {}).get("reason") == "DevicesUpdating"

    shared.until("devicefleet", model.name, waits, "a fleet that waits for its devices")
    return model


def test_a_fleet_is_shown_with_its_devices_by_site(gateway, made, where):
    reach = ("--gateway", gateway.url, "--token", TOKEN)
    done = petiole("get", "fleet", made.name, *where, "--by", "place", *reach)
    assert done.exit_code == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert any(line.startswith("waiting DevicesUpdating for ") for line in lines)
    assert any(re.match(r"all 100% 0s Auto updating, 2 devices", line) for line in lines)
    assert "north 1 0 1 1 never reported" in lines
    away = petiole("get", "fleet", made.name, *where, "--gateway", "http://127.0.0.1:1")
    assert away.exit_code == 0
    assert "does not answer" in away.stdout
    every = petiole("get", "fleet", *where)
    assert made.name in every.stdout


def test_objects_come_as_data_too(made, where):
    done = petiole("get", "model", made.name, *where, "-o", "json")
    found = json.loads(done.stdout)
    assert found["status"]["latestVersion"] == 1
    assert "managedFields" not in found["metadata"]
    done = petiole("get", "fleet", *where, "-o", "yaml")
    assert made.name in [body["metadata"]["name"] for body in yaml.safe_load(done.stdout)]
    done = petiole("get", "fleet", made.name, *where, "-o", "json", "-w")
    assert done.exit_code == 2
    assert "kubectl get devicefleets -w -o json" in done.stderr


def test_why_speaks_of_both(made, where):
    done = petiole("why", made.name, *where)
    assert done.exit_code == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "(DevicesUpdating)" in said
    assert f"`petiole abort {made.name} -n {made.namespace}`" in said
    assert f"TinyModel {made.namespace}/{made.name} Version 1: accuracy 95.00%" in said
    missing = petiole("why", "nothing", *where)
    assert missing.exit_code == 1
    assert "there is no devicefleet and no tinymodel" in missing.stderr


def test_a_fleet_is_followed_line_by_line(shared, made, where):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "petiole.cli.main", "get", "fleet", made.name, *where, "-w"]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, text=True, env=environment
    ) as watching:
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(watching.stdout), daemon=True)
        reader.start()
        try:
            wait_until(lambda: lines, 120, "a first line")
            assert "waits: DevicesUpdating" in lines[0]
            there = ("--kubeconfig", shared.cluster.stand_in("editor", EDIT), *where[2:])
            assert petiole("pause", made.name, *there).exit_code == 0
            wait_until(lambda: any("waits: Held" in line for line in lines), 30, "the pause")
        finally:
            watching.send_signal(signal.SIGINT)
            code = watching.wait(20)
    reader.join(5)
    assert code == 0
    assert len(lines) == len(set(lines)), "a line that changed nothing"


def test_devices_are_listed_and_shown(gateway, made):
    reach = ("--gateway", gateway.url, "--token", TOKEN)
    label = f"site={made.name}"
    done = petiole("devices", "--label", label, "--reason", "never reported", *reach)
    assert done.exit_code == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == [
        f"{made.name}-north",
        f"{made.name}-south",
    ]
    found = petiole("devices", "-l", label, "-l", "place=south", "-o", "json", *reach)
    assert [d["id"] for d in json.loads(found.stdout)] == [f"{made.name}-south"]
    shown = petiole("device", f"{made.name}-south", *reach)
    assert "it has never reported" in shown.stdout
    assert petiole("device", "nobody", *reach).exit_code == 1
    wrong = petiole("devices", "--label", "site", *reach)
    assert wrong.exit_code == 2
    assert "'site' is not KEY=VALUE" in wrong.stderr


def test_the_namespace_is_that_of_the_context(shared, made, tmp_path):
    config = yaml.safe_load(shared.cluster.kubeconfig.read_text())
    config["contexts"].append(
        {
            "name": "ours",
            "context": config["contexts"][0]["context"] | {"namespace": made.namespace},
        }
    )
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    done = petiole("get", "model", made.name, "--context", "ours", KUBECONFIG=str(file))
    assert done.exit_code == 0, done.stderr
    other = petiole("get", "model", made.name, KUBECONFIG=str(file))
    assert f"there is no tinymodel default/{made.name}" in other.stderr
    none = petiole("get", "model", made.name, "--context", "no", KUBECONFIG=str(file))
    assert none.exit_code == 1
    assert "no context 'no'" in none.stderr


def test_the_pages_say_what_the_operator_decided(shared, gateway, made):
    name = f"{made.namespace}.{made.name}"
    wait_until(
        lambda: "DevicesUpdating for" in gateway.page(f"/fleets/{name}"), 30, "the fleet's page"
    )
    for words in ("Version 1: accuracy 95.00%", "runs on 0 of 2 devices, being rolled out"):
        wait_until(lambda w=words: w in gateway.page(f"/models/{name}"), 30, words)
    shared.cluster.kubectl("delete", "devicefleet", made.name, "-n", made.namespace)
    wait_until(
        lambda: "There is no fleet" in gateway.page(f"/fleets/{name}"), 30, "the fleet's end"
    )


# --- kubectl --------------------------------------------------------------------------------------


@pytest.fixture
def plugin(tmp_path, shared, monkeypatch):
    """The commands as kubectl finds them: by name, on the path."""
    for name, function in (("kubectl-petiole", "main"), ("kubectl_complete-petiole", "complete")):
        script = tmp_path / name
        script.write_text(
            f"#!{sys.executable}\nfrom petiole.cli.plugin import {function}\n{function}()\n"
        )
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("KUBECONFIG", str(shared.cluster.stand_in("viewer", VIEW)))

    def kubectl(*arguments):
        command = [str(shared.cluster.kubectl_path), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return kubectl


def test_kubectl_has_it_as_a_plugin(plugin, made):
    said = plugin("petiole", "get", "model", made.name, "-n", made.namespace)
    assert "Version 1: accuracy 95.00%" in said
    assert "kubectl petiole [OPTIONS] COMMAND" in plugin("petiole", "--help")


@pytest.mark.parametrize("words", [("get", "fleet"), ("pause",), ("why",)])
def test_kubectl_completes_names(plugin, made, words):
    said = []

    def answered():  # a cluster that takes longer than two seconds completes nothing
        asked = ("__complete", "petiole", *words, "-n", made.namespace, made.name[:-1])
        said[:] = plugin(*asked).splitlines()
        return len(said) > 1

    wait_until(answered, 60, "a cluster that answers in time")
    *found, directive = said
    assert made.name in found
    assert directive == ":4"


def test_kubectl_completes_commands(plugin):
    said = plugin("__complete", "petiole", "must")
    assert said.splitlines()[0].startswith("must-gather\t")


def test_nothing_is_completed_when_the_cluster_is_away(plugin, shared, monkeypatch, tmp_path):
    config = yaml.safe_load(shared.cluster.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "away").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "away"))
    assert plugin("__complete", "petiole", "pause", "") == ":4\n"


# --- must-gather ----------------------------------------------------------------------------------


def pod(name):
    """A Pod of the gateway with secrets in each place that a Pod has for them."""
    container = {
        "name": "gateway",
        "image": "localhost/gateway:1",
        "args": ["--mqtt-password", HIDDEN],
        "env": [{"name": "PETIOLE_DATABASE_URL", "value": f"postgresql://petiole:{HIDDEN}@db/x"}],
    }
    labels = {"app.kubernetes.io/name": "petiole"}
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": HIDDEN}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": {"containers": [container]},
    }


def test_what_is_gathered_helps_and_holds_no_secret(shared, gateway, made, tmp_path):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{made.name}-hooks"},
        "stringData": {"key": HIDDEN},
    }
    for document in (secret, pod(f"{made.name}-gateway")):
        shared.cluster.kubectl("apply", "-n", made.namespace, "-f", "-", stdin=json.dumps(document))
    uri = {"spec": {"firmware": {"uri": f"https://user:{HIDDEN}@builds.example.com/agent.bundle"}}}
    shared.cluster.kubectl(
        "patch", "df", made.name, "-n", made.namespace, "--type=merge", "-p", json.dumps(uri)
    )
    shared.until(
        "devicefleet", made.name, lambda s: "firmware" in json.dumps(s).lower(), "the bundle's fate"
    )
    file = tmp_path / "gathered.tar.gz"
    operator = shared.url
    reach = ("--gateway", gateway.url, "--token", TOKEN, "--operator", operator)
    where = ("--kubeconfig", shared.cluster.kubeconfig, "-n", shared.namespace)  # CRDs, too
    done = petiole("must-gather", *where, "-f", file, *reach)
    assert done.exit_code == 0, done.stderr
    assert file.stat().st_mode & 0o077 == 0

    files = contents(file)
    for name, text in files.items():
        assert HIDDEN not in text, name
        assert TOKEN not in text, name
    fleets = yaml.safe_load(files["objects/devicefleets.yaml"])
    mine = next(body for body in fleets if body["metadata"]["name"] == made.name)
    assert mine["spec"]["firmware"]["uri"] == f"https://{GONE}@builds.example.com/agent.bundle"
    assert mine["status"]["serial"] > 0
    assert "DevicesUpdating" in files[f"why/devicefleets/{made.namespace}.{made.name}.txt"]
    assert "RoundStarted" in files["events/TinyModel.yaml"]
    assert "petiole_fleet_devices" in files["gateway/metrics.txt"]
    assert "petiole_operator_pass_seconds" in files["operator/metrics.txt"]
    assert f"gateway/summaries/{made.namespace}.{made.name}.yaml" in files
    kept = yaml.safe_load(files["pods.yaml"])["items"][0]["spec"]["containers"][0]
    assert kept["image"] == "localhost/gateway:1"
    assert f"logs/{made.namespace}/{made.name}-gateway/gateway.txt" in files
    assert yaml.safe_load(files["missing.yaml"]) == {}

    again = petiole("must-gather", *where, "-f", file)
    assert again.exit_code == 1
    assert "File exists" in again.stderr


def contents(file):
    """Text of each file, by its name without the archive's folder."""
    with tarfile.open(file) as archive:
        return {
            entry.name.partition("/")[2]: archive.extractfile(entry).read().decode()
            for entry in archive.getmembers()
        }
