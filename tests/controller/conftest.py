"""A real API server, broker, gateway and operator, in folders of their own."""

import itertools
import json
import os
import shlex
import sys
from pathlib import Path

import httpx
import pytest

from hack.testbed.broker import Broker
from hack.testbed.processes import Processes
from hack.testbed.waits import free_port, wait_until
from petiole.artifact.keys import new_private_pem

TOKEN = "token-of-the-tests"
WEB_TOKEN = "token-of-who-looks"
HTTP = httpx.Client(timeout=10, trust_env=False, verify=False)  # loopback without TLS
LABELS = ("yes", "no")
_numbers = itertools.count(1)
IDS = [f"s{number:02}" for number in range(20)]


class Gateway:
    """A gateway process with its broker and its store folder."""

    def __init__(self, folder, processes, users=(), environment=()):
        self.store = folder / "store"
        self.store.mkdir()
        self.url = f"http://127.0.0.1:{free_port()}"
        self._folder, self._processes = folder, processes
        self.broker = Broker(folder / "broker", dict(users), processes)
        self._environment = dict(environment)
        self.process = None

    def start(self):
        self.process = self._processes.start(
            "gateway",
            [sys.executable, "-m", "petiole.cli.main", "gateway"],
            environment={
                "PETIOLE_MQTT_PORT": str(self.broker.port),
                "PETIOLE_MQTT_PASSWORD": self.broker.gateway_password,
                "PETIOLE_DATABASE_URL": f"sqlite+aiosqlite:///{self._folder / 'gateway.db'}",
                "PETIOLE_STORE": self.store.as_uri(),
                "PETIOLE_LISTEN_PORT": self.url.rpartition(":")[2],
                "PETIOLE_GATEWAY_TOKEN": TOKEN,
                "PETIOLE_WEB_TOKEN": WEB_TOKEN,
                "PYTHONPATH": os.pathsep.join(sys.path),
                **self._environment,
            },
        )
        self.process.wait_ready(lambda: answers(f"{self.url}/readyz"), 60)

    def register(self, device, labels):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        body = [{"id": device, "labels": labels}]
        HTTP.put(f"{self.url}/v1/devices", json=body, headers=headers).raise_for_status()

    def page(self, path):
        headers = {"Authorization": f"Bearer {WEB_TOKEN}"}
        return HTTP.get(f"{self.url}/web{path}", headers=headers).text

    def ask(self, path):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return HTTP.get(f"{self.url}{path}", headers=headers)


class Operator:
    """An operator process for one namespace; ``more`` are variables of it."""

    def __init__(self, folder, processes, control_plane, gateway, namespace, **more):
        self.folder, self.namespace, self.more = folder, namespace, more
        self.work, self.key = folder / "work", folder / "signing.pem"
        self.store = gateway.store
        self.cluster = control_plane
        self._gateway, self._processes = gateway, processes
        self.process = None
        self.key.write_bytes(new_private_pem())

    def start(self):
        self.launch()
        self.process.wait_ready(self.ready, 60)

    def ready(self):
        return answers(f"{self.url}/readyz")

    def launch(self):
        """Start it, and do not wait until it is ready."""
        health = free_port()
        self.url = f"http://127.0.0.1:{health}"
        child = Path(__file__).with_name("pipeline.py")
        self.process = self._processes.start(
            f"operator-{self.namespace}",
            [sys.executable, "-m", "petiole.cli.main", "operator"],
            environment={
                "PETIOLE_KUBECONFIG": str(self.cluster.operator_kubeconfig),
                "PETIOLE_NAMESPACE": self.namespace,
                "PETIOLE_GATEWAY_URL": self._gateway.url,
                "PETIOLE_GATEWAY_TOKEN": TOKEN,
                "PETIOLE_STORE": self.store.as_uri(),
                "PETIOLE_WORK": str(self.work),
                "PETIOLE_SIGNING_KEY": str(self.key),
                "PETIOLE_RESYNC": "2",
                "PETIOLE_LISTEN": f"127.0.0.1:{health}",
                "PETIOLE_HOOK_URL": f"http://127.0.0.1:{health}",
                "PETIOLE_RUNNER_COMMAND": shlex.join([sys.executable, str(child)]),
                "PYTHONPATH": os.pathsep.join(sys.path),
                **self.more,
            },
        )

    def kill(self):
        self.process.kill()

    def metric(self, name):
        text = HTTP.get(f"{self.url}/metrics").text
        found = [line for line in text.splitlines() if line.startswith(name)]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    def get(self, kind, name):
        return self.cluster.get(kind, name, self.namespace)

    def status(self, kind, name):
        return self.get(kind, name).get("status", {})

    def until(self, kind, name, met, what, seconds=60):
        """Wait until ``met(status)``; the failure shows the status and the operator's log."""
        seen = {}

        def look():
            self.process.check()
            seen.clear()
            seen.update(self.status(kind, name))
            return met(seen)

        try:
            wait_until(look, seconds, what, every=0.2)
        except Exception as error:
            shown = json.dumps(seen, indent=1)
            raise AssertionError(f"{error}\n{shown}\n{self.process.tail(30)}") from error
        return seen

    def until_condition(self, kind, name, type_, reason, seconds=60):
        def met(status):
            found = condition(status, type_)
            return found.get("status") == "True" and found.get("reason") == reason

        status = self.until(kind, name, met, f"condition {type_} {reason}", seconds)
        return condition(status, type_)["message"]


