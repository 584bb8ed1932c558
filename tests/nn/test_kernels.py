"""Each kernel of each kind of core, alone, against numpy."""

from collections.abc import Iterator

import numpy as np
import pytest

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
