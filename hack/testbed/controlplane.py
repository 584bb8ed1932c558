"""A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager.

No node and no scheduler: objects, admission, garbage collection and RBAC are real, Pods never run
(``hack.node`` adds what runs them). Ready in about five seconds. Everything lies in one folder, on
free ports; a second one beside it does not meet the first.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import yaml

from hack.controlplane.programs import ensure

from . import audit, rights
from .certificates import Authority, signing_key
from .lifetime import Lifetime
from .processes import Process, Processes
from .waits import free_port, wait_until

OPERATOR_USER = "petiole-operator"
_READY_SECONDS = 120.0
_RIGHTS_SECONDS = 30.0
_ALLOWED = "jsonpath={.status.allowed} "
_SERVICE_RANGE = "10.96.0.0/24"
# Without a node these controllers only log errors.
_CONTROLLERS = (
    "*,-nodeipam,-node-route-controller,-service-lb-controller,-cloud-node-lifecycle-controller"
)


class KubectlError(Exception):
    """kubectl said no; the message is what it printed."""


class ControlPlane(Lifetime):
    """Start with ``with ControlPlane(folder) as cluster`` or ``start()`` and ``stop()``.

    Given ``processes``, the servers become part of that testbed and end with it. ``node`` is the
    address of a node in a network of its own, where the API server listens instead of on loopback.
    """

    def __init__(self, folder: Path, processes: Processes | None = None, *, node: str = "") -> None:
        self.folder = folder.resolve()
        self.url = ""
        self._node = node
        self._authority: Authority | None = None
        self._owned = processes is None
        self._processes = processes or Processes(self.folder)
        self._programs: dict[str, Path] = {}
        self._servers: list[Process] = []
        self._tls = ssl.create_default_context()
        self._stand_ins: dict[str, Path] = {}
        self._releases: set[str] = set()

    @property
    def kubeconfig(self) -> Path:
        """Credentials of a cluster administrator."""
        return self.folder / "kubeconfig"

    @property
    def operator_kubeconfig(self) -> Path:
        """Credentials of the operator: the chart's rights, a name of its own in the audit log."""
        return self.stand_in(OPERATOR_USER)

    @property
    def kubectl_path(self) -> Path:
        return self._programs["kubectl"]

    def start(self) -> Self:
        """Bring the servers up. Raises ``ProcessError`` or ``DeadlineError`` naming the log."""
        self._programs = ensure(lambda text: print(text, flush=True))
        try:
            self._prepare()
            self._start_servers()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the servers. The folder stays for reading.

        Which rights were used is kept in the folder ``PETIOLE_RIGHTS``, if that is set.
        """
        ran = bool(self._servers)
        for server in reversed(self._servers):
            server.stop()
        self._servers.clear()
        if ran and (into := os.environ.get("PETIOLE_RIGHTS")):
            rights.keep(rights.uses(audit.events(self.folder, *rights.marks())), Path(into))
        if self._owned:
            self._processes.stop()

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 60.0) -> str:
        """Run kubectl as administrator and return its output; ``KubectlError`` when it fails."""
        result = subprocess.run(
            [str(self.kubectl_path), "--kubeconfig", str(self.kubeconfig), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if result.returncode != 0:
            raise KubectlError(result.stderr.strip())
        return result.stdout

    def apply(self, *documents: Path | dict[str, Any]) -> str:
        """``kubectl apply --server-side`` of files, folders or objects."""
        said = []
        for document in documents:
            stdin = None if isinstance(document, Path) else json.dumps(document)
            source = str(document) if isinstance(document, Path) else "-"
            said.append(self.kubectl("apply", "--server-side", "-f", source, stdin=stdin))
        return "".join(said)

    def install_crds(self, folder: Path) -> None:
        """Apply the CRDs of ``folder`` and wait until they are served."""
        self.apply(folder)
        self.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(folder))

    def get(self, kind: str, name: str, namespace: str = "default") -> dict[str, Any]:
        """One object, as the API server has it."""
        found = self.kubectl("get", kind, name, "-n", namespace, "-o", "json")
        parsed: dict[str, Any] = json.loads(found)
        return parsed

    def version(self) -> str:
        """The server's version, for example ``v1.36.3``."""
        return str(json.loads(self.kubectl("get", "--raw", "/version"))["gitVersion"])

    def requests(self, account: str) -> Iterator[dict[str, Any]]:
        """What a ServiceAccount of ``RELEASE`` asked the API server, from its audit log."""
        yield from self._asked(f"system:serviceaccount:{rights.RELEASE}:{account}")

    def writes(self, user: str = OPERATOR_USER) -> int:
        """How many writes of ``user`` the API server has finished, from its audit log."""
        return sum(event["verb"] not in rights.READS for event in self._asked(user))

    def accepted(self, user: str) -> Iterator[tuple[datetime, datetime]]:
        """When the API server heard of each write of ``user`` that it accepted, and was done.

        Renewed Leases are left out: they say nothing about any object.
        """
        for event in self._asked(user):
            lease = event.get("objectRef", {}).get("resource") == "leases"
            if event["verb"] not in rights.READS and not lease and _accepted(event):
                times = (event["requestReceivedTimestamp"], event["stageTimestamp"])
                heard, done = map(datetime.fromisoformat, times)
                yield heard, done

    def statuses(self) -> Iterator[tuple[datetime, dict[str, Any]]]:
        """Merge patches of fleets' status, and when the API server was done with each."""
        for event in audit.events(self.folder, '"requestObject"'):
            if event["responseStatus"]["code"] == HTTPStatus.OK:
                yield datetime.fromisoformat(event["stageTimestamp"]), event["requestObject"]

    def _asked(self, user: str) -> Iterator[dict[str, Any]]:
        events = audit.events(self.folder, f'"{user}"')
        yield from (event for event in events if event["user"]["username"] == user)

    def stand_in(
        self, user: str, account: str = rights.OPERATOR, release: str = rights.STAND_IN
    ) -> Path:
        """Credentials of a client that may what the chart lets an account do, and nothing else.

        ``user`` is its name in the audit log. ``release`` is the namespace of a release of its own,
        with a Lease there and no rights in any other namespace.
        """
        if user not in self._stand_ins:
            self._grant(release)
            groups = (rights.STAND_INS, rights.group_of(account, release))
            self._stand_ins[user] = self.admit(user, user, *groups)
        return self._stand_ins[user]

    def _grant(self, release: str) -> None:
        if release in self._releases:
            return
        objects = rights.chart(release)
        self._kubectl_list("apply", rights.stand_ins(objects, release), "--server-side")
        asked = rights.reviews(objects, release)
        wait_until(  # the API server looks its roles up in a cache
            lambda: "false" not in self._kubectl_list("create", asked, "-o", _ALLOWED),
            _RIGHTS_SECONDS,
            f"the chart's rights of the release {release}",
        )
        self._releases.add(release)

    def _kubectl_list(self, verb: str, objects: list[rights.Object], *options: str) -> str:
        items = {"apiVersion": "v1", "kind": "List", "items": objects}
        return self.kubectl(verb, *options, "-f", "-", stdin=json.dumps(items))

    def admit(self, user: str, common_name: str, *groups: str) -> Path:
        """Make credentials for a client of the API server; return its kubeconfig."""
        assert self._authority is not None, "the control plane has been started"
        self._authority.issue(user, common_name, groups=groups)
        path = self.folder / f"{user}.kubeconfig"
        self._write_kubeconfig(user, path)
        return path

    def _prepare(self) -> None:
        pki = self.folder / "pki"
        self._authority = authority = Authority(pki)
        authority.issue("server", "kube-apiserver", addresses=(self._node,) if self._node else ())
        authority.issue("admin", "admin", groups=("system:masters",))
        authority.issue("controller-manager", "system:kube-controller-manager")
        signing_key(pki)
        self._tls = ssl.create_default_context(cafile=str(authority.certificate))
        self._tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        (self.folder / "audit-policy.yaml").write_text(yaml.safe_dump(audit.POLICY))
        (self.folder / audit.LOG).touch()
        self._stand_ins.clear()
        self._releases.clear()

    def _start_servers(self) -> None:
        etcd_url = self._start_etcd()
        self._start_apiserver(etcd_url)
        self._write_kubeconfig("admin", self.kubeconfig)
        self._start_controller_manager()
        wait_until(
            lambda: "default" in self.kubectl("get", "namespaces", "-o", "name"),
            _READY_SECONDS,
            "namespace default",
        )

    def _start_etcd(self) -> str:
        url = f"https://127.0.0.1:{free_port()}"
        peer = f"https://127.0.0.1:{free_port()}"
        pki = self.folder / "pki"
        command: list[str | Path] = [
            self._programs["etcd"],
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # a testbed need not outlive the machine
            "--log-level=warn",
        ]
        for prefix in ("", "peer-"):
            command += [
                f"--{prefix}cert-file={pki / 'server.crt'}",
                f"--{prefix}key-file={pki / 'server.key'}",
                f"--{prefix}trusted-ca-file={pki / 'ca.crt'}",
                f"--{prefix}client-cert-auth",
            ]
        self._start(command).wait_ready(lambda: self._answers(f"{url}/health"), _READY_SECONDS)
        return url

    def _start_apiserver(self, etcd_url: str) -> None:
        host, port = self._node or "127.0.0.1", free_port()
        pki = self.folder / "pki"
        server = self._start(
            [
                self._programs["kube-apiserver"],
                f"--etcd-servers={etcd_url}",
                f"--etcd-cafile={pki / 'ca.crt'}",
                f"--etcd-certfile={pki / 'server.crt'}",
                f"--etcd-keyfile={pki / 'server.key'}",
                f"--bind-address={host}",
                f"--secure-port={port}",
                f"--tls-cert-file={pki / 'server.crt'}",
                f"--tls-private-key-file={pki / 'server.key'}",
                f"--client-ca-file={pki / 'ca.crt'}",
                f"--service-account-key-file={pki / 'sa.pub'}",
                f"--service-account-signing-key-file={pki / 'sa.key'}",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-cluster-ip-range={_SERVICE_RANGE}",
                *self._node_options(),
                f"--audit-policy-file={self.folder / 'audit-policy.yaml'}",
                f"--audit-log-path={self.folder / audit.LOG}",
            ]
        )
        self.url = f"https://{host}:{port}"
        server.wait_ready(lambda: self._answers(f"{self.url}/readyz"), _READY_SECONDS)

    def _node_options(self) -> list[str]:
        if not self._node:
            return [
                "--authorization-mode=RBAC",
                "--disable-admission-plugins=ServiceAccount",  # nothing here waits for tokens
                # Written down for Pods, of which there are none; else it wants a default route.
                "--advertise-address=192.0.2.1",
            ]
        pki = self.folder / "pki"
        return [
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            f"--kubelet-client-certificate={pki / 'admin.crt'}",
            f"--kubelet-client-key={pki / 'admin.key'}",
            "--kubelet-preferred-address-types=InternalIP",
        ]

    def _start_controller_manager(self) -> None:
        kubeconfig = self.folder / "controller-manager.kubeconfig"
        self._write_kubeconfig("controller-manager", kubeconfig)
        port = free_port()
        pki = self.folder / "pki"
        manager = self._start(
            [
                self._programs["kube-controller-manager"],
                f"--kubeconfig={kubeconfig}",
                f"--authentication-kubeconfig={kubeconfig}",
                f"--authorization-kubeconfig={kubeconfig}",
                f"--service-account-private-key-file={pki / 'sa.key'}",
                f"--root-ca-file={pki / 'ca.crt'}",
                "--use-service-account-credentials",
                "--leader-elect=false",
                f"--controllers={_CONTROLLERS}",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                f"--tls-cert-file={pki / 'server.crt'}",
                f"--tls-private-key-file={pki / 'server.key'}",
            ]
        )
        manager.wait_ready(lambda: self._answers(f"https://127.0.0.1:{port}/healthz"))

    def _start(self, command: list[str | Path]) -> Process:
        server = self._processes.start(Path(command[0]).name, command)
        self._servers.append(server)
        return server

    def _answers(self, url: str) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2.0, context=self._tls) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _write_kubeconfig(self, user: str, path: Path) -> None:
        pki = self.folder / "pki"
        cluster = {"server": self.url, "certificate-authority": str(pki / "ca.crt")}
        credentials = {
            "client-certificate": str(pki / f"{user}.crt"),
            "client-key": str(pki / f"{user}.key"),
        }
        context = {"cluster": "testbed", "user": user, "namespace": "default"}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "testbed", "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": "testbed", "context": context}],
            "current-context": "testbed",
        }
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(content))


def _accepted(event: dict[str, Any]) -> bool:
    return bool(event["responseStatus"]["code"] < HTTPStatus.MULTIPLE_CHOICES)
