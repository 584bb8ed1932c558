"""A million devices: less than five minutes and two gigabytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
import yaml

from .policies import UPDATE, body

STAGES = [
    {"name": "canary", "size": 200, "soak": "10m"},
    {"name": "early", "size": "5%", "soak": "1h"},
    {"name": "all", "size": "100%"},
]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_million_devices_take_minutes_and_fit_in_memory(tmp_path, record_property):
    file, out = tmp_path / "fleet.yaml", tmp_path / "out.json"
    gates = [UPDATE | {"test": UPDATE["test"] | {"alpha": "1%"}}]
    pace = {"maxInFlight": 5000}
    policy = body(stages=STAGES, gates=gates, pace=pace, onInconclusive="Proceed")
    file.write_text(yaml.safe_dump(policy))
    command = [sys.executable, "-m", "petiole.cli.main", "simulate", "-f", str(file)]
    command += ["--devices", "1000000", "--runs", "1", "--seed", "3", "--json"]
    began = time.monotonic()
    with out.open("w") as answer:
        process = subprocess.Popen(command, stdout=answer)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    record_property("seconds", round(took))
    record_property("kilobytes", usage.ru_maxrss)
    assert process.returncode == 0
    bad, good = json.loads(out.read_text())["runs"]
    assert (bad["end"], good["end"]) == ("Stopped", "Promoted")
    assert bad["exposed"] < 1000 < 900_000 < good["exposed"]
    assert took < 300.0
    assert usage.ru_maxrss * 1024 < 2e9
