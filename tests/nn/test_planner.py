"""The planner: arena, fixed point, and the errors that a user reads."""

import math
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import flatbuffers
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from petiole_pipelines.planner import ABI, Kind, PlanError, plan
from petiole_pipelines.planner.arena import Buffer, place
from petiole_pipelines.planner.fixedpoint import (
    RELU,
    RELU6,
    activation_range,
    mean,
    quantize_multiplier,
    softmax,
)
from petiole_pipelines.planner.format import ALIGNMENT, HEADER, OP, Header
from petiole_pipelines.planner.graph import read
from petiole_pipelines.planner.parts import image_shape
from tests.nn.mutants import run_mutants

lives = st.tuples(st.integers(1, 5000), st.integers(0, 12), st.integers(0, 6))


@given(st.lists(lives, max_size=25))
def test_buffers_alive_together_do_not_overlap(drawn):
    buffers = [Buffer(i, size, first, first + n) for i, (size, first, n) in enumerate(drawn)]
    offsets, total = place(buffers)
    for i, a in enumerate(buffers):
        assert offsets[a.key] % ALIGNMENT == 0
        assert offsets[a.key] + a.size <= total
        for b in buffers[i + 1 :]:
            if a.first <= b.last and b.first <= a.last:
                apart = (
                    offsets[a.key] + a.size <= offsets[b.key]
                    or offsets[b.key] + b.size <= offsets[a.key]
                )
                assert apart


@given(st.lists(lives, min_size=1, max_size=25))
def test_the_arena_lies_between_the_busiest_step_and_the_sum(drawn):
    buffers = [Buffer(i, size, first, first + n) for i, (size, first, n) in enumerate(drawn)]
    _, total = place(buffers)
    steps = range(max(b.last for b in buffers) + 1)
    busiest = max(sum(b.size for b in buffers if b.first <= s <= b.last) for s in steps)
    assert busiest <= total <= sum(b.size + ALIGNMENT for b in buffers)


def test_a_chain_needs_its_two_largest_neighbours():
    sizes = [64, 768, 192, 384, 10]
    buffers = [Buffer(i, size, i - 1, i) for i, size in enumerate(sizes)]
    assert place(buffers)[1] == 768 + 192


@given(st.floats(1e-8, 1e4))
def test_a_multiplier_is_within_half_a_unit(real: float):
    multiplier, shift = quantize_multiplier(real)
    assert 1 << 30 <= multiplier < 1 << 31
    assert math.isclose(multiplier * 2.0 ** (shift - 31), real, rel_tol=2**-31)


def test_activations_clamp_where_tflite_does():
    assert activation_range(RELU, 0.1, -20) == (-20, 127)
    assert activation_range(RELU6, 0.1, -20) == (-20, 40)
    assert activation_range(RELU6, 0.01, -128) == (-128, 127)
    with pytest.raises(PlanError, match="use ReLU, ReLU6 or none"):
        activation_range(4, 0.1, 0)


@given(st.integers(1, 5000), st.floats(0.01, 100))
def test_a_mean_folds_the_division(count: int, ratio: float):
    scale = mean(count, -128, ratio)
    assert scale.bias == 128 * count
    assert -31 <= scale.shift <= 30
    assert math.isclose(scale.multiplier * 2.0 ** (scale.shift - 31), ratio / count, rel_tol=1e-6)


@given(st.floats(1e-7, 10))
def test_a_softmax_difference_fits_five_integer_bits(in_scale: float):
    scale = softmax(1.0, in_scale)
    assert -scale.bias << scale.shift <= 31 << 26


def test_the_plan_says_what_the_model_is(models: Mapping[str, bytes]):
    planned = plan(models["digits"])
    kinds = (Kind.CONV_2D, Kind.MAX_POOL_2D, Kind.FULLY_CONNECTED, Kind.SOFTMAX)
    assert planned.ops == sum(1 << kind for kind in kinds)
    assert (planned.abi, planned.in_len, planned.out_len) == (ABI, 64, 10)
    assert (planned.out_scale, planned.out_zero_point) == (1 / 256, -128)
    header = Header.parse(planned.blob)
    assert header.size == len(planned.blob)
    assert (header.arena, header.ops, header.op_count) == (planned.arena, planned.ops, 5)


