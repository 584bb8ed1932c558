"""CloudEvents out of a real operator and into it: signed, tried again, never lost, never twice."""

import base64
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from hack.testbed.rights import EDIT
from hack.testbed.waits import wait_until
from petiole.cli.main import app
from petiole.events.signature import headers, verify
from petiole.events.told import LABELS_WANTED, ROUND_FINISHED, ROUND_REQUESTED

from .conftest import HTTP

SECRET = "whsec_c2hhcmVkIHdpdGggbm9ib2R5"


class Sink:
    """Where events go. It refuses as many deliveries as it is told to."""

    def __init__(self):
        self.refuse = 0
        self.taken, self.refused = [], []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                verify(SECRET, self.headers, body, datetime.now(UTC))
                assert self.headers["content-type"] == "application/cloudevents+json"
                refused = sink.refuse > 0
                sink.refuse -= refused
                (sink.refused if refused else sink.taken).append(json.loads(body))
                self.send_response(503 if refused else 202)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/in"

    @contextmanager
    def open(self):
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(10)

    def types(self):
        return [event["type"] for event in self.taken]


@pytest.fixture
def sink():
    with Sink().open() as made:
        yield made


def manifest(model, url=None):
    made = model.manifest()
    made["spec"]["events"] = {"secretRef": {"name": model.name, "key": "hook"}}
    if url is not None:
        made["spec"]["events"]["sink"] = url
    return made


def secret(model):
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": model.name, "namespace": model.namespace},
        "data": {"hook": base64.b64encode(SECRET.encode()).decode()},
    }


def ring(operator, model, body, signed):
    url = operator.url
    return HTTP.post(
        f"{url}/v1/events/{model.namespace}/{model.name}",
        content=body,
        headers={"content-type": "application/cloudevents+json", **signed},
    )


def request(type_=ROUND_REQUESTED):
    event = {"specversion": "1.0", "id": "storm-7", "source": "/weather", "type": type_}
    return json.dumps(event).encode()


def test_a_round_is_told_though_the_sink_fails_and_the_operator_dies(operator, model, sink):
    sink.refuse = 10**6
    operator.start()
    operator.cluster.apply(secret(model))
    operator.cluster.apply(manifest(model, sink.url))
    operator.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1")
    wait_until(lambda: len(sink.refused) >= 4, 30, "deliveries that are refused")
    operator.kill()
    sink.refuse = 0
    operator.start()
    wait_until(lambda: len(sink.taken) >= 3, 30, "all events")
    assert sorted(sink.types()) == [LABELS_WANTED, LABELS_WANTED, ROUND_FINISHED]
    assert len({event["id"] for event in sink.taken}) == 3
    assert {event["id"] for event in sink.refused} == {event["id"] for event in sink.taken}
    finished = next(event for event in sink.taken if event["type"] == ROUND_FINISHED)
    assert finished["source"].endswith(f"/tinymodels/{model.name}")
    assert (finished["data"]["result"], finished["data"]["version"]) == ("Accepted", 1)
    wait_until(lambda: not list(operator.store.glob("events/*/*")), 10, "an empty outbox")


def test_an_event_asks_for_a_round_once(shared, model):
    shared.cluster.apply(secret(model))
    shared.cluster.apply(manifest(model))
    shared.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1")
    now, body = datetime.now(UTC), request()
    signed = headers(SECRET, "delivery-1", body, now)
    assert ring(shared, model, body, signed | {"webhook-id": "delivery-2"}).status_code == 401
    assert ring(shared, model, body, {}).status_code == 401
    other = request("dev.petiole.nothing")
    assert ring(shared, model, other, headers(SECRET, "d", other, now)).status_code == 400
    assert ring(shared, model, b"{", headers(SECRET, "d", b"{", now)).status_code == 400
    for _ in range(2):
        assert ring(shared, model, body, signed).status_code == 202
    status = shared.until(
        "tinymodel", model.name, lambda s: s.get("latestVersion") == 2, "version 2"
    )
    assert (status["round"]["trigger"], status["round"]["number"]) == ("Requested", 2)
    assert status["round"]["request"].startswith("round@storm-7-")
    assert status["labels"]["spent"] == 12


def test_without_a_secret_nobody_is_heard(shared, model):
    shared.cluster.apply(model.manifest())
    body = request()
    signed = headers(SECRET, "delivery-1", body, datetime.now(UTC))
    assert ring(shared, model, body, signed).status_code == 401
    assert "annotations" not in shared.get("tinymodel", model.name)["metadata"]


def test_a_person_asks_for_a_round(shared, model):
    shared.cluster.apply(model.manifest())
    shared.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1")
    where = [
        "--kubeconfig",
        str(shared.cluster.stand_in("editor", EDIT)),
        "--namespace",
        model.namespace,
    ]
    asked = CliRunner().invoke(app, ["learn", model.name, *where])
    assert asked.exit_code == 0, asked.output
    shared.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 2, "version 2")
    nobody = CliRunner().invoke(app, ["learn", "nobody", *where])
    assert nobody.exit_code != 0
    assert "there is no tinymodel" in nobody.output
