"""What a model is predicted to cost, against what was counted on boards."""

import pytest

from bench.firmware import kernels
from bench.firmware.calibrate import BOARDS
from hack.testbed import mlperf
from hack.testbed.singles import DENSE, Single
from petiole_pipelines.planner import cost, plan

TOLERANCE = 0.10
CORES: list[cost.Core] = list(BOARDS)


@pytest.mark.parametrize("name", mlperf.FILES)
@pytest.mark.parametrize("core", CORES)
def test_a_model_costs_what_is_predicted(core: cost.Core, name: mlperf.ModelName):
    data = mlperf.load(name)
    if data is None:
        pytest.skip(f"no {mlperf.FILES[name]} in {mlperf.folder()}: set PETIOLE_DATASETS")
    counted = kernels.committed()[BOARDS[core]][f"model {name}"]
    predicted = cost.instructions(plan(data).blob, core)
    assert predicted == pytest.approx(counted, rel=TOLERANCE)


@pytest.mark.parametrize("name", kernels.KERNELS)
@pytest.mark.parametrize("core", CORES)
def test_a_kernel_costs_what_is_predicted(core: cost.Core, name: str):
    counted = kernels.committed()[BOARDS[core]][name]
    predicted = cost.instructions(kernels.KERNELS[name].blob(), core)
    assert predicted == pytest.approx(counted, rel=TOLERANCE)


def test_a_layer_of_twice_the_size_costs_more():
    small, large = (Single(DENSE, (1, 1, 64), n).blob() for n in (16, 32))
    assert cost.instructions(large, "cortex-m4") > 1.8 * cost.instructions(small, "cortex-m4")
