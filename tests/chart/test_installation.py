"""An installation by the chart: its own processes, each with its rights and no others."""

import json
import sys
from datetime import UTC, datetime

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from hack.testbed.pki import Pki, csr, new_key
from hack.testbed.processes import Processes
from hack.testbed.rights import OPERATOR, granted, uses
from hack.testbed.waits import wait_until
from petiole.artifact.keys import load_private, new_private_pem, public_pem
from petiole.artifact.read import verify
from petiole.cli.main import app
from petiole.events.signature import headers
from tests.controller.conftest import Model, answers
from tests.controller.test_events import SECRET, request, secret
from tests.controller.test_events import manifest as with_events
from tests.gateway.test_security import refusal
from tests.runners.kubelet import Kubelet

from .chart import NAMESPACE, OWN_BROKER, find, render
from .running import Installation

pytestmark = pytest.mark.long

HERE, THERE = "chart-here", "chart-there"
TOKEN = "token-of-the-chart"
VALUES = OWN_BROKER | {
    "namespaces": [HERE, THERE],
    "signing": {"accepted": True},
    "crds": {"keep": False},
}
PLAYED = {("python", "-m", "petiole_pipelines.run_job"): (sys.executable, "tests/chart/pod.py")}


class Release(Installation):
    """All parts, up and connected; ``signing`` is the folder that the Secret is made of."""

    def __init__(self, folder, cluster, processes):
        self.pki = Pki(folder / "pki")
        self.signing, self.next_key = folder / "signing", folder / "next.pem"
        self.signing.mkdir()
        self.next_key.write_bytes(new_private_pem())
        (self.signing / "signing.pem").write_bytes(new_private_pem())
        (self.signing / "accepted.pem").write_bytes(public_pem(key(self.next_key).public_key()))
        super().__init__(render(VALUES, folder), self._secrets(), folder, cluster, processes)
        self.gateway = httpx.Client(
            base_url=self.url(8080), headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False
        )

    def _secrets(self):
        pki = {file.name: file.read_bytes() for file in self.pki.folder.iterdir()}
        gateway = {f"tls.{part}": pki[f"gateway.{part}"] for part in ("crt", "key")}
        return {
            "petiole-authority": {f"tls.{part}": pki[f"ca.{part}"] for part in ("crt", "key")},
            "petiole-broker-tls": {f"tls.{part}": pki[f"broker.{part}"] for part in ("crt", "key")},
            "petiole-gateway-tls": gateway | {"ca.crt": pki["ca.crt"]},
            "petiole-gateway": {"token": TOKEN.encode()},
            "petiole-signing": contents(self.signing),
        }

    def up(self):
        self.apply_rights()
        gateway = self.start("gateway")
        gateway.wait_ready(lambda: answers(f"{self.url(8080)}/healthz"), 60)
        assert self.start("first-revocations").wait(60) == 0
        self.start("mosquitto")
        self.start("revocations", "--every=1.5")
        self.operator = self.start("operator", PETIOLE_RESYNC="2")
        self.operator.wait_ready(lambda: answers(f"{self.url(8081)}/readyz"), 60)
        gateway.wait_ready(lambda: answers(f"{self.url(8080)}/readyz"), 60)

    def until(self, model, met, what):
        def look():
            self.operator.check()
            return met(self.cluster.get("tinymodel", model.name, model.namespace).get("status", {}))

        wait_until(look, 60, what, every=0.2)


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def key(file):
    return load_private(file.read_bytes())


@pytest.fixture(scope="module")
def release(tmp_path_factory, control_plane):
    folder = tmp_path_factory.mktemp("release")
    names = (NAMESPACE, HERE, THERE)
    control_plane.apply(
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in names)
    )
    with Processes(folder) as processes:
        made = Release(folder, control_plane, processes)
        made.up()
        kubelet = Kubelet(control_plane, HERE, PLAYED)
        kubelet.start()
        yield made
        kubelet.stop()
        made.gateway.close()


@pytest.fixture
def model(tmp_path):
    return Model(tmp_path / "data", HERE)


def test_a_small_life_takes_exactly_the_rights_that_are_granted(release, model):
    """A round as Jobs, a fleet, an event, a round that is left; then the audit log is read."""
    cluster, fleet = release.cluster, model.fleet()
    cluster.apply(secret(model))
    cluster.apply(with_events(model), fleet, fleet | {"metadata": there(fleet)})
    release.until(model, lambda s: s.get("latestVersion") == 1, "version 1")
    elsewhere = lambda: cluster.get("devicefleet", model.name, THERE).get("status")  # noqa: E731
    wait_until(elsewhere, 30, "the other namespace's fleet to be seen")

    model.behave(sleep=60)
    jobs = ("get", "jobs", "-n", HERE, "-o", "name")
    before = set(cluster.kubectl(*jobs).split())
    signed = headers(SECRET, "delivery", request(), datetime.now(UTC))
    url = f"{release.url(8081)}/v1/events/{HERE}/{model.name}"
    assert httpx.post(url, content=request(), headers=EVENT | signed).status_code == 202
    wait_until(lambda: set(cluster.kubectl(*jobs).split()) - before, 30, "a Job of round 2")
    changed = with_events(model)
    changed["spec"]["data"]["evaluation"]["uri"] += "-2"
    model.behave()
    cluster.apply(changed)
    release.until(model, lambda s: s.get("latestVersion") == 2, "version 2")

    took = uses(cluster.requests(OPERATOR))
    assert [use for use in took if not use.allowed] == []  # no request beside the roles' namespaces
    may = granted(release.objects)
    assert {use.right for use in took} == {right for right in may if right.account == OPERATOR}