class Model:
    """The data and the manifest of one TinyModel."""

    def __init__(self, folder, namespace):
        self.folder, self.namespace, self.name = folder, namespace, f"leaf{next(_numbers)}"
        self.pool, self.labels = folder / "pool", folder / "labels.csv"
        self.pool.mkdir(parents=True)
        (self.pool / "ids.json").write_text(json.dumps(IDS))
        self.labels.write_text("id,label\n" + "".join(f"{i},{LABELS[0]}\n" for i in IDS))
        self.behave()

    def behave(self, *, sleep=0.0, failing="", accuracy=0.95, blocks=16):
        wants = {"sleep": sleep, "failing": failing, "accuracy": accuracy, "blocks": blocks}
        draft = self.pool / "behaviour.draft"
        draft.write_text(json.dumps(wants))
        draft.replace(self.pool / "behaviour.json")

    def runs(self):
        """Names of the runs that children took, in order."""
        trace = self.pool / "trace"
        return trace.read_text().splitlines() if trace.exists() else []

    def manifest(self, **learning):
        return {
            "apiVersion": "petiole.dev/v1alpha1",
            "kind": "TinyModel",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "task": {
                    "labels": list(LABELS),
                    "input": {"height": 2, "width": 2, "channels": 1},
                },
                "data": {
                    "pool": {"uri": self.pool.as_uri()},
                    "evaluation": {"uri": (self.folder / "evaluation").as_uri()},
                },
                "learning": {
                    "batchSize": 4,
                    "labelBudget": 8,
                    "labels": {"source": "Oracle", "uri": self.labels.as_uri()},
                }
                | learning,
                "targets": [{"name": "cortex-m4", "flash": "64Ki", "arena": "16Ki"}],
                "acceptance": {"accuracy": "90%"},
            },
        }

    def fleet(self, **rollout):
        return {
            "apiVersion": "petiole.dev/v1alpha1",
            "kind": "DeviceFleet",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "selector": {"matchLabels": {"site": self.name}},
                "model": {"name": self.name},
                "rollout": {"stages": [{"name": "all", "size": "100%"}]} | rollout,
                "monitoring": {"interval": "2s"},
            },
        }


def condition(status, type_):
    return next((c for c in status.get("conditions", ()) if c["type"] == type_), {})


def answers(url):
    try:
        return HTTP.get(url).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="session")
def processes(tmp_path_factory):
    with Processes(tmp_path_factory.mktemp("operator")) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory, processes):
    made = Gateway(tmp_path_factory.mktemp("gateway"), processes)
    made.broker.start()
    made.start()
    yield made
    made.process.stop()
    made.broker.stop()


@pytest.fixture(scope="session")
def shared(tmp_path_factory, processes, control_plane, gateway):
    """An operator that nobody kills: starting one takes longer than most of what is asked of it."""
    control_plane.kubectl("create", "namespace", "test-shared")
    folder = tmp_path_factory.mktemp("shared")
    made = Operator(folder, processes, control_plane, gateway, "test-shared")
    made.start()
    yield made
    made.process.stop()


@pytest.fixture
def operator(tmp_path, processes, control_plane, gateway, namespace):
    made = Operator(tmp_path, processes, control_plane, gateway, namespace)
    yield made
    if made.process is not None:
        made.process.stop()


@pytest.fixture
def model(tmp_path, request):
    """A model in the namespace of the test's operator."""
    owner = "operator" if "operator" in request.fixturenames else "shared"
    return Model(tmp_path / "data", request.getfixturevalue(owner).namespace)
