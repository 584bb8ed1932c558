"""Networks drawn at random are run exactly, here and on every board."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from hack.testbed.boards import BOARDS, BoardName
from hack.testbed.exactness import Server, compare, drawn
from petiole_pipelines.planner import Kind, Reference, plan
from petiole_pipelines.planner.format import OP, PACKED, Header
from tests.nn.generated import NAMES, RECIPES, generate

FIRST_OF_EACH = [f"{recipe}_0" for recipe in RECIPES]


def operators(blob: bytes) -> Iterator[tuple[int, ...]]:
    header = Header.parse(blob)
    table = blob[header.table : header.table + header.op_count * OP.size]
    return OP.iter_unpack(table)


@pytest.fixture(scope="module")
def here() -> Iterator[Server]:
    with Server("posix", plan(generate(NAMES[0])).blob) as server:
        yield server


@pytest.mark.parametrize("name", NAMES)
def test_a_network_is_exact_on_this_machine(here: Server, name: str):
    found = compare(generate(name), inputs=500, where=here)
    assert (found.inputs, found.mismatches) == (500, 0)


def inexact(board: BoardName, names: list[str], inputs: int) -> list[str]:
    with Server(board, plan(generate(names[0])).blob, counted=False) as server:
        return [n for n in names if compare(generate(n), inputs=inputs, where=server).mismatches]


@pytest.mark.parametrize("board", BOARDS)
def test_a_network_of_each_recipe_is_exact_on_a_board(board: BoardName):
    assert inexact(board, FIRST_OF_EACH, 2) == []


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
def test_all_networks_are_exact_on_a_board(board: BoardName):
    assert inexact(board, NAMES, 500) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_network_tells_inputs_apart(name: str):
    """Else equality would mean little."""
    tflite = generate(name)
    in_len = plan(tflite).in_len
    outputs = Reference(tflite).run(drawn(0, 50 * in_len).reshape(50, in_len))
    assert len(np.unique(outputs, axis=0)) >= 5


def test_the_networks_have_all_that_the_runtime_can():
    kinds, rings, over = Counter(), Counter(), Counter()
    packed = 0
    for name in NAMES:
        for op in operators(plan(generate(name)).blob):
            kind, flags, ring, in_at, _, out_at, h, w, c, out_h, out_w, out_c, *_ = op
            kinds[Kind(kind)] += 1
            rings[Kind(kind)] += ring > 0
            packed += flags & PACKED
            apart = in_at + h * w * c <= out_at or out_at + out_h * out_w * out_c <= in_at
            over[Kind(kind)] += not apart
    assert set(kinds) == set(Kind)
    windowed = {Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D, Kind.MAX_POOL_2D, Kind.AVERAGE_POOL_2D}
    assert {kind for kind, count in rings.items() if count >= 3} == windowed
    assert {kind for kind, count in over.items() if count} == set(Kind) - {
        Kind.MEAN,
        Kind.PAD,
        Kind.CONCAT,
    }
    assert packed >= 5
