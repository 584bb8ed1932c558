"""What the rules for all operators share: shapes, constants, refusals, windows."""

from dataclasses import replace

from petiole_pipelines.planner import fixedpoint
from petiole_pipelines.planner.format import MAX_STEP, Kind, Op, Shape, Window
from petiole_pipelines.planner.graph import Graph, Node, PlanError, Tensor

SAME = 0  # schema value of Padding


def require_int8(tensor: Tensor) -> None:
    if tensor.type != "INT8":
        raise PlanError(
            f"tensor {tensor.name!r} is {tensor.type}, INT8 is needed: convert with "
            "TFLITE_BUILTINS_INT8 and inference_input_type and _output_type int8"
        )


def refuse(tensor: Tensor, why: str) -> PlanError:
    return PlanError(f"at {tensor.name!r}: {why}")


def require(holds: bool, tensor: Tensor, why: str) -> None:
    if not holds:
        raise refuse(tensor, why)


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


def ends_of(graph: Graph, node: Node) -> tuple[Tensor, Tensor]:
    return graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]


def constant(graph: Graph, node: Node, position: int, what: str) -> Tensor:
    out = graph.tensors[node.outputs[0]]
    index = node.inputs[position] if position < len(node.inputs) else -1
    if index < 0 or graph.tensors[index].data is None:
        raise refuse(out, f"its {what} are not a constant of the model: freeze the model first")
    return graph.tensors[index]


def frame(kind: Kind, ends: tuple[Tensor, Tensor]) -> Op:
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


def clamped(op: Op, node: Node, out: Tensor) -> Op:
    """Return the operator with its fused activation."""
    activation = node.options.fusedActivationFunction
    low, high = fixedpoint.activation_range(activation, out.scale, out.zero_point)
    return replace(op, act_min=low, act_max=high)


def _padding(size: int, out: int, stride: int, side: int) -> int:
    return max((out - 1) * stride + side - size, 0) // 2


def window_of(node: Node, ends: tuple[Tensor, Tensor], filter_h: int, filter_w: int) -> Window:
    options = node.options
    first, out = image_shape(ends[0]), image_shape(ends[1])
    sides = (filter_h, filter_w, options.strideH, options.strideW)
    require(max(sides) <= MAX_STEP, ends[1], f"filter or stride {max(sides)} exceeds {MAX_STEP}")
    dilated = (
        getattr(options, "dilationHFactor", 1) != 1 or getattr(options, "dilationWFactor", 1) != 1
    )
    require(not dilated, ends[1], "dilation is not supported: use a stride or a larger filter")
    same = options.padding == SAME
    return Window(
        filter_h=filter_h,
        filter_w=filter_w,
        stride_h=options.strideH,
        stride_w=options.strideW,
        pad_top=_padding(first.h, out.h, options.strideH, filter_h) if same else 0,
        pad_left=_padding(first.w, out.w, options.strideW, filter_w) if same else 0,
    )
