"""Puts the parts together: a graph of operators becomes one blob with fixed offsets."""

import struct
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

from petiole_pipelines.planner.arena import ALIGNMENT, Buffer, place
from petiole_pipelines.planner.format import (
    HEADER,
    MAX_BYTES,
    OP,
    Header,
    Op,
    Places,
    PlannedModel,
    pack_op,
    pack_scales,
)
from petiole_pipelines.planner.graph import Graph, Node, PlanError, read
from petiole_pipelines.planner.limits import check
from petiole_pipelines.planner.lower import image_shape, lower

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
    offsets, arena = place(list(_buffers(graph, ops, output)))
    blob = _Blob(len(ops))
    for index, op in enumerate(ops):
        blob.add(op, offsets, index)
    first, last = graph.tensors[graph.input], graph.tensors[graph.output]
    header = Header(
        size=blob.size,
        arena=arena,
        ops=sum({1 << op.kind for op in ops}),
        op_count=len(ops),
        in_offset=offsets[graph.input],
        in_len=image_shape(first).size,
        out_offset=offsets[output],
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
        if node.operator == "RESHAPE":
            aliases[node.outputs[0]] = _reshaped(graph, node, aliases)
        else:
            op = _resolved(lower(graph, node), aliases)
            check(op)
            ops.append(op)
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


def _buffers(graph: Graph, ops: Sequence[Op], output: int) -> Iterator[Buffer]:
    """Yield what needs arena: tensors by index, scratch by ("scratch", operator)."""
    born = {graph.input: -1} | {op.out_tensor: step for step, op in enumerate(ops)}
    last = dict(born)
    for step, op in enumerate(ops):
        for tensor in (op.in_tensor, op.second_tensor):
            if tensor is not None:
                if tensor not in born:
                    name = graph.tensors[tensor].name
                    raise PlanError(f"{op.name!r} reads {name!r}, which nothing computes")
                last[tensor] = step
        if op.scratch:
            yield Buffer(("scratch", step), op.scratch, step, step)
    last[output] = len(ops)
    for tensor, step in born.items():
        yield Buffer(tensor, image_shape(graph.tensors[tensor]).size, step, last[tensor])


class _Blob:
    """Collects the operator table and the constants that follow it."""

    def __init__(self, op_count: int) -> None:
        self._start = HEADER.size + op_count * OP.size
        self._table = bytearray()
        self._constants = bytearray()

    @property
    def size(self) -> int:
        return self._start + len(self._constants)

    def pack(self) -> bytes:
        return bytes(self._table + self._constants)

    def add(self, op: Op, offsets: Mapping[Hashable, int], step: int) -> None:
        aux = op.second_tensor if op.second_tensor is not None else ("scratch", step)
        places = Places(
            in_offset=offsets[op.in_tensor],
            aux_offset=offsets.get(aux, 0),
            out_offset=offsets[op.out_tensor],
            weights_offset=self._append(op.weights),
            scales_offset=self._append(pack_scales(op.scales)),
        )
        self._table += pack_op(op, places)

    def _append(self, data: bytes) -> int:
        """Return the offset of `data`, or 0 for none."""
        if not data:
            return 0
        offset = self.size
        self._constants += data + bytes(-len(data) % ALIGNMENT)
        return offset
