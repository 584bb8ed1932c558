"""Reads a `.tflite` file into a plain graph: the one file that knows the flatbuffer's classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

IDENTIFIER = b"TFL3"

OPERATORS: Mapping[int, str] = {
    value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}
TYPES: Mapping[int, str] = {
    value: name for name, value in vars(schema.TensorType).items() if not name.startswith("_")
}
DTYPES: Mapping[str, npt.DTypeLike] = {"INT8": np.int8, "INT32": np.int32}


class PlanError(ValueError):
    """A model that cannot be planned; the message names what, where, and the way out."""


@dataclass(frozen=True)
class Tensor:
    """`scales` and `zero_points` have one entry, or one a channel; `data` is set for constants."""

    index: int
    name: str
    shape: tuple[int, ...]
    type: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    data: npt.NDArray[Any] | None

    @property
    def scale(self) -> float:
        if len(self.scales) != 1:
            raise PlanError(
                f"tensor {self.name!r} has {len(self.scales)} scales, one is needed: "
                "convert with full int8 quantisation (inference_input_type and _output_type int8)"
            )
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        return self.zero_points[0] if self.zero_points else 0


@dataclass(frozen=True)
class Node:
    """One operator; `inputs` may hold -1 for one left out, `options` is the schema's object."""

    operator: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any
    options_type: int


@dataclass(frozen=True)
class Graph:
    """A model of one subgraph, operators in running order."""

    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    input: int
    output: int


def read(tflite: bytes) -> Graph:
    """Raise `PlanError` if the bytes are not a model with one input and one output.

    A damaged file raises whatever the flatbuffer's classes trip over.
    """
    if tflite[4:8] != IDENTIFIER:
        raise PlanError("not a TensorFlow Lite model: bytes 4..8 are not 'TFL3'")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(tflite, 0))
    subgraphs = model.subgraphs or []
    if len(subgraphs) != 1:
        raise PlanError(f"the model has {len(subgraphs)} subgraphs: export a single function")
    return _graph(model, subgraphs[0])


def _graph(model: schema.ModelT, subgraph: schema.SubGraphT) -> Graph:
    for what, indices in (("inputs", subgraph.inputs), ("outputs", subgraph.outputs)):
        if len(indices) != 1:
            raise PlanError(f"the model has {len(indices)} {what}: a device takes models with one")
    return Graph(
        tensors=tuple(_tensor(model, i, t) for i, t in enumerate(subgraph.tensors)),
        nodes=tuple(_node(model, o) for o in subgraph.operators or []),
        input=int(subgraph.inputs[0]),
        output=int(subgraph.outputs[0]),
    )


def _node(model: schema.ModelT, operator: schema.OperatorT) -> Node:
    code = model.operatorCodes[operator.opcodeIndex]
    # Files written before 2020 hold the code in the older, narrower field.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return Node(
        operator=OPERATORS[number],
        inputs=_integers(operator.inputs),
        outputs=_integers(operator.outputs),
        options=operator.builtinOptions,
        options_type=operator.builtinOptionsType,
    )


def _tensor(model: schema.ModelT, index: int, tensor: schema.TensorT) -> Tensor:
    quantization = tensor.quantization
    name = tensor.name.decode() if isinstance(tensor.name, bytes) else str(tensor.name)
    shape = _integers(tensor.shape)
    return Tensor(
        index=index,
        name=name,
        shape=shape,
        type=TYPES[tensor.type],
        scales=_floats(quantization and quantization.scale),
        zero_points=_integers(quantization and quantization.zeroPoint),
        data=_data(model.buffers[tensor.buffer].data, TYPES[tensor.type], shape, name),
    )


def _data(
    raw: Sequence[int] | None, kind: str, shape: tuple[int, ...], name: str
) -> npt.NDArray[Any] | None:
    if raw is None or len(raw) == 0 or kind not in DTYPES:
        return None
    values = np.frombuffer(np.asarray(raw, np.uint8).tobytes(), DTYPES[kind])
    if values.size != int(np.prod(shape)):
        raise PlanError(f"tensor {name!r} has {values.size} values for shape {shape}: damaged file")
    return values.reshape(shape)


def _floats(values: Sequence[float] | None) -> tuple[float, ...]:
    return () if values is None else tuple(float(v) for v in values)


def _integers(values: Sequence[int] | None) -> tuple[int, ...]:
    return () if values is None else tuple(int(v) for v in values)