def test_planning_twice_gives_the_same_bytes(models: Mapping[str, bytes]):
    assert plan(models["separable"]) == plan(models["separable"])


def test_the_records_have_the_sizes_of_the_document():
    assert (HEADER.size, OP.size) == (44, 52)


@pytest.mark.parametrize("data", [b"", b"garbage", bytes(100), b"\0\0\0\0TFL3"])
def test_what_is_no_model_is_named_so(data: bytes):
    with pytest.raises(PlanError, match=r"not a TensorFlow Lite model|has 0 subgraphs"):
        plan(data)


def damaged(tflite: bytes, random: np.random.Generator) -> bytes:
    data = bytearray(tflite)
    for _ in range(4):
        data[random.integers(0, len(data))] = random.integers(0, 256)
    return bytes(data)


def test_a_damaged_file_is_refused_or_gives_a_plan_that_loads(models: Mapping[str, bytes]):
    random = np.random.default_rng(5)
    planned = []
    for tflite in models.values():
        for _ in range(100):
            try:
                planned.append(plan(damaged(tflite, random)).blob)
            except PlanError:
                continue
    assert 50 < len(planned) < 100 * len(models) - 50
    assert {load for load, _ in run_mutants(planned)} == {0}


def repacked(tflite: bytes, change) -> bytes:
    """The model after `change(model)` on the schema's objects."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(tflite, 0))
    change(model)
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def as_sine(model):
    code = model.operatorCodes[model.subgraphs[0].operators[0].opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SIN


def as_float(model):
    model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].type = schema.TensorType.FLOAT32


def with_two_outputs(model):
    model.subgraphs[0].outputs = [*model.subgraphs[0].outputs, model.subgraphs[0].inputs[0]]


def with_batch(model):
    model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].shape = [4, 9, 7, 3]


def dilated(model):
    model.subgraphs[0].operators[0].builtinOptions.dilationWFactor = 2


def with_huge_stride(model):
    model.subgraphs[0].operators[0].builtinOptions.strideW = 5000


def with_huge_bias(model):
    graph = model.subgraphs[0]
    bias = graph.tensors[graph.operators[0].inputs[2]]
    count = int(np.prod(bias.shape))
    model.buffers[bias.buffer].data = np.full(count, 2**31 - 1, np.int32).view(np.uint8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (as_sine, "operator SIN at .* is not supported: build the model from ABS, "),
        (as_float, "tensor .* is FLOAT32, INT8 is needed"),
        (with_two_outputs, "has 2 outputs: a device takes models with one"),
        (with_batch, r"shape \(4, 9, 7, 3\): a device runs a batch of one"),
        (dilated, "dilation is not supported"),
        (with_huge_stride, "filter or stride 5000 exceeds 1024"),
        (with_huge_bias, "bias overflows the accumulator"),
    ],
)
def test_what_a_device_cannot_run_is_named(models: Mapping[str, bytes], change, message: str):
    with pytest.raises(PlanError, match=message):
        plan(repacked(models["odd_conv"], change))


def test_repacking_alone_changes_nothing(models: Mapping[str, bytes]):
    assert plan(repacked(models["odd_conv"], lambda _: None)) == plan(models["odd_conv"])


def test_a_tensor_without_one_scale_is_named(models: Mapping[str, bytes]):
    tensor = read(models["dense"]).tensors[0]
    with pytest.raises(PlanError, match="has 0 scales, one is needed"):
        _ = replace(tensor, scales=()).scale


def test_a_tensor_of_rank_five_is_named():
    tensor = SimpleNamespace(name="video", shape=(1, 2, 3, 4, 5))
    with pytest.raises(PlanError, match="tensor 'video' has shape"):
        image_shape(tensor)
