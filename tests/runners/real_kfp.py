"""A real KFP backend for tests: the one that PETIOLE_KFP_URL names, else one started here."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import kfp_server_api
import obstore
import pytest
import yaml
from obstore.store import from_url

from hack.demo import data
from hack.image.pipelines import pipelines
from hack.kfp import programs
from hack.kfp.backend import STORE_SECRET, Kfp
from hack.node.able import why_not
from hack.node.alone import is_alone
from hack.node.node import Node
from hack.testbed.processes import Processes
from petiole.controller.store import Store
from petiole.runners.base import RunKey
from petiole.runners.kfp import KfpRunner
from petiole.runners.kfp_api import KfpApi, KfpServer
from petiole.runners.kfp_spec import KfpTemplate
from petiole_pipelines.compile import compile_to
from tests.pipelines.conftest import LEARNING

NEEDED = ("PETIOLE_KFP_URL", "PETIOLE_STORE", "PETIOLE_PIPELINES_IMAGE")
LONGEST = 1200  # seconds for a run: images may have to be pulled


@dataclass(frozen=True)
class Place:
    """Where runs are made: KFP, the object store that its Pods reach, the image, a Secret there."""

    url: str
    store: str
    image: str
    secret: str = ""
    namespace: str = ""


@contextmanager
def backend(folder) -> Iterator[tuple[Node, Kfp]]:
    """A node with KFP on it in ``folder``; skips, saying why."""
    if reason := why_not():
        pytest.skip(reason)
    if not is_alone() or programs.missing():
        pytest.skip("no real KFP here: make test-kfp brings one up (docs/runners.md)")
    with (
        Processes(folder) as processes,
        Node(folder / "node", processes) as node,
        Kfp(folder / "kfp", node, processes) as kfp,
    ):
        yield node, kfp


@contextmanager
def place(folder) -> Iterator[Place]:
    """The place that the environment names, or a new one in ``folder``; skips, saying why."""
    if os.environ.get("PETIOLE_KFP_URL"):
        yield given()
        return
    with backend(folder) as (node, kfp), pytest.MonkeyPatch.context() as environment:
        for name, value in kfp.keys.items():
            environment.setenv(name, value)
        image = pipelines(print)
        node.load(image)
        yield Place(kfp.url, kfp.store, image.name, STORE_SECRET)


def given() -> Place:
    if missing := [name for name in NEEDED if not os.environ.get(name)]:
        pytest.skip(f"PETIOLE_KFP_URL wants {', '.join(missing)}, too (docs/runners.md)")
    optional = ("PETIOLE_KFP_SECRET", "PETIOLE_KFP_NAMESPACE")
    return Place(
        *(os.environ[name] for name in NEEDED), *(os.environ.get(name, "") for name in optional)
    )


class Backend:
    """A place with the digits in its store, and a runner for it."""

    def __init__(self, folder, where):
        self.place, self.pipeline = where, folder / "learning-round.yaml"
        compile_to(self.pipeline)
        documents = tuple(yaml.safe_load_all(self.pipeline.read_text()))
        self.uid = str(uuid.uuid4())
        self.store = Store(where.store)
        self.api = KfpApi(KfpServer(where.url, where.namespace))
        template = KfpTemplate(documents, where.image, where.secret)
        self.runner = KfpRunner(self.api, self.store, template)
        digits = data.prepare(folder / "digits")
        self.pool, self.evaluation = self._upload(digits.pool_uri, digits.evaluation_uri)
        self.digits = replace(digits, pool_uri=self.pool, evaluation_uri=self.evaluation)

    def _upload(self, *uris):
        remote, uploaded = from_url(self.store.uri), []
        for number, uri in enumerate(uris):
            local, prefix = from_url(uri), f"test-kfp/{self.uid}/{number}"
            for page in obstore.list(local):
                for entry in page:
                    content = bytes(obstore.get(local, entry["path"]).bytes())
                    obstore.put(remote, f"{prefix}/{entry['path']}", content)
            uploaded.append(f"{self.store.uri}/{prefix}")
        return uploaded

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

    def names(self, part):
        """Names of the runs at KFP that have ``part`` in them, one a run, in order."""
        client = kfp_server_api.ApiClient(kfp_server_api.Configuration(host=self.place.url))
        like = {"operation": "IS_SUBSTRING", "key": "name", "stringValue": part}
        found = kfp_server_api.RunServiceApi(client).run_service_list_runs(
            filter=json.dumps({"predicates": [like]}), page_size=100
        )
        return sorted(run.display_name for run in found.runs or ())

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
