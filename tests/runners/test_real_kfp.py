"""The KFP runner against a real backend, with the real pipelines image: ``make test-kfp``.

Nothing is played here. What is made at KFP and in the store stays for reading; names and folders
are new each time.
"""

import json
import os
import time
import uuid

import obstore
import pytest
import yaml
from obstore.store import from_url

from hack.demo import data
from petiole.controller.store import Store
from petiole.runners.base import RunKey
from petiole.runners.kfp import KfpRunner
from petiole.runners.kfp_api import KfpApi, KfpServer
from petiole.runners.kfp_spec import KfpTemplate
from petiole_pipelines.compile import compile_to
from tests.pipelines.conftest import LEARNING

pytestmark = [pytest.mark.kfp, pytest.mark.timeout(1800)]

NEEDED = ("PETIOLE_KFP_URL", "PETIOLE_STORE", "PETIOLE_PIPELINES_IMAGE")
LONGEST = 1200  # seconds for a run: images may have to be pulled


class Backend:
    def __init__(self, folder):
        missing = [name for name in NEEDED if not os.environ.get(name)]
        if missing:
            pytest.skip(f"no real KFP: set {', '.join(missing)} (docs/runners.md)")
        compile_to(folder / "learning-round.yaml")
        documents = tuple(yaml.safe_load_all((folder / "learning-round.yaml").read_text()))
        self.uid = str(uuid.uuid4())
        self.store = Store(os.environ["PETIOLE_STORE"])
        self.api = KfpApi(
            KfpServer(os.environ["PETIOLE_KFP_URL"], os.environ.get("PETIOLE_KFP_NAMESPACE", ""))
        )
        secret = os.environ.get("PETIOLE_KFP_SECRET", "")
        image = os.environ["PETIOLE_PIPELINES_IMAGE"]
        self.runner = KfpRunner(self.api, self.store, KfpTemplate(documents, image, secret))
        self.pool, self.evaluation = self._upload(data.prepare(folder / "digits"))

    def _upload(self, digits):
        remote, uris = from_url(self.store.uri), []
        for uri in (digits.pool_uri, digits.evaluation_uri):
            local, prefix = from_url(uri), f"test-kfp/{self.uid}/{len(uris)}"
            for page in obstore.list(local):
                for entry in page:
                    content = bytes(obstore.get(local, entry["path"]).bytes())
                    obstore.put(remote, f"{prefix}/{entry['path']}", content)
            uris.append(f"{self.store.uri}/{prefix}")
        return uris

    def key(self, number):
        name = f"digits-{self.uid[:8]}-r{number}-b0-query"
        return RunKey(name, "test-kfp", "digits", self.uid, f"models/{self.uid}/rounds/{name}")

    def start(self, key, *, pool="", deadline=LONGEST):
        task = {"type": "ImageClassification", "labels": list(data.LABELS)}
        shape = {"input": {"height": 8, "width": 8, "channels": 1}}
        parameters = {
            "phase": "Query",
            "model_uid": self.uid,
            "pool_uri": pool or self.pool,
            "evaluation_uri": self.evaluation,
            "store_uri": self.store.uri,
            "labels_path": f"models/{self.uid}/labels.json",
            "samples_path": f"samples/{self.uid}",
            "output_path": key.folder,
            "task": json.dumps(task | shape),
            "targets": json.dumps([{"name": "m4", "flash": "64Ki", "arena": "16Ki"}]),
            "learning": json.dumps(LEARNING),
            "seed": 1,
            "round": 1,
        }
        return self.runner.start(key, "learning_round", parameters, deadline)

    def until(self, look, what):
        limit = time.monotonic() + LONGEST
        while time.monotonic() < limit:
            if found := look():
                return found
            time.sleep(1.0)
        raise AssertionError(f"no end after {LONGEST} s of waiting for {what}")

    def until_over(self, key):
        def over():
            run = self.runner.find(key)
            return run if run is not None and run.state != "Running" else None

        return self.until(over, key.name)

    def until_running(self, key):
        def running():
            found = self.api.named(key.name)
            return found and found[0].state == "RUNNING"

        self.until(running, f"{key.name} to run")


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    return Backend(tmp_path_factory.mktemp("kfp"))


def test_a_round_asks_for_labels(backend):
    key = backend.key(1)
    assert backend.runner.find(key) is None
    backend.start(key)
    backend.start(key)
    run = backend.until_over(key)
    assert run.state == "Succeeded", run
    assert len(backend.store.get_json(run.outputs["query.json"])["queries"]) == 20
    assert len(backend.api.named(key.name)) == 1


def test_a_failing_step_is_named(backend):
    key = backend.key(2)
    backend.start(key, pool=f"{backend.store.uri}/test-kfp/nowhere")
    run = backend.until_over(key)
    assert (run.state, run.step, run.reason) == ("Failed", "embed", "DataMissing")


def test_a_run_that_somebody_terminates_is_canceled(backend):
    key = backend.key(3)
    backend.start(key)
    backend.until_running(key)
    backend.api.terminate(backend.api.named(key.name)[0])
    assert backend.until_over(key).reason == "Canceled"


def test_an_overrunning_run_is_ended(backend):
    key = backend.key(4)
    backend.start(key, deadline=3.0)
    assert backend.until_over(key).reason == "DeadlineExceeded"
    over = ("FAILED", "CANCELED")
    backend.until(lambda: backend.api.named(key.name)[0].state in over, "KFP to end it")
