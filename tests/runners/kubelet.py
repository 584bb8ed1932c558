"""Plays the kubelet of a control plane without a node: runs the Pods of a namespace as children.

Pods are seen, their status is written and they go as on a node, so the Job controller that counts
them is the real one. ``programs`` says which program stands for a container's command.
"""

import contextlib
import os
import signal
import ssl
import subprocess
import threading

import httpx

_EVERY = 0.1  # seconds


class Kubelet:
    def __init__(self, control_plane, namespace, programs):
        pki = control_plane.folder / "pki"
        tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self._http = httpx.Client(base_url=control_plane.url, verify=tls, trust_env=False)
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self.programs = programs
        self._children = {}
        self._over = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sees = True  # False: nothing is scheduled

    def start(self):
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(timeout=20)
        for child in self._children.values():
            _end(child)
        self._http.close()

    def pods(self):
        return self._http.get(self._pods).raise_for_status().json()["items"]

    def _run(self):
        while not self._stop.wait(_EVERY):
            with contextlib.suppress(httpx.TransportError):  # a server that is slow is asked again
                self._look()

    def _look(self):
        there = {pod["metadata"]["name"]: pod for pod in self.pods()}
        for name, child in list(self._children.items()):
            if name not in there:
                _end(child)
                del self._children[name]
        if self.sees:
            for name, pod in there.items():
                self._tend(name, pod)

    def _tend(self, name, pod):
        if name in self._over or pod["metadata"].get("deletionTimestamp"):
            return
        child = self._children.get(name)
        if child is None:
            self._children[name] = self._spawn(pod["spec"]["containers"][0])
            self._write(name, "Running", {"running": {}})
        elif child.poll() is not None:
            code = child.returncode
            phase = "Succeeded" if code == 0 else "Failed"
            self._write(name, phase, {"terminated": {"exitCode": code % 256}})
            self._over.add(name)

    def _spawn(self, container):
        return subprocess.Popen(
            self.programs[tuple(container["command"])],
            env=os.environ | {entry["name"]: entry["value"] for entry in container["env"]},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _write(self, name, phase, state):
        status = {"name": "pipeline", "image": "", "imageID": "", "ready": False, "restartCount": 0}
        body = {"status": {"phase": phase, "containerStatuses": [status | {"state": state}]}}
        self._http.patch(
            f"{self._pods}/{name}/status",
            json=body,
            headers={"Content-Type": "application/strategic-merge-patch+json"},
        )


def _end(child):
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(timeout=10)
