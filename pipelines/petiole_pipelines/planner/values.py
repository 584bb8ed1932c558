"""Operators without weights: pools, means, sums and products, tables, padding, joining."""

import math
from collections.abc import Sequence
from dataclasses import replace

from petiole_pipelines.planner import fixedpoint
from petiole_pipelines.planner.format import MAX_MEAN, MAX_SOFTMAX, Kind, Op, Scale, Shape, Window
from petiole_pipelines.planner.graph import Graph, Node, Tensor
from petiole_pipelines.planner.parts import (
    clamped,
    constant,
    ends_of,
    frame,
    require,
    require_int8,
    window_of,
)
from petiole_pipelines.planner.table import table

HEIGHT, CHANNELS = 1, 3  # axes


def pool(graph: Graph, node: Node) -> Op:
    ends = first, out = ends_of(graph, node)
    same = (first.scale, first.zero_point) == (out.scale, out.zero_point)
    require(same, out, "pooling must not change the quantisation: convert with TensorFlow >= 2.3")
    filter_h, filter_w = node.options.filterHeight, node.options.filterWidth
    require(filter_h * filter_w <= MAX_MEAN, out, f"the filter exceeds {MAX_MEAN} pixels")
    window = window_of(node, ends, filter_h, filter_w)
    return clamped(replace(frame(Kind[node.operator], ends), window=window), node, out)


def mean(graph: Graph, node: Node) -> Op:
    ends = first, out = ends_of(graph, node)
    axes = constant(graph, node, 1, "axes").data
    assert axes is not None
    over = sorted({int(a) % len(first.shape) for a in axes.reshape(-1)})
    together = over and over[0] > 0 and over == list(range(over[0], over[-1] + 1))
    require(bool(together), out, f"a mean over axes {over} is not supported: use neighbouring ones")
    rows, count, channels = (
        math.prod(part)
        for part in (
            first.shape[: over[0]],
            first.shape[over[0] : over[-1] + 1],
            first.shape[over[-1] + 1 :],
        )
    )
    require(count <= MAX_MEAN, out, f"a mean of {count} values exceeds {MAX_MEAN}: pool before it")
    return replace(
        frame(Kind.MEAN, ends),
        in_shape=Shape(rows, count, channels),
        out_shape=Shape(rows, 1, channels),
        scales=(fixedpoint.mean(count, first.zero_point, first.scale / out.scale),),
    )


def softmax(graph: Graph, node: Node) -> Op:
    ends = first, out = ends_of(graph, node)
    op = frame(Kind.SOFTMAX, ends)
    fixed = out.scale == 1 / 256 and out.zero_point == -128
    require(
        fixed, out, "SOFTMAX must give int8 with scale 1/256 and zero point -128: convert again"
    )
    require(op.in_shape.c <= MAX_SOFTMAX, out, f"{op.in_shape.c} classes exceed {MAX_SOFTMAX}")
    return replace(op, scales=(fixedpoint.softmax(float(node.options.beta), first.scale),))


def add(graph: Graph, node: Node) -> Op:
    ends = first, out = ends_of(graph, node)
    second = _second(graph, node, "ADD")
    scales = fixedpoint.add(
        (first.scale, first.zero_point), (second.scale, second.zero_point), out.scale
    )
    op = replace(frame(Kind.ADD, ends), second_tensor=second.index, scales=scales)
    return clamped(op, node, out)


def mul(graph: Graph, node: Node) -> Op:
    ends = first, out = ends_of(graph, node)
    second = _second(graph, node, "MUL")
    real = first.scale * second.scale / out.scale
    scales = (
        Scale(-first.zero_point, 0, 0),
        Scale(-second.zero_point, 0, 0),
        fixedpoint.scale(0, real),
    )
    op = replace(frame(Kind.MUL, ends), second_tensor=second.index, scales=scales)
    return clamped(op, node, out)


def _second(graph: Graph, node: Node, name: str) -> Tensor:
    """Return the second of two computed tensors of one shape."""
    first, out = ends_of(graph, node)
    second = graph.tensors[node.inputs[1]]
    require_int8(second)
    plain = first.shape == second.shape == out.shape and second.data is None and first.data is None
    require(
        plain, out, f"{name} needs two computed tensors of one shape: put a constant into a bias"
    )
    return second


def lookup(graph: Graph, node: Node) -> Op:
    ends = ends_of(graph, node)
    return replace(frame(Kind.LOOKUP, ends), weights=table(node, *ends))


def pad(graph: Graph, node: Node) -> Op:
    ends = first, out = ends_of(graph, node)
    amounts = constant(graph, node, 1, "paddings").data
    assert amounts is not None
    same = (first.scale, first.zero_point) == (out.scale, out.zero_point)
    require(same, out, "padding must not change the quantisation: convert again")
    before = (0,) * (4 - len(first.shape)) + tuple(int(a) for a in amounts.reshape(-1, 2)[:, 0])
    op = replace(frame(Kind.PAD, ends), window=Window(pad_top=before[1], pad_left=before[2]))
    require(op.in_shape.c == op.out_shape.c, out, "channels cannot be padded: pad height or width")
    return op


def concat(graph: Graph, node: Node) -> Sequence[Op]:
    """Return one operator for each tensor that is joined."""
    out = graph.tensors[node.outputs[0]]
    parts = [graph.tensors[i] for i in node.inputs]
    axis = node.options.axis % len(out.shape) + 4 - len(out.shape)
    ops, at = [], 0
    for part in parts:
        require_int8(part)
        same = (part.scale, part.zero_point) == (out.scale, out.zero_point)
        require(same and part.data is None, out, "it joins a constant, or changes the quantisation")
        op = frame(Kind.CONCAT, (part, out))
        if axis == CHANNELS:
            op = replace(
                op,
                in_shape=Shape(op.in_shape.pixels, op.in_shape.c, 1),
                out_shape=Shape(op.out_shape.pixels, op.out_shape.c, 1),
            )
        high, wide = (at, 0) if axis == HEIGHT else (0, at)
        ops.append(replace(op, window=Window(pad_top=high, pad_left=wide)))
        at += op.in_shape.h if axis == HEIGHT else op.in_shape.w
    return ops
