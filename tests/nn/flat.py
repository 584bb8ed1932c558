"""Builds int8 `.tflite` files operator by operator, without TensorFlow.

Quantisation is free to choose here, which no converter allows: scales and zero points are drawn so
that values stay spread over the whole int8 range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

SPREAD = 60.0  # of the values of a tensor around its zero point, as it is wanted
WEIGHTS = 73.0  # of weights drawn from all of int8
SAME, VALID = 0, 1
RELU, RELU6 = 1, 3


@dataclass(frozen=True)
class Flow:
    """A tensor on its way through a network; `spread` is a guess, in steps of its scale."""

    index: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    spread: float = SPREAD


class Flat:
    """A network as it grows; `finish` gives its bytes."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.buffers = [schema.BufferT()]
        self._model.operatorCodes = []
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []

    def input(self, shape: Sequence[int]) -> Flow:
        flow = self._flow((1, *shape), self._scale(0.05))
        self._graph.inputs = [flow.index]
        return flow

    def finish(self, output: Flow) -> bytes:
        self._graph.outputs = [output.index]
        self._model.subgraphs = [self._graph]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def conv(self, x: Flow, channels: int, side: tuple[int, int], **window: Any) -> Flow:
        weights = self._weights((channels, *side, x.shape[3]))
        fan_in = side[0] * side[1] * x.shape[3]
        return self._filtered("CONV_2D", x, weights, channels, fan_in, 0, **window)

    def depthwise(self, x: Flow, multiplier: int, side: tuple[int, int], **window: Any) -> Flow:
        channels = x.shape[3] * multiplier
        weights = self._weights((1, *side, channels))
        options = {"depthMultiplier": multiplier}
        return self._filtered(
            "DEPTHWISE_CONV_2D", x, weights, channels, side[0] * side[1], 3, **window, **options
        )

    def dense(self, x: Flow, channels: int, activation: int = 0, bits: int = 8) -> Flow:
        length = x.shape[-1]
        weights = self._weights((channels, length)) >> (8 - bits)
        spread = WEIGHTS * 2.0 ** (bits - 8) * np.sqrt(length) * x.spread
        scale = self._scale(SPREAD / spread)
        bias = self._bias(channels, spread)
        out = self._flow((*x.shape[:-1], channels), x.scale * scale * spread / SPREAD, activation)
        tensors = (
            x.index,
            self._constant(weights, [scale]),
            self._constant(bias, [x.scale * scale]),
        )
        return self._add(
            "FULLY_CONNECTED",
            tensors,
            out,
            fusedActivationFunction=activation,
            keepNumDims=len(x.shape) > 2,
        )

    def pool(self, kind: str, x: Flow, side: tuple[int, int], **window: Any) -> Flow:
        options = _window(window)
        spread = x.spread if kind == "MAX" else x.spread / np.sqrt(side[0] * side[1])
        out = self._like(x, _pooled(x.shape, side, options), spread)
        return self._add(
            f"{kind}_POOL_2D", (x.index,), out, filterHeight=side[0], filterWidth=side[1], **options
        )

    def mean(self, x: Flow, axes: Sequence[int], keep: bool = False) -> Flow:
        kept = [1 if keep else 0] * len(axes)
        shape = [s for i, s in enumerate(x.shape) if i not in axes or kept[0]]
        shape = [1 if i in axes else s for i, s in enumerate(shape)] if keep else shape
        count = int(np.prod([x.shape[a] for a in axes]))
        # Values around something else than 0 do not cancel out.
        out = self._flow(shape, x.scale * x.spread / SPREAD * max(0.3, 1 / np.sqrt(count)))
        axis = self._constant(np.array(axes, np.int32), [])
        return self._add("MEAN", (x.index, axis), out, keepDims=keep, options="ReducerOptions")

    def softmax(self, x: Flow) -> Flow:
        out = self._tensor(x.shape, 1 / 256, -128)
        return self._add("SOFTMAX", (x.index,), out, beta=1.0)

    def unary(self, kind: str, x: Flow, **options: Any) -> Flow:
        fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(kind)
        scale = x.scale * x.spread / SPREAD
        out = self._tensor(x.shape, *fixed) if fixed else self._flow(x.shape, scale, RELU)
        return self._add(kind, (x.index,), out, **options)

    def both(self, kind: str, x: Flow, y: Flow, activation: int = 0) -> Flow:
        first, second = x.scale * x.spread, y.scale * y.spread
        spread = np.hypot(first, second) if kind == "ADD" else first * second
        out = self._flow(x.shape, spread / SPREAD, activation)
        return self._add(kind, (x.index, y.index), out, fusedActivationFunction=activation)

    def pad(self, x: Flow, amounts: Sequence[tuple[int, int]]) -> Flow:
        out = self._like(x, [s + a + b for s, (a, b) in zip(x.shape, amounts, strict=True)])
        paddings = self._constant(np.array(amounts, np.int32), [])
        return self._add("PAD", (x.index, paddings), out)

    def concat(self, parts: Sequence[Flow], axis: int) -> Flow:
        """Join what has the quantisation of the first part."""
        shape = list(parts[0].shape)
        shape[axis] = sum(p.shape[axis] for p in parts)
        out = self._like(parts[0], shape)
        indices = tuple(p.index for p in parts)
        return self._add("CONCATENATION", indices, out, axis=axis, fusedActivationFunction=0)

    def requantize(self, x: Flow, like: Flow) -> Flow:
        out = self._tensor(x.shape, like.scale, like.zero_point)
        return self._add("QUANTIZE", (x.index,), out)

    def reshape(self, x: Flow, shape: Sequence[int]) -> Flow:
        out = self._like(x, shape)
        wanted = self._constant(np.array(shape, np.int32), [])
        return self._add("RESHAPE", (x.index, wanted), out, newShape=list(shape))

    def _filtered(
        self,
        kind: str,
        x: Flow,
        weights: np.ndarray,
        channels: int,
        fan_in: int,
        axis: int,
        **options: Any,
    ) -> Flow:
        options = _window(options)
        activation = options.setdefault("fusedActivationFunction", 0)
        spread = WEIGHTS * np.sqrt(fan_in) * x.spread
        scale = self._scale(SPREAD / spread)
        scales = [float(s) for s in self._random.uniform(0.3, 1.7, channels) * scale]
        bias = self._bias(channels, spread)
        shape = [*_pooled(x.shape, weights.shape[1:3], options)[:3], channels]
        out = self._flow(shape, x.scale * scale * spread / SPREAD, activation)
        tensors = (
            x.index,
            self._constant(weights, scales, axis),
            self._constant(bias, [x.scale * s for s in scales], 0),
        )
        return self._add(kind, tensors, out, **options)

    def _weights(self, shape: tuple[int, ...]) -> np.ndarray:
        return self._random.integers(-127, 128, shape, dtype=np.int8)

    def _bias(self, channels: int, spread: float) -> np.ndarray:
        return self._random.normal(scale=spread / 2, size=channels).astype(np.int32)

    def _scale(self, about: float) -> float:
        return float(np.float32(about * self._random.uniform(0.7, 1.4)))

    def _flow(self, shape: Sequence[int], scale: float, activation: int = 0) -> Flow:
        """Return a tensor that is `SPREAD * scale` wide without an activation."""
        low, high = (-128, -60) if activation else (-40, 40)
        spread = SPREAD / np.sqrt(2) if activation else SPREAD
        return self._tensor(shape, scale, int(self._random.integers(low, high)), spread)

    def _like(self, x: Flow, shape: Sequence[int], spread: float | None = None) -> Flow:
        return self._tensor(shape, x.scale, x.zero_point, spread or x.spread)

    def _tensor(
        self, shape: Sequence[int], scale: float, zero_point: int, spread: float = SPREAD
    ) -> Flow:
        scale = float(np.float32(scale))
        shape = tuple(int(s) for s in shape)
        index = self._new(shape, "INT8", [scale], [zero_point])
        return Flow(index, shape, scale, zero_point, max(spread, 5.0))

    def _constant(self, values: np.ndarray, scales: Sequence[float], axis: int = 0) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        kind = {"int8": "INT8", "int32": "INT32"}[values.dtype.name]
        index = self._new(values.shape, kind, scales, [0] * len(scales), axis)
        self._graph.tensors[index].buffer = len(self._model.buffers) - 1
        return index

    def _new(
        self,
        shape: Sequence[int],
        kind: str,
        scales: Sequence[float],
        zero_points: Sequence[int],
        axis: int = 0,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name = f"t{len(self._graph.tensors)}"
        tensor.shape, tensor.buffer = [int(s) for s in shape], 0
        tensor.type = getattr(schema.TensorType, kind)
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = list(scales)
        tensor.quantization.zeroPoint = list(zero_points)
        tensor.quantization.quantizedDimension = axis
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _add(self, kind: str, inputs: Sequence[int], out: Flow, **options: Any) -> Flow:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(kind)
        operator.inputs, operator.outputs = list(inputs), [out.index]
        name = options.pop("options", OPTIONS.get(kind))
        if name:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            operator.builtinOptions = getattr(schema, f"{name}T")()
            for key, value in options.items():
                assert hasattr(operator.builtinOptions, key), key
                setattr(operator.builtinOptions, key, value)
        self._graph.operators.append(operator)
        return out

    def _code(self, kind: str) -> int:
        number = getattr(schema.BuiltinOperator, kind)
        codes = self._model.operatorCodes
        for index, code in enumerate(codes):
            if code.builtinCode == number:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)
        codes.append(code)
        return len(codes) - 1


OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "SOFTMAX": "SoftmaxOptions",
    "ADD": "AddOptions",
    "MUL": "MulOptions",
    "PAD": "PadOptions",
    "CONCATENATION": "ConcatenationOptions",
    "RESHAPE": "ReshapeOptions",
    "LEAKY_RELU": "LeakyReluOptions",
}


def _window(options: dict[str, Any]) -> dict[str, Any]:
    """Spell stride, padding and activation as the schema does."""
    stride = options.pop("stride", (1, 1))
    return {
        "strideH": stride[0],
        "strideW": stride[1],
        "padding": options.pop("padding", SAME),
        "fusedActivationFunction": options.pop("activation", 0),
    } | options


def _pooled(shape: Sequence[int], side: Sequence[int], options: dict[str, Any]) -> list[int]:
    out = [1]
    for axis, stride in ((1, options["strideH"]), (2, options["strideW"])):
        size = shape[axis] if options["padding"] == SAME else shape[axis] - side[axis - 1] + 1
        out.append(-(-size // stride))
    return [*out, shape[3]]
