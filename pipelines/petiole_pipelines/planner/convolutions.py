"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: operators with weights."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from petiole_pipelines.planner import fixedpoint
from petiole_pipelines.planner.format import (
    MAX_BIAS,
    MAX_DEPTHWISE,
    MAX_DOT,
    PACKED,
    Kind,
    Op,
    Scale,
    Shape,
)
from petiole_pipelines.planner.graph import Graph, Node, Tensor
from petiole_pipelines.planner.packing import packed
from petiole_pipelines.planner.parts import (
    clamped,
    constant,
    ends_of,
    frame,
    require,
    require_int8,
    window_of,
)


def _bias(graph: Graph, node: Node, channels: int) -> npt.NDArray[np.int64]:
    index = node.inputs[2] if len(node.inputs) > 2 else -1
    data = graph.tensors[index].data if index >= 0 else None
    return np.zeros(channels, np.int64) if data is None else data.astype(np.int64)


def _weights(graph: Graph, node: Node) -> tuple[Tensor, npt.NDArray[np.int8]]:
    tensor = constant(graph, node, 1, "weights")
    require_int8(tensor)
    require(not any(tensor.zero_points), tensor, "its weights have a zero point: convert again")
    assert tensor.data is not None
    return tensor, tensor.data


def _channel_scales(
    node: Node, weights: Tensor, ends: tuple[Tensor, Tensor], bias: npt.NDArray[np.int64]
) -> tuple[Scale, ...]:
    """Return bias and multiplier of each output channel."""
    first, out = ends
    require(
        bool(np.all(np.abs(bias) < MAX_BIAS)), out, "its bias overflows the accumulator: retrain"
    )
    if node.operator == "FULLY_CONNECTED" and len(weights.scales) == 1:
        # tflite-micro multiplies these two in float here, and in double everywhere else.
        product = float(np.float32(first.scale) * np.float32(weights.scales[0]))
        reals = [product / out.scale] * len(bias)
    else:
        each = weights.scales if len(weights.scales) > 1 else weights.scales * len(bias)
        require(
            len(each) == len(bias), weights, f"it has {len(each)} scales for {len(bias)} channels"
        )
        reals = [first.scale * s / out.scale for s in each]
    return tuple(fixedpoint.scale(int(b), real) for b, real in zip(bias, reals, strict=True))


def convolution(graph: Graph, node: Node) -> Op:
    ends = _, out = ends_of(graph, node)
    tensor, weights = _weights(graph, node)
    channels, filter_h, filter_w, depth = weights.shape
    op = frame(Kind.CONV_2D, ends)
    length = filter_h * filter_w * depth
    require(depth == op.in_shape.c, out, "grouped convolution: use DepthwiseConv2D")
    require(channels == op.out_shape.c, out, f"{channels} filters cannot make shape {out.shape}")
    require(length <= MAX_DOT, out, f"a filter of {length} values exceeds {MAX_DOT}")
    window = window_of(node, ends, filter_h, filter_w)
    bias = _folded_bias(graph, node, weights)
    op = replace(
        op,
        window=window,
        weights=weights.tobytes(),
        scales=_channel_scales(node, tensor, ends, bias),
    )
    return clamped(op, node, out)


def _folded_bias(graph: Graph, node: Node, weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """Return the bias with the input's zero point in it.

    Padding is filled with the zero point, so its part of every sum is one constant a channel.
    """
    sums = weights.reshape(len(weights), -1).astype(np.int64).sum(axis=1)
    zero_point = graph.tensors[node.inputs[0]].zero_point
    folded: npt.NDArray[np.int64] = _bias(graph, node, len(weights)) - zero_point * sums
    return folded


def fully_connected(graph: Graph, node: Node) -> Op:
    ends = first, out = ends_of(graph, node)
    tensor, weights = _weights(graph, node)
    channels, length = weights.shape
    require(length <= MAX_DOT, out, f"a row of {length} weights exceeds {MAX_DOT}")
    op = frame(Kind.FULLY_CONNECTED, ends)
    # The input may have any rank: only its number of values counts.
    rows = op.in_shape.size // length
    fits = rows * length == op.in_shape.size and rows * channels == op.out_shape.size
    require(
        fits, out, f"weights {weights.shape} do not fit input {first.shape}, output {out.shape}"
    )
    bias = _folded_bias(graph, node, weights)
    few_bits = packed(weights) if rows == 1 else None
    op = replace(
        op,
        flags=0 if few_bits is None else PACKED,
        in_shape=Shape(rows, 1, length),
        out_shape=Shape(rows, 1, channels),
        weights=weights.tobytes() if few_bits is None else few_bits,
        scales=_channel_scales(node, tensor, ends, bias),
    )
    return clamped(op, node, out)


def depthwise(graph: Graph, node: Node) -> Op:
    ends = _, out = ends_of(graph, node)
    tensor, weights = _weights(graph, node)
    _, filter_h, filter_w, channels = weights.shape
    op = frame(Kind.DEPTHWISE_CONV_2D, ends)
    depth = op.in_shape.c
    require(channels == op.out_shape.c, out, f"{channels} filters cannot make shape {out.shape}")
    require(channels % depth == 0, out, f"{channels} is no multiple of its {depth} input channels")
    require(filter_h * filter_w <= MAX_DEPTHWISE, out, f"the filter exceeds {MAX_DEPTHWISE} pixels")
    op = replace(
        op,
        window=window_of(node, ends, filter_h, filter_w),
        weights=weights.tobytes(),
        scales=_channel_scales(node, tensor, ends, _bias(graph, node, channels)),
    )
    return clamped(op, node, out)
