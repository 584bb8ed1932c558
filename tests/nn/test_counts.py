"""Instructions of the kernels: the bars, and nothing gets slower by the way."""

import json

import pytest

from bench.firmware import kernels
from hack.testbed import mlperf
from hack.testbed.boards import BoardName

CONV_BAR = 1.8  # instructions a product; CMSIS-NN 4.0 takes 2.47 for the same
KEYWORDS_BAR = 7_000_000
SLACK = 1.02
BOARDS: list[BoardName] = ["an385", "an386", "an547"]  # one for each kind of kernels


def test_a_convolution_beats_the_vendor():
    (row,) = kernels.count_kernels("an386", [kernels.CONV_3X3])
    assert row.products == 589_824
    assert row.each is not None
    assert 0.5 < row.each <= CONV_BAR


def test_the_keyword_spotter_is_fast():
    (row,) = kernels.count_models("an386", ["model kws"]) or [None]
    if row is None:
        pytest.skip(f"no model in {mlperf.folder()}: set PETIOLE_DATASETS")
    assert 1_000_000 < row.instructions <= KEYWORDS_BAR


OTHERS = [pytest.param(b, marks=pytest.mark.long) for b in BOARDS if b != "an386"]


@pytest.mark.parametrize("board", ["an386", *OTHERS])
def test_no_kernel_got_slower(board: BoardName):
    before = kernels.committed()[board]
    now = {row.name: row.instructions for row in kernels.count_kernels(board)}
    assert now.keys() == {name for name in before if name in kernels.KERNELS}
    slower = {name: (before[name], n) for name, n in now.items() if n > before[name] * SLACK}
    assert not slower, "after a change that is worth it: python -m bench.firmware.kernels --write"


def test_the_table_has_every_board_and_kernel():
    counts = json.loads(kernels.COMMITTED.read_text())
    assert all(set(kernels.KERNELS) <= set(counts[board]) for board in kernels.BOARDS)
