"""The four models of MLPerf Tiny: exact, and small in arena and blob."""

import pytest

from hack.testbed import mlperf
from hack.testbed.boards import BOARDS, BoardName
from hack.testbed.exactness import Server, compare
from petiole_pipelines.planner import plan

NAMES: list[mlperf.ModelName] = list(mlperf.FILES)
INPUTS = {"ad": 100, "ic": 20, "kws": 50, "vww": 20}  # in a short run
SECONDS = 600.0  # for an answer of a board


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> mlperf.ModelName:
    return request.param


@pytest.fixture
def tflite(name: mlperf.ModelName) -> bytes:
    data = mlperf.load(name)
    if data is None:
        pytest.skip(f"no {mlperf.FILES[name]} in {mlperf.folder()}: set PETIOLE_DATASETS")
    return data


def test_the_arena_is_at_most_seven_tenths_of_that_of_tflite_micro(
    name: mlperf.ModelName, tflite: bytes
):
    assert plan(tflite).arena <= 0.7 * mlperf.TFLITE_MICRO_ARENA[name]


def test_the_blob_is_at_most_nine_tenths_of_the_file(tflite: bytes):
    assert len(plan(tflite).blob) <= 0.9 * len(tflite)


def test_the_answers_are_those_of_tflite_micro(name: mlperf.ModelName, tflite: bytes):
    found = compare(tflite, inputs=INPUTS[name], where="posix")
    assert (found.inputs, found.mismatches) == (INPUTS[name], 0)


@pytest.mark.long
def test_five_hundred_answers_are_those_of_tflite_micro(tflite: bytes):
    found = compare(tflite, inputs=500, where="posix")
    assert (found.inputs, found.mismatches) == (500, 0)


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
def test_five_hundred_answers_of_a_board_are_those_of_tflite_micro(board: BoardName, tflite: bytes):
    with Server(board, plan(tflite).blob, seconds=SECONDS, counted=False) as server:
        found = compare(tflite, inputs=500, where=server)
    assert (found.inputs, found.mismatches) == (500, 0)
