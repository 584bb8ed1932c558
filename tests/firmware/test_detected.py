"""A detector that a round made, signed as the operator signs it: a device says what was judged."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest

from hack.testbed.models import TARGET, digest
from petiole.api.tinymodel import TinyModelSpec
from petiole.artifact.policy import TaskKind
from petiole.artifact.read import inspect
from petiole.controller import candidate
from petiole.learning import anomaly as scoring
from petiole.wire.messages import Phase
from petiole_pipelines import detect, detectors
from petiole_pipelines.runs import parse
from tests.api.examples import ANOMALY_MODEL
from tests.pipelines import machines

from .test_device import DEVICE

pytestmark = pytest.mark.long
START = detectors.Commissioning(machines.WIDTH, 60, 32.0, machines.BASELINE)
RUN = parse(machines.csv(machines.readings(100)), "bed/0.csv")[0]


@pytest.fixture(autouse=True)
def built(made):
    made("posix")


@pytest.fixture
def search(tmp_path, monkeypatch):
    """What the round found; the pool holds one kind of detector only, when a test says so."""
    machines.prepare(tmp_path / "pump")

    def made(kind: detectors.Kind | None):
        whole = detectors.pool
        if kind is not None:
            monkeypatch.setattr(
                detectors, "pool", lambda *a: tuple(d for d in whole(*a) if d.kind == kind)
            )
        given = machines.parameters(tmp_path / "pump", targets=machines.TARGETS[:1])
        path = detect.detect(**given)
        return tmp_path / "pump" / "store", path

    return made


def signed(store, path, key) -> bytes:
    """As the controller packs it."""
    spec = json.loads(json.dumps(ANOMALY_MODEL["spec"]))
    spec["task"] = machines.TASK
    document = json.loads((store / path).read_text())
    made = candidate.read_candidate(document, path)
    histograms = candidate.read_histograms(
        json.loads((store / document["reference"]).read_text()), path
    )
    variant = made.variant(TARGET)
    model = TinyModelSpec.model_validate(spec)
    return candidate.sign_variant(
        model,
        model.targets[0],
        variant,
        version=1,
        model=(store / variant.model).read_bytes(),
        golden=(store / variant.golden).read_bytes(),
        histogram=histograms[TARGET],
        key=key,
    )


@pytest.mark.parametrize("kind", [None, "Encoder", "Autoencoder"])
async def test_a_device_raises_the_alarms_that_were_judged(bench, hand, key, search, kind):
    store, path = search(kind)
    data = signed(store, path, key)
    policy = inspect(data).policy.anomaly
    assert policy is not None
    assert (policy.kind is TaskKind.RECONSTRUCTION) == (kind == "Autoencoder")
    await bench.start()
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == digest(data))
    x = START.windows(RUN)
    for window in x:
        bench.show_raw(DEVICE, window.tobytes())
    end = asyncio.get_running_loop().time() + 30
    while len(bench.answers) < len(x):
        assert asyncio.get_running_loop().time() < end, f"{len(bench.answers)} answers"
        await asyncio.sleep(0.05)
    said = np.array([answer.label for _, answer in bench.answers])[START.inputs :]
    counts = scoring.counted(said == 1, START.truth(RUN))
    document = json.loads((store / path).read_text())
    judged = next(one for one in document["variants"][0]["runs"] if one["run"] == RUN.name)
    if policy.kind is TaskKind.DISTANCE:  # an autoencoder was on the alert before, too
        assert detectors.shares(counts).items() <= judged.items()
    else:
        assert detectors.shares(counts)["f1"] == pytest.approx(judged["f1"], abs=0.02)
