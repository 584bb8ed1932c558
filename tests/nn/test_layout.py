"""What lies where: overlaps that the rules allow and no others, rings only where they help, padding
folded, and what a new head changes at the end."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petiole_pipelines.planner import Kind, PlanError, plan
from petiole_pipelines.planner.arena import Buffer, place
from petiole_pipelines.planner.format import OP, Header, Op, Shape, Window
from petiole_pipelines.planner.regions import ANYWHERE, SAME, Overlap, overlap, scratch
from tests.nn.flat import RELU, VALID, Flat, Flow

sizes = st.lists(st.tuples(st.integers(1, 3000), st.integers(-2000, 2000)), min_size=2, max_size=12)


@given(sizes)
def test_a_chain_overlaps_only_as_its_rules_say(drawn):
    buffers = [Buffer(i, size, i - 1, i) for i, (size, _) in enumerate(drawn)]
    rules = {(i, i + 1): Overlap(low, math.inf) for i, (_, low) in enumerate(drawn[:-1])}
    offsets, total = place(buffers, rules)
    for first, second in itertools.pairwise(buffers):
        a, b = offsets[first.key], offsets[second.key]
        apart = a + first.size <= b or b + second.size <= a
        assert apart or rules[first.key, second.key].holds(a - b)
        assert max(a + first.size, b + second.size) <= total


def test_what_may_lie_over_its_input_needs_the_larger_of_both():
    buffers = [Buffer("in", 1000, -1, 0), Buffer("out", 600, 0, 1)]
    assert place(buffers, {("in", "out"): SAME})[1] == 1000
    assert place(buffers, {("in", "out"): ANYWHERE})[1] == 1000
    assert place(buffers, {("in", "out"): Overlap(-300, math.inf)})[1] == 1000
    # The output has to begin 800 bytes before its input, or lie behind or before all of it.
    assert place(buffers, {("in", "out"): Overlap(800, math.inf)})[1] == 1600


def conv(in_shape: tuple[int, int, int], out_shape: tuple[int, int, int], window: Window) -> Op:
    return Op(Kind.CONV_2D, "", 0, 1, Shape(*in_shape), Shape(*out_shape), window=window)


@pytest.mark.parametrize(
    ("op", "ring", "low"),
    [
        # Row y is written once rows up to y + 1 are in the ring: one row of room.
        (conv((8, 8, 4), (8, 8, 4), Window(3, 3, pad_top=1, pad_left=1)), 3, -32),
        # Twice the channels: row 5 is the last one with a row below that is still to be read.
        (conv((8, 8, 4), (8, 8, 8), Window(3, 3, pad_top=1, pad_left=1)), 3, 6 * 64 - 7 * 32),
        # The whole input is in the ring before anything is written.
        (conv((3, 8, 4), (1, 6, 9), Window(3, 3)), 3, -math.inf),
        # Pixel by pixel: the last but one decides.
        (conv((4, 4, 3), (4, 4, 5), Window()), 0, 15 * 2),
        (conv((4, 4, 5), (4, 4, 3), Window()), 0, -2),
        (conv((1, 1, 5), (1, 1, 300), Window()), 0, -math.inf),
    ],
)
def test_how_far_an_output_may_lie_over_its_input(op: Op, ring: int, low: float):
    rule = overlap(op, ring)
    assert rule is not None
    assert (rule.low, rule.high) == (low, math.inf)


def test_scratch_is_patches_and_ring():
    op = conv((8, 8, 3), (8, 8, 4), Window(3, 3, pad_top=1, pad_left=1))
    assert scratch(op, 0) == 2 * 2 * 28  # 27 values, padded
    assert scratch(op, 3) == 2 * 2 * 28 + 3 * 8 * 3
    one = conv((3, 3, 3), (1, 1, 4), Window(3, 3))
    assert scratch(one, 0) == 2 * 28


def flat(seed: int = 0) -> Flat:
    return Flat(np.random.default_rng(seed))


def kinds(blob: bytes) -> list[Kind]:
    header = Header.parse(blob)
    return [Kind(op[0]) for op in OP.iter_unpack(blob[header.table :])]


def test_a_convolution_pads_its_input_itself():
    f = flat()
    x = f.pad(f.input((9, 9, 3)), [(0, 0), (1, 2), (0, 1), (0, 0)])
    x = f.conv(x, 4, (3, 3), padding=VALID)
    assert kinds(plan(f.finish(x)).blob) == [Kind.CONV_2D]


def test_a_pool_does_not_pad_and_a_pad_wider_than_the_filter_stays():
    f = flat()
    x = f.pad(f.input((9, 9, 3)), [(0, 0), (1, 1), (1, 1), (0, 0)])
    x = f.pool("MAX", x, (3, 3), padding=VALID)
    assert kinds(plan(f.finish(x)).blob) == [Kind.PAD, Kind.MAX_POOL_2D]
    f = flat()
    x = f.pad(f.input((9, 9, 3)), [(0, 0), (3, 0), (0, 0), (0, 0)])
    x = f.conv(x, 4, (3, 3), padding=VALID)
    assert kinds(plan(f.finish(x)).blob) == [Kind.PAD, Kind.CONV_2D]


def test_a_pad_that_two_read_is_folded_into_both_or_stays():
    f = flat()
    x = f.pad(f.input((9, 9, 3)), [(0, 0), (1, 1), (1, 1), (0, 0)])
    y, z = (f.conv(x, 4, (3, 3), padding=VALID) for _ in range(2))
    folded = plan(f.finish(f.both("ADD", y, z))).blob
    assert kinds(folded) == [Kind.CONV_2D, Kind.CONV_2D, Kind.ADD]


def test_rings_stay_only_where_the_arena_would_grow():
    f = flat()
    x = f.input((32, 32, 2))
    x = f.conv(x, 16, (3, 3), activation=RELU)  # here the arena is at its largest
    x = f.pool("MAX", x, (8, 8), stride=(8, 8), padding=VALID)
    x = f.conv(x, 16, (3, 3))
    header = Header.parse(blob := plan(f.finish(x)).blob)
    rings = [op[2] for op in OP.iter_unpack(blob[header.table :])]
    assert rings == [3, 0, 0]
    assert header.arena < 32 * 32 * 16 + 3 * 32 * 2 + 500


def headed(seed: int) -> bytes:
    """The same body with a head drawn from another seed."""
    f = flat()
    x = f.conv(f.input((16, 16, 1)), 16, (3, 3), stride=(2, 2), activation=RELU)
    x = f.conv(x, 32, (3, 3), stride=(2, 2), activation=RELU)
    x = f.reshape(x, (1, 4 * 4 * 32))
    f._random = np.random.default_rng(seed)
    return plan(f.finish(f.softmax(f.dense(x, 6)))).blob


def test_a_new_head_changes_one_stretch_at_the_end():
    one, other = headed(1), headed(2)
    assert len(one) == len(other)
    differ = np.flatnonzero(np.frombuffer(one, np.uint8) != np.frombuffer(other, np.uint8))
    head = 6 * 512 + 6 * 9 + 12 + 4 * OP.size + 8
    assert len(one) - head <= differ.min()


def joined(f: Flat, x: Flow) -> Flow:
    y = f.conv(x, 3, (3, 3))  # with a quantisation of its own
    return f.concat([x, y], 3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda f, x: f.mean(x, (1, 3)), "a mean over axes"),
        (lambda f, x: f.pad(x, [(0, 0), (0, 0), (0, 0), (1, 0)]), "channels cannot be padded"),
        (joined, "changes the quantisation"),
        (lambda f, x: f.both("MUL", x, f.mean(x, (1, 2), keep=True)), "MUL needs two computed"),
    ],
)
def test_what_the_runtime_has_no_form_for_is_named(build, message: str):
    f = flat()
    with pytest.raises(PlanError, match=message):
        plan(f.finish(build(f, f.input((6, 6, 3)))))
