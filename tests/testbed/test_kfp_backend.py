"""The backend alone, with tiny steps: what it calls a good, a bad and a terminated run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from kfp import compiler, dsl

from hack.image.small import busybox
from hack.node import programs as node_programs
from hack.testbed.waits import wait_until
from petiole.runners.kfp_api import KfpApi, KfpServer
from tests.runners.real_kfp import backend

pytestmark = [pytest.mark.kfp, pytest.mark.timeout(1200)]
SECONDS = 300.0
SCRIPTS = {"good": "echo done", "bad": "exit 3", "slow": "sleep 900"}
OVER = ("SUCCEEDED", "FAILED", "CANCELED")


def pipeline(name: str, script: str, folder: Path):
    @dsl.container_component
    def step():
        return dsl.ContainerSpec(image="localhost/tool:1", command=["/bin/sh", "-c", script])

    @dsl.pipeline(name=name)
    def whole():
        step()

    compiler.Compiler().compile(whole, str(folder / f"{name}.yaml"))
    return yaml.safe_load((folder / f"{name}.yaml").read_text())


def test_runs_end_as_their_steps_do(tmp_path: Path) -> None:
    with backend(tmp_path) as (node, kfp):
        node.load(busybox("tool", node_programs.ensure(print).busybox))
        api = KfpApi(KfpServer(kfp.url))
        for name, script in SCRIPTS.items():
            spec = {"pipeline_spec": pipeline(name, script, tmp_path)}
            api.create(name, experiment="default.x", description="{}", spec=spec, arguments={})

        def state(name):
            return api.named(name)[0].state

        def end(name):
            wait_until(lambda: state(name) in OVER, SECONDS, f"the end of run {name}", every=2)
            return state(name)

        assert [end("good"), end("bad"), state("slow")] == ["SUCCEEDED", "FAILED", "RUNNING"]
        api.terminate(api.named("slow")[0])
        assert end("slow") == "FAILED"  # so this server says; the history tells more
        assert "CANCELING" in api.named("slow")[0].history
        assert "CANCELING" not in api.named("bad")[0].history
