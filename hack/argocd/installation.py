"""Argo CD beside a control plane: redis, repository server, API server, application controller.

    with ArgoCd(folder / "argocd", testbed.cluster, testbed.processes) as argocd:
        testbed.cluster.apply(application)
        argocd.cli("app", "actions", "run", ...)

Up in a quarter of a minute, 1 GB. It has an installation's settings with Petiole's beside them, and
looks at Git every three seconds. The controller's metrics are served on all interfaces, whatever it
is told: run it where ``hack.node.alone`` does.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Self

import httpx

from hack.gitops import FILE as SETTINGS
from hack.testbed.controlplane import ControlPlane, KubectlError
from hack.testbed.lifetime import Lifetime
from hack.testbed.processes import Process, Processes
from hack.testbed.waits import free_port, wait_until

from .programs import ArgoCdPrograms, ensure
from .versions import PROGRAM

NAMESPACE = "argocd"
USER = "argocd"  # its name in the audit log
_READY_SECONDS = 180.0
_LOOK = "3s"  # at Git, and how long a look is remembered


class ArgoCdError(Exception):
    """``argocd`` said no; the message is what it printed."""


class ArgoCd(Lifetime):
    """One installation for ``cluster``, on loopback and free ports, without users."""

    def __init__(self, folder: Path, cluster: ControlPlane, processes: Processes) -> None:
        self.folder = folder.resolve()
        self._address = f"127.0.0.1:{free_port()}"
        self._cluster, self._processes = cluster, processes
        self._servers: list[Process] = []
        self._environment: dict[str, str] = {}
        self._built = Path()
        self._http = httpx.Client(
            base_url=f"http://{self._address}/api/v1", timeout=30.0, trust_env=False
        )

    def start(self) -> Self:
        """Bring all servers up, or none. Raises ``ProcessError`` or ``DeadlineError``."""
        programs = ensure(lambda text: print(text, flush=True))
        try:
            self._prepare(programs)
            self._install(programs)
            self._start_servers(self._start_redis(programs))
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the servers. The folder stays for reading."""
        for server in reversed(self._servers):
            server.stop()
        self._servers.clear()

    def cli(self, *arguments: str, seconds: float = 60.0) -> str:
        """Run ``argocd`` as a user of the API server would; ``ArgoCdError`` when it fails."""
        result = subprocess.run(
            [str(self._program(PROGRAM)), "--server", self._address, "--plaintext", *arguments],
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if result.returncode != 0:
            raise ArgoCdError(result.stderr.strip() or result.stdout.strip())
        return result.stdout

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """Ask the API server: a path below ``/api/v1/``."""
        answer = self._http.get(path, params=parameters)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _prepare(self, programs: ArgoCdPrograms) -> None:
        folders = {name: self.folder / name for name in ("tls", "ssh", "gpg", "plugins", "tmp")}
        for made in folders.values():
            made.mkdir(parents=True)
        self._environment = {
            # Its own address of the cluster, https://kubernetes.default.svc, is that of KUBECONFIG.
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "KUBECONFIG": str(self._cluster.admit("argocd", USER, "system:masters")),
            "ARGOCD_TLS_DATA_PATH": str(folders["tls"]),
            "ARGOCD_SSH_DATA_PATH": str(folders["ssh"]),
            "ARGOCD_GNUPGHOME": str(folders["gpg"]),
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_PLUGINSOCKFILEPATH": str(folders["plugins"]),
            "ARGOCD_ASK_PASS_SOCK": str(self.folder / "ask-pass"),
            "ARGOCD_RECONCILIATION_TIMEOUT": _LOOK,
            "ARGOCD_RECONCILIATION_JITTER": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.folder),
            "TMPDIR": str(folders["tmp"]),
            "PATH": f"{programs.built}:{os.environ['PATH']}",
        }
        self._built = programs.built

    def _install(self, programs: ArgoCdPrograms) -> None:
        """Put in the cluster what an installation has there, and Petiole's settings beside it."""
        cluster = self._cluster
        cluster.kubectl("create", "namespace", NAMESPACE)
        cluster.apply(programs.crds)
        wait_until(lambda: self._served(programs.crds), _READY_SECONDS, "Argo CD's CRDs")
        cluster.kubectl("apply", "--server-side", "-n", NAMESPACE, "-f", str(programs.settings))
        ours = ("--server-side", "--field-manager=petiole", "-f", str(SETTINGS))
        cluster.kubectl("apply", *ours)

    def _served(self, crds: Path) -> bool:
        """A CRD that is very new has no conditions to wait for; kubectl takes that for an error."""
        try:
            self._cluster.kubectl(
                "wait", "--for=condition=Established", "--timeout=30s", "-f", str(crds)
            )
        except KubectlError:
            return False
        return True

    def _start_redis(self, programs: ArgoCdPrograms) -> str:
        port = free_port()
        usr = programs.redis / "usr"
        redis = self._processes.start(
            "redis",
            [
                usr / "bin/redis-server", "--bind", "127.0.0.1", "--port", str(port),
                "--save", "", "--appendonly", "no", "--dir", self.folder,
            ],
            environment={"LD_LIBRARY_PATH": str(usr / "lib/x86_64-linux-gnu")},
        )  # fmt: skip
        self._servers.append(redis)
        redis.wait_ready(lambda: b"Ready to accept" in redis.log.read_bytes(), _READY_SECONDS)
        return f"127.0.0.1:{port}"

    def _start_servers(self, redis: str) -> None:
        repository, port = f"127.0.0.1:{free_port()}", self._address.rpartition(":")[2]
        metrics = [str(free_port()) for _ in range(3)]
        common = ["--redis", redis, "--loglevel", "info", "--logformat", "text"]
        client = ["--namespace", NAMESPACE, "--repo-server", repository, "--repo-server-plaintext"]
        self._run(
            "argocd-repo-server", f"http://127.0.0.1:{metrics[0]}/healthz",
            *common, "--disable-tls", "--client-ca-path=",
            "--address", "127.0.0.1", "--port", repository.rpartition(":")[2],
            "--metrics-address", "127.0.0.1", "--metrics-port", metrics[0],
        )  # fmt: skip
        # Before the controller, which reads the project and the secret that it makes.
        self._run(
            "argocd-server", f"http://{self._address}/api/version",
            *common, *client, "--insecure", "--disable-auth",
            "--address", "127.0.0.1", "--port", port,
            "--metrics-address", "127.0.0.1", "--metrics-port", metrics[1],
            "--dex-server", "http://127.0.0.1:1",  # nobody logs in
            "--staticassets", str(self.folder / "none"),
        )  # fmt: skip
        self._run(
            "argocd-application-controller", f"http://127.0.0.1:{metrics[2]}/healthz",
            *common, *client, "--metrics-port", metrics[2],
        )  # fmt: skip

    def _run(self, name: str, healthy: str, *options: str) -> None:
        """Start a server; return when the address ``healthy`` answers."""
        server = self._processes.start(
            name, [self._program(name), *options], environment=self._environment
        )
        self._servers.append(server)
        server.wait_ready(lambda: _answers(healthy), _READY_SECONDS)

    def _program(self, name: str) -> Path:
        return self._built / name


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False
