"""The whole demo, as ``make demo`` runs it. Takes minutes: ``make test-long``."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hack.testbed import datasets
from hack.testbed.processes import ROOT

PUMPS = datasets.folder("skab")
LEAVES = datasets.folder("plantvillage-apple")
DEMO = [sys.executable, "-m", "hack.demo", "--out"]


def environment():
    return os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'operator'}:{ROOT / 'pipelines'}"}


def processes_of(folder):
    """Command lines that name the run's folder, this one's children and grandchildren."""
    listed = subprocess.run(
        ["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if f"{folder}/" in line]


def played(folder, *options):
    """Play the demo in a folder; return its summary and what it printed."""
    done = subprocess.run(
        [*DEMO, str(folder), *options],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=1700,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return json.loads((folder / "summary.json").read_text()), done.stdout


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_whole_loop(tmp_path):
    folder = tmp_path / "demo"
    found, _ = played(folder)
    assert processes_of(folder) == []
    labels = found["labels"]
    assert labels["savedPercent"] >= 85
    assert labels["accuracy"] >= labels["fullAccuracy"] - 1
    assert found["devices"]["posix"] >= 200
    assert found["devices"]["qemu"] >= 2
    every = found["devices"]["posix"] + found["devices"]["qemu"]
    results = [(r["result"], r["updated"]) for r in found["rollouts"]]
    assert results[:2] == [("Promoted", every), ("Promoted", every)]
    assert found["example"]["overrides"] == []
    bad = found["rollouts"][-1]
    assert bad["result"] == "Reverted"
    assert bad["reverted"] == bad["exposed"] <= 40
    drift = found["drift"]
    assert drift["seconds"] > 0
    assert drift["accuracyAfter"] > drift["accuracyBefore"]
    assert found["exactness"]
    assert all(e["inputs"] == 500 and e["mismatches"] == 0 for e in found["exactness"])
    assert (folder / "report.html").stat().st_size > 50_000


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not LEAVES.is_dir(), reason=f"no photos of leaves at {LEAVES}")
def test_the_whole_loop_on_leaves(tmp_path):
    folder = tmp_path / "demo"
    found, said = played(folder, "--example", "leaf-disease", "--data", str(LEAVES), "--quick")
    assert "spec.rollout.stages.canary.soak" in said
    every = found["devices"]["posix"] + found["devices"]["qemu"]
    ended = [(r["result"], r["updated"]) for r in found["rollouts"] if r["result"] == "Promoted"]
    assert ended == [("Promoted", every)] * 3
    assert found["rollouts"][1]["result"] == "Reverted"
    bad = found["bad"]
    assert bad["judgedAccuracy"] > 50
    assert bad["devicesSeenWithIt"] == 0 or bad["fieldAccuracy"] < 50
    drift = found["drift"]
    assert drift["windows"] > 0
    assert drift["accuracyBefore"] < drift["accuracyCalm"]
    assert drift["accuracyAfter"] > drift["accuracyBefore"]
    assert all(e["mismatches"] == 0 for e in found["exactness"])
    assert (folder / "report.html").stat().st_size > 50_000


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not PUMPS.is_dir(), reason=f"no runs of a pump at {PUMPS}")
def test_the_whole_loop_on_pumps(tmp_path):
    folder = tmp_path / "demo"
    found, _ = played(folder, "--example", "pump-anomaly", "--data", str(PUMPS), "--quick")
    every = found["devices"]["posix"] + found["devices"]["qemu"]
    ended = [(r["result"], r["updated"]) for r in found["rollouts"] if r["result"] == "Promoted"]
    assert ended == [("Promoted", every)] * 3
    assert found["rollouts"][1]["result"] == "Reverted"
    (alarms,) = found["alarms"]
    assert alarms["machinesWithAlarm"] > alarms["machines"] / 2
    assert alarms["f1"] > 60
    assert alarms["fleet"]["alarms"] >= alarms["raised"] > 0
    assert found["drift"]["windows"] > 0
    assert found["versions"][-1]["trigger"] == "Requested"
    assert all(e["mismatches"] == 0 for e in found["exactness"])
    assert (folder / "report.html").stat().st_size > 50_000


def test_an_example_without_its_data_says_what_to_do(tmp_path):
    done = subprocess.run(
        [*DEMO, str(tmp_path / "demo"), "--example", "leaf-disease"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "DATA=FOLDER" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.long
@pytest.mark.timeout(300)
def test_no_process_is_left_behind(tmp_path, how):
    folder = tmp_path / "demo"
    demo = subprocess.Popen(
        [*DEMO, str(folder)], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        for line in demo.stdout:
            if "Querying" in line:
                break
        assert processes_of(folder), demo.poll()
        demo.send_signal(how)
        assert demo.wait(60) != 0
    finally:
        demo.kill()
    end = time.monotonic() + 30
    while processes_of(folder) and time.monotonic() < end:
        time.sleep(0.2)
    assert processes_of(folder) == []
