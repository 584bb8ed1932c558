"""Three places where runs are made, behind one face: what the contract test needs of each."""

import asyncio
import itertools
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from petiole.controller.cluster import Cluster
from petiole.controller.jobs import ClusterJobs
from petiole.controller.store import Store
from petiole.runners.base import RunKey
from petiole.runners.job import JobRunner
from petiole.runners.job_body import JobTemplate, job_name
from petiole.runners.kfp import KfpRunner
from petiole.runners.kfp_api import KfpApi, KfpServer
from petiole.runners.kfp_spec import KfpTemplate
from petiole.runners.local import LocalRunner
from tests.runners.kfp_double import KfpDouble
from tests.runners.kubelet import Kubelet

PLAYED = (sys.executable, str(Path(__file__).with_name("played.py")))


class World:
    """A pool, a store, and runners of one kind. ``runner`` is the operator's; ``restart`` anew."""

    namespace, uid = "orchard", "0f5c1e52-0000-0000-0000-000000000000"
    _rounds = itertools.count(1)

    def __init__(self, folder):
        self.pool, store = folder / "pool", folder / "store"
        self.pool.mkdir(parents=True)
        store.mkdir()
        self.store = Store(store.as_uri())
        self.behave()
        self.runner = None
        self.run = f"leaf-0f5c1e52-r{next(self._rounds)}-b0-query"

    def behave(self, *, sleep=0.0, end="succeed"):
        (self.pool / "behaviour.json").write_text(json.dumps({"sleep": sleep, "end": end}))

    def begun(self):
        """Ids of the processes that began to work, in order."""
        trace = self.pool / "trace"
        return trace.read_text().split() if trace.exists() else []

    def key(self, name=""):
        name = name or self.run
        return RunKey(name, self.namespace, "leaf", self.uid, f"models/{self.uid}/rounds/{name}")

    def parameters(self, key):
        return {
            "phase": "Query",
            "model_uid": self.uid,
            "pool_uri": self.pool.as_uri(),
            "evaluation_uri": self.pool.as_uri(),
            "store_uri": self.store.uri,
            "labels_path": f"models/{self.uid}/labels.json",
            "samples_path": f"samples/{self.uid}",
            "output_path": key.folder,
            "task": "{}",
            "targets": "[]",
            "learning": "{}",
            "seed": 1,
            "round": 1,
        }

    def start(self, key=None, *, deadline=60.0):
        key = key or self.key()
        return self.runner.start(key, "learning_round", self.parameters(key), deadline)

    def find(self, key=None):
        return self.runner.find(key or self.key())

    def until_over(self, key=None, seconds=30.0):
        return until(lambda: over(self.find(key)), "the run to be over", seconds)

    def until_begun(self, count=1):
        until(lambda: len(self.begun()) >= count, f"{count} children")

    def close(self):
        self.runner.cancel(self.key())


class LocalWorld(World):
    def __init__(self, folder):
        super().__init__(folder)
        self.work = folder / "work"
        self.work.mkdir()
        self.restart()

    def restart(self):
        self.runner = LocalRunner(self.work, command=(*PLAYED, "local"))

    def vanish(self):
        os.killpg(int(self.begun()[-1]), signal.SIGKILL)


class KfpWorld(World):
    def __init__(self, folder, documents):
        super().__init__(folder)
        self.template = KfpTemplate(documents, "registry.example/pipelines:1")
        self.double = KfpDouble((*PLAYED, "kfp"))
        self.double.start()
        self.restart()

    def restart(self, **server):
        self.runner = KfpRunner(
            KfpApi(KfpServer(self.double.url, **server)), self.store, self.template
        )

    def vanish(self):
        self.double.delete(self.key().name)

    def close(self):
        self.double.stop()


class JobWorld(World):
    def __init__(self, folder, orchard):
        super().__init__(folder)
        self.cluster, self.kubelet = orchard.cluster, orchard.kubelet
        self.namespace, self.uid = orchard.namespace, orchard.uid
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.restart()

    def restart(self):
        async def connect():
            return ClusterJobs(Cluster.connect(self.cluster.operator_kubeconfig))

        self.jobs = asyncio.run_coroutine_threadsafe(connect(), self._loop).result(10)
        template = JobTemplate("registry.example/pipelines:1")
        self.runner = JobRunner(self.jobs, self.store, template)

    def vanish(self):
        self.jobs.delete(self.namespace, job_name(self.key().name))
        until(lambda: not self.pods(), "the Pod to be gone")

    def pods(self):
        """The Pods of this world's run."""
        return [
            pod
            for pod in self.kubelet.pods()
            if pod["metadata"]["annotations"]["petiole.dev/run"] == self.run
        ]

    def close(self):
        super().close()
        self._loop.call_soon_threadsafe(self._loop.stop)


class Orchard:
    """A namespace with a TinyModel and a kubelet; one for all tests, as each takes seconds."""

    def __init__(self, control_plane, namespace):
        self.cluster, self.namespace = control_plane, namespace
        control_plane.kubectl("create", "namespace", namespace)
        self.uid = self._tinymodel()
        programs = {("python", "-m", "petiole_pipelines.run_job"): (*PLAYED, "job")}
        self.kubelet = Kubelet(control_plane, namespace, programs)
        self.kubelet.start()

    def _tinymodel(self):
        uri = {"uri": "file:///srv/pool"}
        body = {
            "apiVersion": "petiole.dev/v1alpha1",
            "kind": "TinyModel",
            "metadata": {"name": "leaf", "namespace": self.namespace},
            "spec": {
                "task": {
                    "labels": ["rust", "healthy"],
                    "input": {"height": 2, "width": 2, "channels": 1},
                },
                "data": {"pool": uri, "evaluation": {"uri": "file:///srv/kept"}},
                "learning": {
                    "batchSize": 4,
                    "labelBudget": 8,
                    "labels": {"source": "Oracle"} | uri,
                },
                "targets": [{"name": "cortex-m4", "flash": "64Ki", "arena": "16Ki"}],
                "acceptance": {"accuracy": "90%"},
            },
        }
        self.cluster.apply(body)
        return self.cluster.get("tinymodel", "leaf", self.namespace)["metadata"]["uid"]


def over(run):
    return run if run is not None and run.state != "Running" else None


def until(look, what, seconds=30.0):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"no end after {seconds} s of waiting for {what}")
