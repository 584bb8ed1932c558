"""A real Prometheus scrapes a real operator and gateway, and every query of the dashboard has data.

A model learns, six devices take its first version and refuse its second, the gateway stops that and
the fleet goes back. The pipeline is the tests' double; all else is what a user runs.
"""

import asyncio
import contextlib
import copy
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from hack.chart.dashboard import document, queries
from hack.chart.programs import FetchError, prometheus
from hack.testbed.pki import csr, new_key
from hack.testbed.processes import Processes
from hack.testbed.prometheus import Prometheus
from hack.testbed.waits import wait_until
from petiole.cli.authority import make_authority
from petiole.cli.main import app
from petiole.wire.messages import Reason
from tests.api.examples import ANOMALY_MODEL
from tests.controller.conftest import HTTP, TOKEN, Gateway, Model, Operator
from tests.gateway.devices import TestDevice

from .declared import declared
from .queries import plain

IDS = [f"leaf-{number}" for number in range(6)]
CANARIES = 2
STOPPED = "petiole_gateway_halts_total"


@pytest.fixture(scope="module")
def program():
    try:
        return prometheus()
    except FetchError as error:
        pytest.skip(str(error))


@pytest.fixture
def processes(tmp_path):
    with Processes(tmp_path) as running:
        yield running


@pytest.fixture
def gateway(tmp_path, processes):
    made = Gateway(
        tmp_path, processes, {name: name for name in IDS}, authority(tmp_path / "authority")
    )
    made.broker.start()
    made.start()
    yield made
    made.process.stop()
    made.broker.stop()


def authority(folder):
    """Settings of a gateway that issues certificates."""
    make_authority(folder, datetime.now(UTC))
    return {"PETIOLE_CA_CERT": str(folder / "ca.crt"), "PETIOLE_CA_KEY": str(folder / "ca.key")}


@pytest.fixture
def field(gateway):
    return [
        TestDevice(name, name, gateway.broker.port, target="cortex-m4", arena=16384) for name in IDS
    ]


@pytest.mark.long
async def test_every_query_of_the_dashboard_has_data(
    tmp_path, processes, program, control_plane, gateway, namespace, field
):
    operator = Operator(tmp_path, processes, control_plane, gateway, namespace)
    operator.start()
    targets = {
        "operator": operator.url.removeprefix("http://"),
        "gateway": gateway.url.removeprefix("http://"),
    }
    model = Model(tmp_path / "data", namespace)
    with Prometheus(tmp_path / "prometheus", targets, processes) as watching:
        await asyncio.to_thread(wait_until, watching.up, 60, "both are scraped")
        reporting = asyncio.create_task(play(field))
        try:
            await asyncio.to_thread(live, operator, gateway, model, field, watching)
            await asyncio.to_thread(wait_until, watched(watching), 30, "the end is scraped")
        finally:
            reporting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reporting
            for device in field:
                await device.stop()
            operator.process.stop()
        empty = [
            (title, query) for title, query in queries(document()) if not watching.ask(plain(query))
        ]
        assert not empty, "\n".join(map(str, empty))
        assert not watching.ask("petiole_fleet_nothing")
        seen = series(watching)
    known = {sample for metric in declared().values() for sample in metric.samples}
    assert {labels["__name__"] for labels in seen} <= known
    values = {value for labels in seen for value in labels.values()}
    assert not values & set(IDS)  # however many devices, no more series


async def play(devices):
    """Devices that run and report each second."""
    for device in devices:
        device.start()
    while True:
        for device in devices:
            if device.active is not None:
                await device.send_stats(40, 200)
        await asyncio.sleep(1.0)


def live(operator, gateway, model, field, watching):
    """Two rollouts: one that ends well, one that is stopped; and whatever else has a panel."""
    for device in field:
        gateway.register(device.id, {"site": model.name})
    enrol(gateway, field[0].id)
    operator.cluster.apply(without_classes(model), model.manifest(labelBudget=4), fleet(model))
    skip_the_soak(operator, model)

    def at_rest(status):
        stable, updated = status["revision"]["stable"], status["counts"]["updated"]
        return (stable, updated) == (1, len(IDS))

    operator.until("devicefleet", model.name, at_rest, "all devices on version 1", 120)
    operator.until("devicefleet", model.name, judged, "a field that drift is looked for in", 120)
    good, takers = field[0].active, []

    def refuse_but_two(digest):
        """The canaries take what the others refuse, so that there is something to compare."""
        if digest == good:
            return Reason.NONE
        takers.append(digest)
        return Reason.NONE if len(takers) <= CANARIES else Reason.TIMEOUT

    for device in field:
        device.behaviour = refuse_but_two
    model.behave(blocks=20)
    petiole("learn", operator, model)
    wait_until(lambda: watching.ask("petiole_fleet_gate_mean"), 120, "a metric that is compared")
    skip_the_soak(operator, model)

    def taken_back(status):
        return [entry["result"] for entry in status.get("history", ())] == ["Promoted", "Reverted"]

    operator.until("devicefleet", model.name, taken_back, "version 2 taken back", 120)


def skip_the_soak(operator, model):
    def soaks(status):
        return (status.get("waitingFor") or {}).get("reason") == "Soaking"

    operator.until("devicefleet", model.name, soaks, "canaries that soak", 120)
    petiole("skip", operator, model)


def petiole(verb, operator, model):
    where = ("--kubeconfig", str(operator.cluster.kubeconfig), "-n", operator.namespace)
    done = CliRunner().invoke(app, [verb, model.name, *where])
    assert done.exit_code == 0, done.output


def judged(status):
    return status.get("drift", {}).get("state") == "Stable"


def fleet(model):
    update = {
        "name": "update",
        "outcome": "Confirmed",
        "test": {"good": "1%", "bad": "60%", "alpha": "5%", "beta": "20%"},
    }
    confidence = {
        "name": "confidence",
        "metric": "ConfidenceMean",
        "baseline": "ConcurrentControl",
        "test": {"maxDrop": "20%", "alpha": "5%"},
    }
    return model.fleet(
        stages=[
            {"name": "canary", "size": CANARIES, "soak": "1h"},
            {"name": "all", "size": "100%"},
        ],
        retries={"limit": 1, "backoff": "3s"},
        gates=[update, confidence],
    )


def without_classes(model):
    """Another model of the same data, for what only such models have."""
    manifest = copy.deepcopy(model.manifest())
    manifest["metadata"]["name"] = f"{model.name}-pump"
    manifest["spec"] = copy.deepcopy(ANOMALY_MODEL["spec"]) | {"data": manifest["spec"]["data"]}
    return manifest


def enrol(gateway, device):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    given = HTTP.post(f"{gateway.url}/v1/devices/{device}/token", headers=headers).json()
    request = x509.load_der_x509_csr(csr(new_key(), device)).public_bytes(Encoding.PEM).decode()
    body = {"id": device, "token": given["token"], "csr": request}
    HTTP.post(f"{gateway.url}/enrol", json=body).raise_for_status()


def watched(prometheus):
    """Tell whether the stop, the end of its rollout and the certificate have been scraped."""

    def look():
        ended = 'petiole_fleet_rollout_seconds_count{kind="Model", result="Reverted"}'
        expiry = "petiole_gateway_certificate_soonest_expiry_timestamp_seconds"
        last = [prometheus.ask(query) for query in (STOPPED, ended, expiry)]
        return all(found and found[0][1][-1] > 0 for found in last)

    return look


def series(prometheus):
    """Labels of all series of ours."""
    return [labels for labels, _ in prometheus.ask('{__name__=~"petiole_.+"}')]
