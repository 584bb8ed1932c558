"""Functions of one int8 as tables of 256 bytes: tflite-micro is asked what it answers."""

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from petiole_pipelines.planner.graph import IDENTIFIER, Node, Tensor
from petiole_pipelines.planner.reference import Reference

UNARY = (
    "ABS",
    "ELU",
    "HARD_SWISH",
    "LEAKY_RELU",
    "LOGISTIC",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "TANH",
)
VALUES = np.arange(-128, 128).astype(np.int8)


def table(node: Node, first: Tensor, out: Tensor) -> bytes:
    """Return what the operator makes of the int8 -128 to 127, in this order."""
    return Reference(_model(node, first, out)).run(VALUES[None]).tobytes()


def _model(node: Node, first: Tensor, out: Tensor) -> bytes:
    """Return a model of this operator alone, between vectors of 256 values."""
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0], [1]
    operator.builtinOptions, operator.builtinOptionsType = node.options, node.options_type
    graph = schema.SubGraphT()
    graph.tensors = [_vector(first), _vector(out)]
    graph.operators = [operator]
    graph.inputs, graph.outputs = [0], [1]
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, node.operator)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    model = schema.ModelT()
    model.version = 3
    model.subgraphs, model.operatorCodes = [graph], [code]
    model.buffers = [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _vector(tensor: Tensor) -> schema.TensorT:
    vector = schema.TensorT()
    vector.name, vector.type, vector.buffer = tensor.name, schema.TensorType.INT8, 0
    vector.shape = [1, len(VALUES)]
    vector.quantization = schema.QuantizationParametersT()
    vector.quantization.scale = [tensor.scale]
    vector.quantization.zeroPoint = [tensor.zero_point]
    return vector
