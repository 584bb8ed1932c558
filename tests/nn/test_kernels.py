"""Each kernel of each kind of core, alone, against numpy."""

from collections.abc import Iterator

import numpy as np
import pytest

from bench.firmware.calibrate import shapes
from hack.testbed.boards import BOARDS, BoardName
from hack.testbed.exactness import Server, Where
from tests.nn.single import SINGLES, Single

PLAIN, DSP, VECTORS = "an385", "an386", "an547"


def inputs(single: Single, count: int) -> np.ndarray:
    random = np.random.default_rng(7)
    values = random.integers(-128, 128, (count, single.input_bytes), dtype=np.int8)
    values[0] = -128
    return values


@pytest.fixture(scope="module", params=["posix", PLAIN, DSP, VECTORS])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    place: Where = request.param
    with Server(place, next(iter(SINGLES.values())).blob()) as running:
        yield running


@pytest.mark.parametrize("name", SINGLES)
def test_the_kernel_answers_as_numpy_does(server: Server, name: str):
    single = SINGLES[name]
    server.load(single.blob())
    for values in inputs(single, 4):
        np.testing.assert_array_equal(server.run(values).output, single.answer(values))


@pytest.mark.parametrize("name", SINGLES)
def test_the_answers_say_something(name: str):
    """Else equality would mean little."""
    single = SINGLES[name]
    answers = np.stack([single.answer(values) for values in inputs(single, 4)])
    assert len(np.unique(answers, axis=0)) == 4


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
def test_kernels_of_any_shape_answer_as_numpy_does(board: BoardName):
    drawn = [s for s in shapes(np.random.default_rng(11)) if isinstance(s, Single)]
    with Server(board, drawn[0].blob()) as running:
        for single in drawn:
            running.load(single.blob())
            values = inputs(single, 2)[1]
            np.testing.assert_array_equal(running.run(values).output, single.answer(values))
    assert len(drawn) > 300
