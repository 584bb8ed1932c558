"""Turns each TensorFlow Lite operator into one of the runtime's, or says why it cannot."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from petiole_pipelines.planner import fixedpoint
from petiole_pipelines.planner.format import (
    MAX_BIAS,
    MAX_DEPTHWISE,
    MAX_DOT,
    MAX_MEAN,
    MAX_SOFTMAX,
    MAX_STEP,
    Kind,
    Op,
    Scale,
    Shape,
    Window,
)
from petiole_pipelines.planner.graph import Graph, Node, PlanError, Tensor

SAME = 0  # schema value of Padding


def lower(graph: Graph, node: Node) -> Op:
    """Raise `PlanError` if the runtime has no such operator, or not in this form."""
    rule = RULES.get(node.operator)
    if rule is None:
        name = graph.tensors[node.outputs[0]].name
        raise PlanError(
            f"operator {node.operator} at {name!r} is not supported: "
            f"build the model from {', '.join(sorted(RULES))} and RESHAPE"
        )
    for index in (node.inputs[0], node.outputs[0]):
        _require_int8(graph.tensors[index])
    return rule(graph, node)


def _require_int8(tensor: Tensor) -> None:
    if tensor.type != "INT8":
        raise PlanError(
            f"tensor {tensor.name!r} is {tensor.type}, INT8 is needed: convert with "
            "TFLITE_BUILTINS_INT8 and inference_input_type and _output_type int8"
        )


def _refuse(tensor: Tensor, why: str) -> PlanError:
    return PlanError(f"at {tensor.name!r}: {why}")


def _check(holds: bool, tensor: Tensor, why: str) -> None:
    if not holds:
        raise _refuse(tensor, why)


def image_shape(tensor: Tensor) -> Shape:
    """Height, width and channels of a batch of one; a vector is one pixel."""
    shape = tensor.shape
    if not shape or shape[0] != 1 or len(shape) > 4 or min(shape) < 1:
        raise PlanError(
            f"tensor {tensor.name!r} has shape {shape}: a device runs a batch of one of at most "
            "height x width x channels; convert with batch_size=1"
        )
    padded = (1,) * (4 - len(shape)) + shape
    return Shape(*padded[1:])


def _ends(graph: Graph, node: Node) -> tuple[Tensor, Tensor]:
    return graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]


def _constant(graph: Graph, node: Node, position: int, what: str) -> Tensor:
    out = graph.tensors[node.outputs[0]]
    index = node.inputs[position] if position < len(node.inputs) else -1
    if index < 0 or graph.tensors[index].data is None:
        raise _refuse(out, f"its {what} are not a constant of the model: freeze the model first")
    return graph.tensors[index]


def _bias(graph: Graph, node: Node, channels: int) -> npt.NDArray[np.int64]:
    index = node.inputs[2] if len(node.inputs) > 2 else -1
    data = graph.tensors[index].data if index >= 0 else None
    return np.zeros(channels, np.int64) if data is None else data.astype(np.int64)


def _weights(graph: Graph, node: Node) -> tuple[Tensor, npt.NDArray[np.int8]]:
    tensor = _constant(graph, node, 1, "weights")
    _require_int8(tensor)
    _check(not any(tensor.zero_points), tensor, "its weights have a zero point: convert again")
    assert tensor.data is not None
    return tensor, tensor.data


def _channel_scales(
    node: Node, weights: Tensor, ends: tuple[Tensor, Tensor], bias: npt.NDArray[np.int64]
) -> tuple[Scale, ...]:
    """Return bias and multiplier of each output channel."""
    first, out = ends
    _check(bool(np.all(np.abs(bias) < MAX_BIAS)), out, "its bias leaves 30 bits: retrain the model")
    if node.operator == "FULLY_CONNECTED" and len(weights.scales) == 1:
        # tflite-micro multiplies these two in float here, and in double everywhere else.
        product = float(np.float32(first.scale) * np.float32(weights.scales[0]))
        reals = [product / out.scale] * len(bias)
    else:
        each = weights.scales if len(weights.scales) > 1 else weights.scales * len(bias)
        _check(
            len(each) == len(bias), weights, f"it has {len(each)} scales for {len(bias)} channels"
        )
        reals = [first.scale * s / out.scale for s in each]
    return tuple(fixedpoint.scale(int(b), real) for b, real in zip(bias, reals, strict=True))


def _frame(kind: Kind, ends: tuple[Tensor, Tensor]) -> Op:
    """Return what all operators have in common."""
    first, out = ends
    return Op(
        kind=kind,
        name=out.name,
        in_tensor=first.index,
        out_tensor=out.index,
        in_shape=image_shape(first),
        out_shape=image_shape(out),
        in_zero_point=first.zero_point,
        out_zero_point=out.zero_point,
    )


def _clamped(op: Op, node: Node, out: Tensor) -> Op:
    """Return the operator with its fused activation."""
    activation = node.options.fusedActivationFunction
    low, high = fixedpoint.activation_range(activation, out.scale, out.zero_point)
    return replace(op, act_min=low, act_max=high)


def _padding(size: int, out: int, stride: int, side: int) -> int:
    return max((out - 1) * stride + side - size, 0) // 2


def _window(node: Node, ends: tuple[Tensor, Tensor], filter_h: int, filter_w: int) -> Window:
    options = node.options
    first, out = image_shape(ends[0]), image_shape(ends[1])
    sides = (filter_h, filter_w, options.strideH, options.strideW)
    _check(max(sides) <= MAX_STEP, ends[1], f"filter or stride {max(sides)} exceeds {MAX_STEP}")
    dilated = (
        getattr(options, "dilationHFactor", 1) != 1 or getattr(options, "dilationWFactor", 1) != 1
    )
    _check(not dilated, ends[1], "dilation is not supported: use a stride or a larger filter")
    same = options.padding == SAME
    return Window(
        filter_h=filter_h,
        filter_w=filter_w,
        stride_h=options.strideH,
        stride_w=options.strideW,
        pad_top=_padding(first.h, out.h, options.strideH, filter_h) if same else 0,
        pad_left=_padding(first.w, out.w, options.strideW, filter_w) if same else 0,
    )


def _convolution(graph: Graph, node: Node) -> Op:
    ends = _, out = _ends(graph, node)
    tensor, weights = _weights(graph, node)
    channels, filter_h, filter_w, depth = weights.shape
    op = _frame(Kind.CONV_2D, ends)
    length = filter_h * filter_w * depth
    _check(depth == op.in_shape.c, out, "grouped convolution: use DepthwiseConv2D")
    _check(channels == op.out_shape.c, out, f"{channels} filters cannot make shape {out.shape}")
    _check(length <= MAX_DOT, out, f"a filter of {length} values exceeds {MAX_DOT}")
    window = _window(node, ends, filter_h, filter_w)
    bias = _folded_bias(graph, node, weights)
    op = replace(
        op,
        scratch=0 if window.pointwise else 2 * length,
        window=window,
        weights=weights.tobytes(),
        scales=_channel_scales(node, tensor, ends, bias),
    )
    return _clamped(op, node, out)


def _folded_bias(graph: Graph, node: Node, weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """Return the bias with the input's zero point in it.

    Padding is filled with the zero point, so its part of every sum is one constant a channel.
    """
    sums = weights.reshape(len(weights), -1).astype(np.int64).sum(axis=1)
    zero_point = graph.tensors[node.inputs[0]].zero_point
    folded: npt.NDArray[np.int64] = _bias(graph, node, len(weights)) - zero_point * sums
    return folded


def _fully_connected(graph: Graph, node: Node) -> Op:
    ends = first, out = _ends(graph, node)
    tensor, weights = _weights(graph, node)
    channels, length = weights.shape
    _check(length <= MAX_DOT, out, f"a row of {length} weights exceeds {MAX_DOT}")
    op = _frame(Kind.FULLY_CONNECTED, ends)
    # The input may have any rank: only its number of values counts.
    rows = op.in_shape.size // length
    fits = rows * length == op.in_shape.size and rows * channels == op.out_shape.size
    _check(fits, out, f"weights {weights.shape} do not fit input {first.shape}, output {out.shape}")
    bias = _folded_bias(graph, node, weights)
    op = replace(
        op,
        in_shape=Shape(rows, 1, length),
        out_shape=Shape(rows, 1, channels),
        weights=weights.tobytes(),
        scales=_channel_scales(node, tensor, ends, bias),
    )
    return _clamped(op, node, out)


def _depthwise(graph: Graph, node: Node) -> Op:
    ends = _, out = _ends(graph, node)
    tensor, weights = _weights(graph, node)
    _, filter_h, filter_w, channels = weights.shape
    op = _frame(Kind.DEPTHWISE_CONV_2D, ends)
    depth = op.in_shape.c
    _check(channels == op.out_shape.c, out, f"{channels} filters cannot make shape {out.shape}")
    _check(channels % depth == 0, out, f"{channels} is no multiple of its {depth} input channels")
    _check(filter_h * filter_w <= MAX_DEPTHWISE, out, f"the filter exceeds {MAX_DEPTHWISE} pixels")
    op = replace(
        op,
        window=_window(node, ends, filter_h, filter_w),
        weights=weights.tobytes(),
        scales=_channel_scales(node, tensor, ends, _bias(graph, node, channels)),
    )
    return _clamped(op, node, out)


def _pool(graph: Graph, node: Node) -> Op:
    ends = first, out = _ends(graph, node)
    same = (first.scale, first.zero_point) == (out.scale, out.zero_point)
    _check(same, out, "pooling must not change the quantisation: convert with TensorFlow >= 2.3")
    filter_h, filter_w = node.options.filterHeight, node.options.filterWidth
    _check(filter_h * filter_w <= MAX_MEAN, out, f"the filter exceeds {MAX_MEAN} pixels")
    window = _window(node, ends, filter_h, filter_w)
    return _clamped(replace(_frame(Kind[node.operator], ends), window=window), node, out)


def _mean(graph: Graph, node: Node) -> Op:
    ends = first, out = _ends(graph, node)
    axes = _constant(graph, node, 1, "axes").data
    assert axes is not None
    spatial = sorted(int(a) % len(first.shape) for a in axes.reshape(-1)) == [1, 2]
    _check(
        spatial and len(first.shape) == 4,
        out,
        "only a mean over height and width is supported: use GlobalAveragePooling2D",
    )
    op = _frame(Kind.MEAN, ends)
    count = op.in_shape.h * op.in_shape.w
    _check(count <= MAX_MEAN, out, f"a mean of {count} values exceeds {MAX_MEAN}: pool before it")
    scale = fixedpoint.mean(count, first.zero_point, first.scale / out.scale)
    return replace(op, out_shape=Shape(1, 1, op.out_shape.size), scales=(scale,))


def _softmax(graph: Graph, node: Node) -> Op:
    ends = first, out = _ends(graph, node)
    op = _frame(Kind.SOFTMAX, ends)
    fixed = out.scale == 1 / 256 and out.zero_point == -128
    _check(fixed, out, "SOFTMAX must give int8 with scale 1/256 and zero point -128: convert again")
    _check(op.in_shape.c <= MAX_SOFTMAX, out, f"{op.in_shape.c} classes exceed {MAX_SOFTMAX}")
    return replace(op, scales=(fixedpoint.softmax(float(node.options.beta), first.scale),))


def _add(graph: Graph, node: Node) -> Op:
    ends = first, out = _ends(graph, node)
    second = graph.tensors[node.inputs[1]]
    _require_int8(second)
    plain = first.shape == second.shape == out.shape and second.data is None and first.data is None
    _check(plain, out, "ADD needs two computed tensors of one shape: put a constant into a bias")
    scales = fixedpoint.add(
        (first.scale, first.zero_point), (second.scale, second.zero_point), out.scale
    )
    op = replace(_frame(Kind.ADD, ends), second_tensor=second.index, scales=scales)
    return _clamped(op, node, out)


RULES: Mapping[str, Callable[[Graph, Node], Op]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "MAX_POOL_2D": _pool,
    "AVERAGE_POOL_2D": _pool,
    "MEAN": _mean,
    "SOFTMAX": _softmax,
    "ADD": _add,
}
