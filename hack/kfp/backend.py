"""Kubeflow Pipelines on a node: API server, persistence agent, Argo Workflows, MLMD, MariaDB, S3.

    with Node(folder / "node", processes) as node, Kfp(folder / "kfp", node, processes) as kfp:
        ...  # kfp.url, kfp.store, kfp.keys

The servers are processes beside the Pods, on the node's address; runs are Pods. Up in half a
minute, 0.5 GB more than the node. All data goes with the processes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx

from hack.image.oci import Image
from hack.image.small import around
from hack.node import programs as node_programs
from hack.node.network import ADDRESS
from hack.node.node import Node
from hack.testbed.lifetime import Lifetime
from hack.testbed.processes import Process, Processes
from hack.testbed.s3 import REGION, S3

from . import mariadb
from .objects import BUCKET, NAMESPACE, configuration, manifests, secret
from .programs import KfpPrograms, ensure

STORE_BUCKET = "petiole"
STORE_SECRET = "petiole-store"
_RPC, _HTTP, _MLMD = 8887, 8888, 8080
_READY_SECONDS = 180.0
# Where the persistence agent looks for its token, whether it needs one or not.
_TOKEN = "/run/secrets/kubeflow/tokens/persistenceagent-sa-token"


class Kfp(Lifetime):
    """One backend on ``node``, and an object store for the runs with a Secret that opens it."""

    def __init__(self, folder: Path, node: Node, processes: Processes) -> None:
        self.folder = folder.resolve()
        self.url = f"http://{ADDRESS}:{_HTTP}"
        self.store = f"s3://{STORE_BUCKET}"
        self._node, self._processes = node, processes
        self._s3 = S3(processes, ADDRESS)
        self._servers: list[Process] = []

    @property
    def keys(self) -> Mapping[str, str]:
        """Variables that open the store, here and in the Secret ``STORE_SECRET``."""
        return {**self._s3.owner, "AWS_ALLOW_HTTP": "true"}

    def start(self) -> Self:
        """Bring all servers up, or none."""
        programs = ensure(lambda text: print(text, flush=True))
        self.folder.mkdir(parents=True)
        try:
            self._servers.append(self._s3.start())
            self._s3.make(STORE_BUCKET, {})
            self._s3.make(BUCKET, {})
            self._servers.append(
                mariadb.start(programs.mariadb, self.folder / "mariadb", self._node)
            )
            self._start_mlmd(programs)
            self._load(programs)
            self._apply(programs)
            self._start_servers(programs)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the servers."""
        for server in reversed(self._servers):
            server.kill()  # the API server does not listen to anything else
        self._servers.clear()

    def load(self, image: Image) -> str:
        """Make an image known to the node; return its name."""
        self._node.load(image)
        return image.name

    def _s3_port(self) -> int:
        port = urlsplit(self._s3.url).port
        assert port is not None
        return port

    def _start_mlmd(self, programs: KfpPrograms) -> None:
        script, file = Path(__file__).with_name("mlmd.py"), self.folder / "mlmd.db"
        self._run("mlmd", programs.mlmd, script, f"{ADDRESS}:{_MLMD}", file, PYTHONPATH="")

    def _load(self, programs: KfpPrograms) -> None:
        shell = node_programs.ensure(print).busybox
        for name in ("driver", "launcher-v2", "argoexec"):
            program = programs.built / name
            self._node.load(around(f"kfp-{name}", shell, {name: program}, (f"/bin/{name}",)))

    def _apply(self, programs: KfpPrograms) -> None:
        cluster = self._node.cluster
        cluster.kubectl("create", "namespace", NAMESPACE)
        for name in ("workflows", "pipelines"):
            cluster.install_crds(programs.manifests / name)
        role = programs.manifests / "runner"
        cluster.kubectl("apply", "--server-side", "-n", NAMESPACE, "-f", str(role))
        objects = manifests(ADDRESS, self._s3_port(), _MLMD, self._s3.owner)
        cluster.apply(*objects, secret(STORE_SECRET, self.keys))

    def _start_servers(self, programs: KfpPrograms) -> None:
        built, config = programs.built, self.folder / "config"
        kubeconfig = self._node.cluster.kubeconfig
        config.mkdir()
        (config / "config.json").write_text(
            json.dumps(configuration(ADDRESS, self._s3_port(), REGION, self._s3.owner))
        )
        server = self._run(
            "kfp-apiserver", built / "apiserver", f"--config={config}", "-logtostderr=true",
            f"-rpcPortFlag=:{_RPC}", f"-httpPortFlag=:{_HTTP}",
            KUBECONFIG=str(kubeconfig), POD_NAMESPACE=NAMESPACE,
            V2_DRIVER_IMAGE="localhost/kfp-driver:1", V2_DRIVER_COMMAND="/bin/driver",
            V2_LAUNCHER_IMAGE="localhost/kfp-launcher-v2:1",
            V2_LAUNCHER_COMMAND="/bin/launcher-v2",
            # Asked for at the start, never called.
            ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_HOST="127.0.0.1",
            ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_PORT="8889",
        )  # fmt: skip
        self._run(
            "workflow-controller", built / "workflow-controller", f"--kubeconfig={kubeconfig}",
            f"--namespace={NAMESPACE}", f"--managed-namespace={NAMESPACE}", "--namespaced",
            "--configmap=workflow-controller-configmap",
            "--executor-image=localhost/kfp-argoexec:1",
            LEADER_ELECTION_DISABLE="true",
            DEFAULT_REQUEUE_TIME="1s",  # its 10 s would go by at each of a run's steps
        )  # fmt: skip
        server.wait_ready(self._answers, _READY_SECONDS)
        self._node.put(_TOKEN, "none")
        self._run(
            "persistence-agent", built / "persistence", f"--kubeconfig={kubeconfig}",
            f"--namespace={NAMESPACE}", f"--mlPipelineAPIServerName={ADDRESS}",
            "--logtostderr=true", KUBECONFIG=str(kubeconfig),
        )  # fmt: skip

    def _run(self, name: str, *command: str | Path, **environment: str) -> Process:
        server = self._node.run(name, *command, **environment)
        self._servers.append(server)
        return server

    def _answers(self) -> bool:
        try:
            with httpx.Client(timeout=5.0, trust_env=False) as client:
                return client.get(f"{self.url}/apis/v2beta1/healthz").is_success
        except httpx.HTTPError:
            return False
