"""A real node: Pods run on it, reach each other and the API server, and nothing of it is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hack.image.oci import Blob, Image
from hack.node import cgroups, containerd
from hack.node.able import why_not
from hack.node.alone import is_alone
from hack.node.node import Node, NodeError
from hack.node.programs import missing
from hack.testbed.processes import ROOT

ON_NODE = """
import sys, json
from pathlib import Path
from hack.image.small import busybox
from hack.node.node import Node
from hack.node.programs import ensure

def pod(name, script, **more):
    container = {"name": "c", "image": "localhost/tool:1", "command": ["/bin/sh", "-c", script]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"restartPolicy": "Never", "containers": [container | more]}}

with Node(Path(sys.argv[1])) as node:
    kubectl = node.cluster.kubectl
    node.load(busybox("tool", ensure(print).busybox))
    ready = {"readinessProbe": {"httpGet": {"port": 8080}, "periodSeconds": 1}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
               "spec": {"selector": {"app": "web"}, "clusterIP": "10.96.0.50",
                        "ports": [{"port": 80, "targetPort": 8080}]}}
    serve = "echo from the web >/tmp/index.html; exec httpd -f -p 8080 -h /tmp"
    node.cluster.apply(pod("web", serve, **ready), service)
    kubectl("wait", "pod/web", "--for=condition=Ready", "--timeout=60s")
    token = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    ask = f"wget -qO- http://10.96.0.50 && test -s {token} && nc -w 5 10.96.0.1 443 </dev/null"
    eat = "head -c 200m /dev/zero | tail"
    limit = {"resources": {"limits": {"memory": "32Mi"}}}
    node.cluster.apply(pod("asks", ask), pod("eats", eat, **limit), pod("fails", "exit 7"))
    for name, phase in (("asks", "Succeeded"), ("eats", "Failed"), ("fails", "Failed")):
        kubectl("wait", f"pod/{name}", f"--for=jsonpath={{.status.phase}}={phase}", "--timeout=60s")
    end = lambda name: node.cluster.get("pod", name)["status"]["containerStatuses"][0]["state"]
    said = {"asks": kubectl("logs", "asks"),
            "eats": end("eats")["terminated"]["reason"],
            "fails": end("fails")["terminated"]["exitCode"]}
    Path(sys.argv[1], "said.json").write_text(json.dumps(said))
"""


@pytest.mark.long
@pytest.mark.timeout(900)
def test_pods_run_and_nothing_is_left(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    if missing():
        pytest.skip(f"{', '.join(missing())}: built by python -m hack.node.programs")
    command = [sys.executable, "-m", "hack.node.alone", sys.executable, "-c", ON_NODE]
    ran = subprocess.run(
        [*command, str(tmp_path / "node")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "operator:pipelines:."},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    said = json.loads((tmp_path / "node" / "said.json").read_text())
    assert said == {"asks": "from the web\n", "eats": "OOMKilled", "fails": 7}
    assert not [*cgroups.BASE.glob("**/petiole-node-*")]
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
    assert not (tmp_path / "node" / "containerd").exists()


@pytest.mark.skipif(is_alone(), reason="in a network of its own a node may start")
def test_it_refuses_the_network_of_the_machine(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match=r"hack\.node\.alone"):
        Node(tmp_path / "node").start()
    assert not (tmp_path / "node").exists()


def test_alone_has_loopback_and_its_own_exit_status() -> None:
    if reason := why_not():
        pytest.skip(reason)
    script = "ip -o link; ip -4 -o address; exit 7"
    command = [sys.executable, "-m", "hack.node.alone", "sh", "-c", script]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 7
    assert [line.split(":")[1].strip() for line in ran.stdout.splitlines()[:1]] == ["lo"]
    assert "127.0.0.1/8" in ran.stdout
    assert len(ran.stdout.splitlines()) == 2


def test_an_image_that_is_not_taken_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image("localhost/large:1", (Blob.of(bytes(1_000_000)),))  # more than a pipe holds
    monkeypatch.setattr(containerd, "_LOAD_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(RuntimeError, match=r"localhost/large:1 .*within 0\.5 s"):
        containerd.load(["sh", "-c", "exec sleep 60"], image)
    assert time.monotonic() - began < 20
    with pytest.raises(RuntimeError, match="no such snapshotter"):
        containerd.load(["sh", "-c", "cat >/dev/null; echo no such snapshotter; exit 1"], image)


class Cgroups:
    """Folders as cgroup v1 shows them: a root with the files of a cgroup for each controller."""

    def __init__(self, base: Path) -> None:
        self.base = base
        for controller in ("cpu", "cpuset"):
            (base / controller).mkdir()
            (base / controller / "cgroup.procs").touch()
        (base / "cpuset" / "cpuset.cpus").write_text("0-1")
        (base / "cpu,cpuacct").symlink_to("cpu")


def test_each_hierarchy_is_found_once(tmp_path: Path) -> None:
    Cgroups(tmp_path)
    assert cgroups.hierarchies(tmp_path) == [tmp_path / "cpu", tmp_path / "cpuset"]
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / "cgroup.procs").touch()
    assert cgroups.hierarchies(tmp_path) == [tmp_path]


def test_a_node_weighs_more_than_one_process(tmp_path: Path) -> None:
    Cgroups(tmp_path)
    shares = tmp_path / "cpu" / f"petiole-node-{os.getpid()}" / "cpu.shares"
    shares.parent.mkdir()
    shares.write_text("1024")
    cgroups.make(os.getpid(), tmp_path)
    assert int(shares.read_text()) > 1024


def test_cgroups_go_with_their_owner(tmp_path: Path) -> None:
    Cgroups(tmp_path)
    living = cgroups.make(os.getpid(), tmp_path)
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = cgroups.make(gone.pid, tmp_path)
    (tmp_path / "cpu" / left / "kubepods").mkdir()
    cgroups.remove_orphans(tmp_path)
    assert [path.name for path in tmp_path.glob("cpu/petiole-*")] == [living]
    cgroups.remove(living, tmp_path)
    assert not [*tmp_path.glob("*/petiole-*")]
