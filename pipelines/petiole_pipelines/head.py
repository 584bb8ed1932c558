"""Trains the last layer of an int8 student anew; every other byte of the model stays.

The layers before it, their scales and those of its input and output are what devices have already,
so a patch carries the last layer only. It learns from the body's own int8 answers, as devices
compute them, by convex optimisation: cross-entropy to the teacher's soft answers, and a pull
towards the layer as it was. How strong the pull is, is chosen on a part of the pool that is kept
back.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from .augment import Lesson
from .judge import quantised
from .planner import PlanError, Reference
from .planner.graph import IDENTIFIER

Matrix = NDArray[np.float64]
Rows = NDArray[np.bool_]  # [n]

PULLS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # on features of mean square 1
MOST = 127  # of an int8 weight
NAMES: dict[int, str] = {
    number: name
    for name, number in vars(schema.BuiltinOperator).items()
    if not name.startswith("_")
}


@dataclass(frozen=True, slots=True)
class Layer:
    """The last layer in real numbers: weights [k, d] and bias [k] of features [n, d]."""

    weights: Matrix
    bias: Matrix

    def logits(self, features: Matrix) -> Matrix:
        return np.asarray(features @ self.weights.T + self.bias)


def retrained(tflite: bytes, lesson: Lesson, back: Rows) -> bytes:
    """Return the model with a last layer that has learned the lesson.

    ``back`` marks the samples that choose the pull. Raises PlanError when the model does not end
    with a dense layer and a softmax.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(tflite, 0))
    dense = _dense(model)
    features = _features(model, dense, lesson)
    old, low, high = _layer(model, dense)
    share = lesson.weight / lesson.weight.mean()

    def error(pull: float) -> float:
        layer = fit(old, features[~back], lesson.soft[~back], share[~back], pull)
        logits = np.clip(layer.logits(features[back]), low, high)  # as far as a device's reach
        losses = -(lesson.soft[back] * log_softmax(logits, axis=1)).sum(1)
        return float(np.average(losses, weights=share[back]))

    _put(model, dense, fit(old, features, lesson.soft, share, min(PULLS, key=error)))
    return _packed(model)


def fit(old: Layer, features: Matrix, soft: Matrix, weight: Matrix, pull: float) -> Layer:
    """Minimise mean cross-entropy to ``soft`` [n, k] plus pull / 2 * squared way from ``old``.

    The way is measured on features [n, d] scaled to a mean square of 1; weight [n] has mean 1.
    """
    size = float(np.sqrt((features**2).mean())) or 1.0
    inputs = np.concatenate([features / size, np.ones((len(features), 1))], axis=1)
    start = np.concatenate([old.weights * size, old.bias[:, None]], axis=1)
    share = (weight / weight.sum())[:, None]

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        layer = flat.reshape(start.shape)
        logits, way = inputs @ layer.T, layer - start
        value = -(share * soft * log_softmax(logits, axis=1)).sum() + pull / 2 * (way**2).sum()
        error = share * (softmax(logits, axis=1) - soft)
        return float(value), (error.T @ inputs + pull * way).ravel()

    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B").x.reshape(start.shape)
    return Layer(found[:, :-1] / size, found[:, -1])


def _dense(model: Any) -> Any:  # noqa: ANN401 - the schema ships no types
    """Return the operator before the softmax that ends the model."""
    graph = model.subgraphs[0]
    *_, dense, last = graph.operators
    kinds = tuple(_kind(model, operator) for operator in (dense, last))
    if kinds != ("FULLY_CONNECTED", "SOFTMAX") or len(dense.inputs) != 3:
        raise PlanError(
            f"the model ends with {' and '.join(kinds)}, not with a dense layer and a softmax"
        )
    return dense


def _kind(model: Any, operator: Any) -> str:  # noqa: ANN401
    code = model.operatorCodes[operator.opcodeIndex]
    return NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]


def _features(model: Any, dense: Any, lesson: Lesson) -> Matrix:  # noqa: ANN401
    """Return what comes into the last layer, as tflite-micro computes it: [n, d]."""
    body = copy.copy(model)
    graph = copy.copy(model.subgraphs[0])
    graph.operators = [one for one in graph.operators if one is not dense][:-1]
    graph.outputs = [int(dense.inputs[0])]
    body.subgraphs, body.signatureDefs = [graph], None
    answers = Reference(_packed(body)).run(quantised(lesson.x)).astype(np.float64)
    scale, zero_point = _scale(graph.tensors[dense.inputs[0]])
    return np.asarray((answers - zero_point) * scale)


def _layer(model: Any, dense: Any) -> tuple[Layer, float, float]:  # noqa: ANN401
    """Return the layer, and the least and the largest logit that its output can say."""
    first, weights, bias, out = _tensors(model, dense)
    incoming, _ = _scale(first)
    scales = np.asarray(weights.quantization.scale, np.float64)[:, None]
    values = _data(model, weights, np.int8).reshape(weights.shape) * scales
    biases = _data(model, bias, np.int32) * scales.reshape(-1) * incoming
    scale, zero_point = _scale(out)
    ends = (np.array([-128, 127]) - zero_point) * scale
    return Layer(values, biases), float(ends[0]), float(ends[1])


def _put(model: Any, dense: Any, layer: Layer) -> None:  # noqa: ANN401
    """Write the layer as int8 over the one that is there, with as many scales as it had."""
    first, weights, bias, _ = _tensors(model, dense)
    incoming, _ = _scale(first)
    largest = np.abs(layer.weights).max(1)
    if len(weights.quantization.scale) == 1:
        largest = np.full(1, largest.max())
    scales = (np.maximum(largest, 1e-9) / MOST).astype(np.float32)
    rows = scales.astype(np.float64)
    values = np.clip(np.round(layer.weights / rows[:, None]), -MOST, MOST).astype(np.int8)
    biases = np.round(layer.bias / (rows * incoming)).astype(np.int32)
    weights.quantization.scale, bias.quantization.scale = scales, (scales * np.float32(incoming))
    for tensor, content in ((weights, values), (bias, biases)):
        model.buffers[tensor.buffer].data = np.frombuffer(content.tobytes(), np.uint8)


def _tensors(model: Any, dense: Any) -> tuple[Any, Any, Any, Any]:  # noqa: ANN401
    """Return the tensors of input, weights, bias and output."""
    tensors = model.subgraphs[0].tensors
    first, weights, bias = (tensors[index] for index in dense.inputs)
    return first, weights, bias, tensors[dense.outputs[0]]


def _scale(tensor: Any) -> tuple[float, int]:  # noqa: ANN401
    quantization = tensor.quantization
    return float(quantization.scale[0]), int(quantization.zeroPoint[0])


def _data(model: Any, tensor: Any, kind: type) -> NDArray[Any]:  # noqa: ANN401
    raw = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
    return np.frombuffer(raw.tobytes(), kind)


def _packed(model: Any) -> bytes:  # noqa: ANN401
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
