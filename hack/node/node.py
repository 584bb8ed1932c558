"""A control plane with one node that runs Pods, in a folder and in namespaces of its own.

    with Node(folder) as node:      # in `python -m hack.node.alone`
        node.load(image)
        node.cluster.apply(pod)

Ready in about fifteen seconds, 0.7 GB in all. Pods reach the API server, what listens on
``ADDRESS``, each other, and nothing else. Images are those given to ``load``: their names begin
with ``localhost/`` and their tag is not ``latest``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import yaml

from hack.image.oci import Image
from hack.image.small import busybox
from hack.testbed.controlplane import ControlPlane
from hack.testbed.lifetime import Lifetime
from hack.testbed.processes import Process, Processes
from hack.testbed.waits import wait_until

from . import cgroups, containerd, inside, kubelet, names, network
from .alone import is_alone
from .network import ADDRESS
from .programs import NodePrograms, ensure

NAME = "node1"
_READY_SECONDS = 120.0


class NodeError(Exception):
    """A node cannot be here; the message says why and what to do."""


class Node(Lifetime):
    """``cluster`` is its control plane. Given ``processes``, it ends with that testbed.

    Where it is ``named``, Pods find Services by their names too.
    """

    def __init__(
        self, folder: Path, processes: Processes | None = None, *, named: bool = False
    ) -> None:
        self.folder = folder.resolve()
        self._named = named
        self._owned = processes is None
        self._processes = processes or Processes(self.folder)
        self.cluster = ControlPlane(self.folder / "controlplane", self._processes, node=ADDRESS)
        self._programs: NodePrograms | None = None
        self._holder: Process | None = None
        self._servers: list[Process] = []
        self._cgroup = ""

    def start(self) -> Self:
        """Bring control plane and node up, ready for Pods, or nothing."""
        if not is_alone():
            raise NodeError("a node changes routes: run this by python -m hack.node.alone")
        if self.folder.is_relative_to("/var") or self.folder.is_relative_to("/run"):
            raise NodeError(f"the node has a /var and a /run of its own: {self.folder} is in it")
        self._programs = ensure(lambda text: print(text, flush=True))
        try:
            self._make_namespaces()
            self._start_containerd()
            self.cluster.start()
            self._start_kubelet()
            if self._named:
                self._start_names()
            self._await_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all Pods and servers; the folder stays for reading."""
        self.cluster.stop()
        if self._holder is not None:
            self._holder.kill()  # the kernel takes what lives in its namespaces along
            self._holder = None
            network.take_away()
            # Images of gigabytes; what is left of them says nothing that the logs do not.
            shutil.rmtree(self.folder / "containerd", ignore_errors=True)
        for server in reversed(self._servers):
            server.stop()
        self._servers.clear()
        if self._owned:
            self._processes.stop()
        if self._cgroup:
            cgroups.remove(self._cgroup)

    def load(self, image: Image) -> None:
        """Make an image known to the node."""
        containerd.load(self._ctr(), image)

    def put(self, path: str, content: str) -> None:
        """Write a file that only the node sees; ``path`` is absolute."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1"'
        subprocess.run(
            [*self._enter("mount"), "sh", "-c", script, "sh", path],
            input=content.encode(),
            check=True,
            timeout=30,
        )

    def run(self, name: str, *command: str | Path, **environment: str) -> Process:
        """Start a server that sees the node's files and name, beside the Pods."""
        return self._start(name, self._enter("mount", "uts"), command, environment)

    def _make_namespaces(self) -> None:
        cgroups.remove_orphans()
        self._cgroup = cgroups.make(os.getpid())
        self.folder.mkdir(parents=True, exist_ok=True)
        unshare = "unshare --mount --pid --uts --ipc --fork --kill-child --mount-proc"
        script = [sys.executable, inside.__file__, str(self.folder), NAME, ADDRESS]
        self._holder = self._processes.start("namespaces", [*unshare.split(), *script])
        network.lay()
        self._holder.wait_ready((self.folder / inside.LAID).exists)

    def _start_containerd(self) -> None:
        programs = self._known()
        networks = self.folder / "networks"
        networks.mkdir()
        pods = network.cni(self.folder / "addresses")
        (networks / "pods.conflist").write_text(json.dumps(pods))
        pause = busybox("pause", programs.busybox, ("/bin/sleep", "2147483647"))
        config = self.folder / "containerd.toml"
        config.write_text(
            containerd.configuration(
                self.folder / "containerd", programs.plugins, networks, pause.name
            )
        )
        server = self._on_node("containerd", programs.debian / "usr/bin/containerd", "-c", config)
        server.wait_ready(lambda: containerd.answers(self._ctr()), _READY_SECONDS)
        self.load(pause)

    def _start_kubelet(self) -> None:
        built = self._known().built
        config = self.folder / "kubelet.yaml"
        authority = self.cluster.folder / "pki" / "ca.crt"
        config.write_text(
            yaml.safe_dump(
                kubelet.configuration(self.folder, authority, self._cgroup, named=self._named)
            )
        )
        mine = self.cluster.admit("node", f"system:node:{NAME}", "system:nodes")
        self._on_node(
            "kubelet", built / "kubelet", f"--config={config}", f"--kubeconfig={mine}",
            f"--hostname-override={NAME}", f"--node-ip={ADDRESS}",
            f"--root-dir={self.folder / 'kubelet'}",
        )  # fmt: skip
        mine = self.cluster.admit("proxy", "system:kube-proxy")
        self.run(
            "kube-proxy", built / "kube-proxy", f"--kubeconfig={mine}",
            f"--hostname-override={NAME}", "--proxy-mode=nftables",
            f"--cluster-cidr={network.PODS}", "--conntrack-max-per-core=0",
            "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0",
            PATH=self._known().path, LD_LIBRARY_PATH=str(self._known().libraries),
        )  # fmt: skip
        mine = self.cluster.admit("scheduler", "system:kube-scheduler")
        self.run(
            "kube-scheduler", built / "kube-scheduler", f"--kubeconfig={mine}",
            "--leader-elect=false", "--bind-address=127.0.0.1",
        )  # fmt: skip

    def _start_names(self) -> None:
        program = names.ensure(lambda text: print(text, flush=True))
        self.cluster.apply(*names.rights())
        config = self.folder / "Corefile"
        config.write_text(names.configuration(self.cluster.admit("names", names.USER)))
        server = self.run("coredns", program, "-conf", config)
        server.wait_ready(names.answers, _READY_SECONDS)

    def _await_ready(self) -> None:
        wait_until(self._is_ready, _READY_SECONDS, f"node {NAME} ready; see {self.folder / 'logs'}")
        # Pods are refused before it is there.
        self.cluster.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")

    def _is_ready(self) -> bool:
        if NAME not in self.cluster.kubectl("get", "nodes", "-o", "name"):
            return False
        conditions = self.cluster.get("node", NAME)["status"]["conditions"]
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def _on_node(self, name: str, *command: str | Path) -> Process:
        """Start what makes containers: it has to see their processes."""
        within = self._enter("mount", "uts", "ipc", "pid")
        return self._start(name, within, command, {"PATH": self._known().path})

    def _start(
        self,
        name: str,
        within: Sequence[str],
        command: Sequence[str | Path],
        environment: Mapping[str, str],
    ) -> Process:
        server = self._processes.start(name, [*within, *command], environment=environment)
        self._servers.append(server)
        return server

    def _enter(self, *namespaces: str) -> list[str]:
        assert self._holder is not None, "the node runs"
        of = f"/proc/{self._holder.pid}/ns"
        files = {"mount": "mnt", "pid": "pid_for_children"}
        return ["nsenter", *(f"--{name}={of}/{files.get(name, name)}" for name in namespaces), "--"]

    def _ctr(self) -> list[str]:
        ctr = self._known().debian / "usr" / "bin" / "ctr"
        return [*self._enter("mount"), str(ctr), "--address", containerd.SOCKET]

    def _known(self) -> NodePrograms:
        assert self._programs is not None, "the node runs"
        return self._programs
