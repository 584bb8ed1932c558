"""The networks that students are, by the size of their input."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

KerasModel = Any  # keras ships no types
KerasLayer = Any
Tensor = Any
Shape = tuple[int, int, int]  # height, width, channels

WIDTHS = (24, 16, 12, 8, 6, 4)  # channels of the first layer, widest first
SEARCHED = (4, 6, 8, 12, 16, 24, 32, 48)  # the same, of networks that are searched
SMALL = 16  # inputs of at most so many pixels a side keep every pixel in the first layer
GRID = 4  # the last feature map of a small input is at most GRID x GRID
MOMENTUM = 0.95  # of the batch normalisation's means: training is short
DROPOUT = 0.2
SEPARABLE = ((2, 2), (4, 1), (4, 2), (6, 1))  # channels in widths, and stride, of each layer
SHORT = ((2, 2), (4, 2), (6, 1))
DEEP = ((2, 2), (2, 1), (4, 2), (4, 1), (6, 2), (6, 1))

# Of small inputs: convolutions on each scale, and whether the last map is averaged.
PLAIN_BODIES = {"Plain": (1, False), "PlainDeep": (2, False), "PlainMean": (2, True)}
# Of larger inputs: the layers behind the first one.
SEPARABLE_BODIES = {"Separable": SEPARABLE, "SeparableShort": SHORT, "SeparableDeep": DEEP}


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network but for its weights: the name of its body, and channels of its first layer."""

    body: str
    width: int

    def __str__(self) -> str:
        return f"{self.body} {self.width}"


def bodies(shape: Shape) -> tuple[str, ...]:
    """Names of the bodies for inputs of this shape, the usual one first."""
    return tuple(PLAIN_BODIES if is_small(shape) else SEPARABLE_BODIES)


def narrowing(first: Architecture) -> Iterator[Architecture]:
    """Yield a network and those of the same body that are narrower, the widest first."""
    for width in sorted({*WIDTHS, *SEARCHED, first.width}, reverse=True):
        if width <= first.width:
            yield Architecture(first.body, width)


def quiet_tensorflow() -> ModuleType:
    """Import TensorFlow on one thread: variants train side by side, and results stay the same."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    tf = importlib.import_module("tensorflow")

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf


def shape_of(x: NDArray[np.uint8]) -> Shape:
    """Shape of one of the images [n, h, w, c]."""
    return x.shape[1], x.shape[2], x.shape[3]


def is_small(shape: Shape) -> bool:
    return min(shape[:2]) <= SMALL


def network(
    shape: Shape, classes: int, architecture: Architecture, batch: int | None
) -> KerasModel:
    """Build a network; inputs are 0..1, outputs class probabilities."""
    layers = quiet_tensorflow().keras.layers
    inputs = layers.Input(batch_shape=(batch, *shape))
    if architecture.body in PLAIN_BODIES:
        x = _plain(inputs, architecture.width, *PLAIN_BODIES[architecture.body])
    else:
        x = _separable(inputs, architecture.width, SEPARABLE_BODIES[architecture.body])
    outputs = layers.Dense(classes, activation="softmax")(x)
    return quiet_tensorflow().keras.Model(inputs, outputs)


def _plain(x: Tensor, width: int, convolutions: int, mean: bool) -> Tensor:
    """Wire convolutions, and pooling and twice the channels down to GRID x GRID."""
    layers = quiet_tensorflow().keras.layers

    def scale(x: Tensor, channels: int) -> Tensor:
        for _ in range(convolutions):
            x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
        return x

    channels = width
    x = scale(x, channels)
    while min(x.shape[1:3]) > GRID:
        channels = 2 * channels
        x = scale(layers.MaxPooling2D(2)(x), channels)
    return layers.GlobalAveragePooling2D()(x) if mean else layers.Flatten()(x)


def _separable(x: Tensor, width: int, body: tuple[tuple[int, int], ...]) -> Tensor:
    """Wire depthwise separable convolutions with batch normalisation; means of the last map.

    Y. Zhang et al., "Hello edge: keyword spotting on microcontrollers", 2017 (DS-CNN). About
    17,000 weights in the usual body at width 16.
    """
    layers = quiet_tensorflow().keras.layers

    def normal(x: Tensor) -> Tensor:
        return layers.ReLU()(_normalisation()(momentum=MOMENTUM)(x))

    x = normal(layers.Conv2D(width, 3, 2, padding="same", use_bias=False)(x))
    for widths, stride in body:
        x = normal(layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(x))
        x = normal(layers.Conv2D(widths * width, 1, use_bias=False)(x))
    return layers.Dropout(DROPOUT)(layers.GlobalAveragePooling2D()(x))


@cache
def _normalisation() -> type[KerasLayer]:
    """Batch normalisation that learns in one kernel, where Keras has a dozen: a fifth less time."""
    tf = quiet_tensorflow()
    keras_has: Any = tf.keras.layers.BatchNormalization

    class Normalisation(keras_has):  # type: ignore[misc]
        def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
            if not training:
                return super().call(inputs, training=training, mask=mask)
            scale, offset = (tf.convert_to_tensor(v) for v in (self.gamma, self.beta))
            outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                inputs, scale, offset, epsilon=self.epsilon, is_training=True
            )
            for kept, seen in ((self.moving_mean, mean), (self.moving_variance, variance)):
                kept.assign(self.momentum * kept + (1 - self.momentum) * seen)
            return outputs

    return Normalisation
