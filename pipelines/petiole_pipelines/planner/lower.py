"""Turns each TensorFlow Lite operator into those of the runtime, or says why it cannot."""

from collections.abc import Callable, Mapping, Sequence

from petiole_pipelines.planner import convolutions, values
from petiole_pipelines.planner.format import Op
from petiole_pipelines.planner.graph import Graph, Node, PlanError
from petiole_pipelines.planner.parts import require_int8
from petiole_pipelines.planner.table import UNARY

SINGLE: Mapping[str, Callable[[Graph, Node], Op]] = {
    "CONV_2D": convolutions.convolution,
    "DEPTHWISE_CONV_2D": convolutions.depthwise,
    "FULLY_CONNECTED": convolutions.fully_connected,
    "MAX_POOL_2D": values.pool,
    "AVERAGE_POOL_2D": values.pool,
    "MEAN": values.mean,
    "SOFTMAX": values.softmax,
    "ADD": values.add,
    "MUL": values.mul,
    "PAD": values.pad,
} | dict.fromkeys(UNARY, values.lookup)
ALIASES = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")  # another name for the same values


def lower(graph: Graph, node: Node) -> Sequence[Op]:
    """Raise `PlanError` if the runtime has no such operator, or not in this form."""
    for index in (node.inputs[0], node.outputs[0]):
        require_int8(graph.tensors[index])
    if node.operator == "CONCATENATION":
        return values.concat(graph, node)
    if node.operator in SINGLE:
        return (SINGLE[node.operator](graph, node),)
    known = sorted({*SINGLE, "CONCATENATION", *ALIASES})
    name = graph.tensors[node.outputs[0]].name
    raise PlanError(
        f"operator {node.operator} at {name!r} is not supported: "
        f"build the model from {', '.join(known)}"
    )