EVENT = {"content-type": "application/cloudevents+json"}


def there(fleet):
    return {"name": fleet["metadata"]["name"], "namespace": THERE}


def test_helm_test_passes_and_tells_what_is_wrong(release):
    pod = find(release.objects, "Pod", "petiole-check")
    passes = release.run(pod, "check")
    assert passes.wait(60) == 0, passes.tail()
    assert "token     ok" in passes.tail()
    fails = release.run(pod, "check", "--wait=0", PETIOLE_GATEWAY_TOKEN="another")
    assert fails.wait(60) == 1
    assert "/v1/fleets: 401" in fails.tail()
    assert "send the gateway's token" in fails.tail()


def test_the_next_key_signs_and_the_last_ones_artefacts_stay_good(release, model, tmp_path):
    release.cluster.apply(model.manifest(labelBudget=4))
    release.until(model, lambda s: s.get("latestVersion") == 1, "version 1")
    last, following = key(release.signing / "signing.pem"), key(release.next_key)
    into = tmp_path / "signing"
    words = ["key", "rotate", str(release.signing), str(release.next_key), str(into)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    release.give_secret("petiole-signing", contents(into))

    where = ["--kubeconfig", str(release.cluster.kubeconfig), "--namespace", HERE]
    assert CliRunner().invoke(app, ["learn", model.name, *where]).exit_code == 0
    release.until(model, lambda s: s.get("latestVersion") == 2, "version 2")
    versions = release.cluster.get("tinymodel", model.name, HERE)["status"]["versions"]
    signers = {v["version"]: signer(release, v, last, following) for v in versions}
    assert signers == {1: "last", 2: "next"}


def signer(release, version, last, following):
    store = release.folder / "claims" / "petiole-store"
    digest = version["variants"][0]["digest"]
    data = next(store.rglob(f"{digest}*")).read_bytes()
    both = {"last": last.public_key(), "next": following.public_key()}
    verify(data, both.values())  # a device has both
    return next(name for name, public in both.items() if _signed(data, public))


def _signed(data, public):
    try:
        verify(data, [public])
    except ValueError:
        return False
    return True


def test_a_key_that_devices_do_not_hold_is_refused(tmp_path):
    folder, stranger = tmp_path / "signing", tmp_path / "stranger.pem"
    folder.mkdir()
    stranger.write_bytes(new_private_pem())
    (folder / "signing.pem").write_bytes(new_private_pem())
    other = load_private(new_private_pem()).public_key()
    (folder / "accepted.pem").write_bytes(public_pem(other))
    words = ["key", "rotate", str(folder), str(stranger), str(tmp_path / "new")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert "devices would refuse what it signs" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_revoked_device_is_put_out_by_the_broker(release):
    device, private = "chart-device", new_key()
    release.gateway.put("/v1/devices", json=[{"id": device, "labels": {}}]).raise_for_status()
    token = release.gateway.post(f"/v1/devices/{device}/token").json()["token"]
    asked = x509.load_der_x509_csr(csr(private, device)).public_bytes(Encoding.PEM).decode()
    given = release.gateway.post("/enrol", json={"id": device, "token": token, "csr": asked})
    certificate = x509.load_pem_x509_certificate(given.json()["certificate"].encode())
    context = release.pki.client(device, private, certificate)
    port = release.ports[8883]
    assert refusal(port, context) == ""
    assert release.gateway.delete(f"/v1/devices/{device}/certificate").json() == {"revoked": 1}
    wait_until(lambda: "REVOKED" in refusal(port, context), 20, "the broker to refuse it")
    assert refusal(port, release.pki.device("chart-other")) == ""


def test_what_is_cleared_before_an_uninstall_is_cleared_at_the_gateway(release, model):
    job = find(release.objects, "Job", "petiole-clear")
    release.cluster.apply(model.manifest(labelBudget=4), model.fleet())
    name = f"{HERE}.{model.name}"
    held = lambda: name in release.gateway.get("/v1/fleets").json()  # noqa: E731
    wait_until(held, 60, "the gateway's plan")
    # The Pod would clear the cluster, which other tests share.
    cleared = release.run(job, "clear", PETIOLE_NAMESPACE=HERE)
    assert cleared.wait(60) == 0, cleared.tail()
    assert not held()
    left = release.cluster.kubectl("get", "tinymodels,devicefleets", "-n", HERE, "-o", "json")
    assert json.loads(left)["items"] == []


def test_a_gateway_that_nobody_clears_holds_the_uninstall_up(release, model):
    job = find(release.objects, "Job", "petiole-clear")
    release.cluster.apply(model.manifest(labelBudget=4), model.fleet())
    name = f"{HERE}.{model.name}"
    held = lambda: name in release.gateway.get("/v1/fleets").json()  # noqa: E731
    wait_until(held, 60, "the gateway's plan")
    release.operator.kill()
    waits = release.run(job, "clear", "--wait=1", PETIOLE_NAMESPACE=HERE)
    assert waits.wait(60) == 1
    assert f"the gateway still has {name}" in " ".join(waits.tail().split())
