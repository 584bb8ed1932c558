"""The control plane of the testbed: real, checked by certificate, and gone when it should be."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from hack.testbed.controlplane import ControlPlane
from hack.testbed.guard import TOKEN, members
from hack.testbed.processes import ROOT, ProcessError, Processes
from hack.testbed.rights import EDIT
from hack.testbed.waits import DeadlineError, free_port, wait_until

OWNER = """
import sys, time
from pathlib import Path
from hack.testbed.processes import Processes
processes = Processes(Path(sys.argv[1]))
shell = processes.start("parent", ["sh", "-c", "setsid sleep 300 & sleep 300"])
print(processes.token, flush=True)
time.sleep(300)
"""


def test_server_has_a_certificate_of_its_own_authority(control_plane: ControlPlane) -> None:
    trusting_nobody = ssl.create_default_context()
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(control_plane.url, timeout=5, context=trusting_nobody)


def test_controller_manager_collects_garbage(control_plane: ControlPlane, namespace: str) -> None:
    run = control_plane.kubectl
    run("create", "configmap", "owner", "-n", namespace)
    uid = control_plane.get("configmap", "owner", namespace)["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    control_plane.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "owned", "namespace": namespace, "ownerReferences": [owner]},
        }
    )
    run("delete", "configmap", "owner", "-n", namespace)
    wait_until(
        lambda: "owned" not in run("get", "configmap", "-n", namespace, "-o", "name"),
        30,
        "garbage collection of configmap/owned",
    )


def test_writes_are_counted_by_user(control_plane: ControlPlane, namespace: str) -> None:
    """Of a user whose reads are in the audit log, too."""
    editor = f"{namespace}-editor"
    command = [str(control_plane.kubectl_path), "-n", namespace]
    command += ["--kubeconfig", str(control_plane.stand_in(editor, EDIT))]
    subprocess.run([*command, "create", "configmap", "mine"], check=True, timeout=30)
    subprocess.run([*command, "get", "configmaps"], check=True, timeout=30)
    control_plane.kubectl("create", "configmap", "admins", "-n", namespace)
    wait_until(lambda: control_plane.writes(editor) == 1, 10, "one write in the audit log")


def test_a_second_one_runs_beside_the_first_and_leaves_nothing(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    processes = Processes(tmp_path)
    with processes, ControlPlane(tmp_path, processes) as second:
        assert second.url != control_plane.url
        assert second.version().startswith("v1.")
        assert len(processes.left()) == 3
    assert processes.left() == []
    assert control_plane.version().startswith("v1.")


def test_nothing_survives_the_owner_even_when_it_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert owner.stdout is not None
        token = owner.stdout.readline().strip()
        wait_until(lambda: len(members(token)) == 3, 10, "a shell and two sleeping children")
    finally:
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait(timeout=10)
    wait_until(lambda: members(token) == [], 10, "the end of all processes")


def test_the_end_of_a_process_ends_a_wait_with_its_last_words(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        failing = processes.start("failing", ["sh", "-c", "echo no such broker >&2; exit 3"])
        start = time.monotonic()
        with pytest.raises(ProcessError, match=r"(?s)failing ended with status 3.*no such broker"):
            failing.wait_ready(lambda: False, seconds=30)
        assert time.monotonic() - start < 10


def test_a_deaf_process_is_killed_after_a_while(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        command = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]
        deaf = processes.start("deaf", command, environment={"A": "b"})
        deaf.wait_ready(lambda: "ready" in deaf.log.read_text())
        deaf.stop(seconds=0.5)
        assert not deaf.alive


def test_a_wait_names_what_it_waited_for() -> None:
    with pytest.raises(DeadlineError, match=r"the moon: not within 0\.2 s"):
        wait_until(lambda: False, 0.2, "the moon")


def test_free_ports_stay_clear_of_outgoing_connections() -> None:
    assert all(20_000 <= free_port() < 32_000 for _ in range(20))


def test_token_is_not_inherited_from_an_outer_testbed(tmp_path: Path) -> None:
    assert TOKEN not in os.environ
    with Processes(tmp_path) as one, Processes(tmp_path) as two:
        one.start("one", ["sleep", "60"])
        two.start("two", ["sleep", "60"])
        assert len(one.left()) == len(two.left()) == 1
