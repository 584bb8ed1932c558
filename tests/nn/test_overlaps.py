"""An output may lie over its input as far as the format says: there the answer is still right, and
the loader refuses one byte more."""

import math
import struct
from collections.abc import Iterator

import pytest

from hack.testbed.exactness import Server, drawn
from petiole_pipelines.planner import Reference, plan
from petiole_pipelines.planner.format import Header, Op, aligned
from petiole_pipelines.planner.graph import read
from petiole_pipelines.planner.lower import lower
from petiole_pipelines.planner.regions import largest_ring, overlap, scratch
from tests.nn.generated import generate
from tests.nn.mutants import run_mutants

RANGE = -6
NAMES = [
    f"{recipe}_{seed}"
    for recipe in ("conv", "pointwise", "depthwise", "max_pool", "average_pool")
    for seed in range(8)
]
INPUTS = 5


@pytest.fixture(scope="module")
def here() -> Iterator[Server]:
    with Server("posix", plan(generate(NAMES[0])).blob) as server:
        yield server


def only_operator(tflite: bytes) -> Op:
    graph = read(tflite)
    (node,) = graph.nodes
    (op,) = lower(graph, node)
    return op


def placed(blob: bytes, op: Op, ahead: int) -> bytes:
    """The model with its input so many bytes behind its output's start, and a ring."""
    changed = bytearray(blob)
    table = Header.parse(blob).table
    in_at, out_at = max(ahead, 0), max(-ahead, 0)
    aux_at = aligned(max(in_at + op.in_shape.size, out_at + op.out_shape.size))
    ring = largest_ring(op)
    struct.pack_into("<HIII", changed, table + 2, ring, in_at, aux_at, out_at)
    struct.pack_into("<I", changed, 12, aux_at + scratch(op, ring))  # arena
    struct.pack_into("<I", changed, 28, in_at)
    struct.pack_into("<I", changed, 36, out_at)
    return bytes(changed)


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_right_as_close_as_can_be_and_no_closer(here: Server, name: str):
    tflite = generate(name)
    op = only_operator(tflite)
    rule = overlap(op, largest_ring(op))
    assert rule is not None
    ahead = 0 if math.isinf(rule.low) else int(rule.low)
    blob = placed(plan(tflite).blob, op, ahead)
    inputs = drawn(0, INPUTS * op.in_shape.size).reshape(INPUTS, -1)
    wanted = Reference(tflite).run(inputs)
    here.load(blob)
    for x, y in zip(inputs, wanted, strict=True):
        assert (here.run(x).output == y).all()
    if not math.isinf(rule.low):
        closer = placed(plan(tflite).blob, op, ahead - 1)
        verdict = (0, "0") if ahead - 1 <= -op.in_shape.size else (RANGE, "-")
        assert run_mutants([blob, closer]) == [(0, "0"), verdict]
