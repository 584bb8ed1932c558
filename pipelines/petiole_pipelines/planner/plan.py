"""Puts the parts together: a graph of operators becomes one blob with fixed offsets."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace

from petiole_pipelines.planner.fold import without_pads
from petiole_pipelines.planner.format import (
    HEADER,
    MAX_BYTES,
    Header,
    Op,
    Places,
    PlannedModel,
    pack_op,
    pack_scales,
    padded,
)
from petiole_pipelines.planner.graph import Graph, Node, PlanError, read
from petiole_pipelines.planner.layout import Layout, lay_out
from petiole_pipelines.planner.limits import check
from petiole_pipelines.planner.lower import ALIASES, lower
from petiole_pipelines.planner.parts import image_shape

# Keras emits these to compute the shape of a RESHAPE; shapes are static here.
SHAPE_ARITHMETIC = frozenset({"SHAPE", "STRIDED_SLICE", "PACK"})

# Flatbuffers have no checksum: wrong bytes show as an index, type or number that makes no sense.
DAMAGE = (struct.error, LookupError, TypeError, AttributeError, ValueError, ArithmeticError)


def plan(tflite: bytes) -> PlannedModel:
    """Plan an int8 TensorFlow Lite model for a device.

    Raises `PlanError`, which names the operator or tensor at fault and what to do about it.
    """
    try:
        return _planned(read(tflite))
    except PlanError:
        raise
    except DAMAGE as error:
        raise PlanError(
            f"the TensorFlow Lite file is damaged ({error}): convert it again"
        ) from error


def _planned(graph: Graph) -> PlannedModel:
    aliases, ops = _operators(graph)
    output = aliases.get(graph.output, graph.output)
    ops = without_pads(ops, output)
    sizes = {tensor: image_shape(graph.tensors[tensor]).size for tensor in _used(graph, ops)}
    layout = lay_out(ops, sizes, graph.input, output)
    blob = _Blob()
    for step, op in enumerate(ops):
        blob.add(op, layout, step)
    first, last = graph.tensors[graph.input], graph.tensors[graph.output]
    header = Header(
        size=blob.size,
        arena=layout.arena,
        ops=sum({1 << op.kind for op in ops}),
        op_count=len(ops),
        table=blob.table,
        in_offset=layout.tensors[graph.input],
        in_len=image_shape(first).size,
        out_offset=layout.tensors[output],
        out_len=image_shape(last).size,
    )
    for what, size in (("size", header.size), ("arena", header.arena)):
        if size > MAX_BYTES:
            raise PlanError(
                f"the model's {what} of {size} bytes exceeds {MAX_BYTES}: make it smaller"
            )
    return PlannedModel(
        blob=header.pack() + blob.pack(),
        arena=header.arena,
        ops=header.ops,
        in_len=header.in_len,
        out_len=header.out_len,
        in_scale=first.scale,
        in_zero_point=first.zero_point,
        out_scale=last.scale,
        out_zero_point=last.zero_point,
    )


def _operators(graph: Graph) -> tuple[Mapping[int, int], Sequence[Op]]:
    """Return what each reshaped tensor is a view of, and the operators to run."""
    aliases: dict[int, int] = {}
    ops: list[Op] = []
    for node in graph.nodes:
        if node.operator in SHAPE_ARITHMETIC and graph.tensors[node.outputs[0]].type == "INT32":
            continue
        if node.operator in ALIASES:
            aliases[node.outputs[0]] = _reshaped(graph, node, aliases)
        else:
            lowered = [_resolved(op, aliases) for op in lower(graph, node)]
            for op in lowered:
                check(op)
            ops += lowered
    if not ops:
        raise PlanError("the model has no operator that computes anything")
    return aliases, ops


def _reshaped(graph: Graph, node: Node, aliases: Mapping[int, int]) -> int:
    """Return the tensor that a RESHAPE is a view of."""
    first, out = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    if image_shape(first).size != image_shape(out).size:
        raise PlanError(f"{out.name!r} cannot be a reshape of {first.name!r}: convert again")
    return aliases.get(first.index, first.index)


def _resolved(op: Op, aliases: Mapping[int, int]) -> Op:
    second = op.second_tensor
    return replace(
        op,
        in_tensor=aliases.get(op.in_tensor, op.in_tensor),
        second_tensor=None if second is None else aliases.get(second, second),
    )


def _used(graph: Graph, ops: Sequence[Op]) -> set[int]:
    """Return the tensors that a run needs; raise `PlanError` if one of them is never made."""
    made = {graph.input}
    for op in ops:
        for tensor in (op.in_tensor, op.second_tensor):
            if tensor is not None and tensor not in made:
                name = graph.tensors[tensor].name
                raise PlanError(f"{op.name!r} reads {name!r}, which nothing computes")
        made.add(op.out_tensor)
    return made


class _Blob:
    """Collects the constants and the operator table behind them."""

    def __init__(self) -> None:
        self._table = bytearray()
        self._constants = bytearray()

    @property
    def table(self) -> int:
        """Offset of the operator table."""
        return HEADER.size + len(self._constants)

    @property
    def size(self) -> int:
        return self.table + len(self._table)

    def pack(self) -> bytes:
        return bytes(self._constants + self._table)

    def add(self, op: Op, layout: Layout, step: int) -> None:
        places = Places(
            in_offset=layout.tensors[op.in_tensor],
            aux_offset=layout.aux(op, step),
            out_offset=layout.tensors[op.out_tensor],
            weights_offset=self._append(op.weights),
            scales_offset=self._append(pack_scales(op.scales)),
            ring=layout.rings[step],
        )
        self._table += pack_op(op, places)

    def _append(self, data: bytes) -> int:
        """Return the offset of `data`, or 0 for none."""
        if not data:
            return 0
        offset = self.table
        self._constants += padded(data)
        return offset
