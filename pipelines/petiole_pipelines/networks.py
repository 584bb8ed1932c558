"""The networks that students are, by the size of their input."""

from __future__ import annotations

import importlib
import os
from functools import cache
from types import ModuleType
from typing import Any

KerasModel = Any  # keras ships no types
KerasLayer = Any
Tensor = Any
Shape = tuple[int, int, int]  # height, width, channels

WIDTHS = (24, 16, 12, 8, 6, 4)  # channels of the first layer, widest first
SMALL = 16  # inputs of at most so many pixels a side keep every pixel in the first layer
GRID = 4  # the last feature map of a small input is at most GRID x GRID
MOMENTUM = 0.95  # of the batch normalisation's means: training is short
DROPOUT = 0.2
SEPARABLE = ((2, 2), (4, 1), (4, 2), (6, 1))  # channels in widths, and stride, of each layer


def quiet_tensorflow() -> ModuleType:
    """Import TensorFlow on one thread: variants train side by side, and results stay the same."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    tf = importlib.import_module("tensorflow")

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf


def is_small(shape: Shape) -> bool:
    return min(shape[:2]) <= SMALL


def network(shape: Shape, classes: int, width: int, batch: int | None) -> KerasModel:
    """Build the network of this width; inputs are 0..1, outputs class probabilities."""
    layers = quiet_tensorflow().keras.layers
    inputs = layers.Input(batch_shape=(batch, *shape))
    x = _plain(inputs, width) if is_small(shape) else _separable(inputs, width)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return quiet_tensorflow().keras.Model(inputs, outputs)


def _plain(x: Tensor, width: int) -> Tensor:
    """Wire a convolution, and pooling and twice the channels down to GRID x GRID."""
    layers = quiet_tensorflow().keras.layers
    x, channels = layers.Conv2D(width, 3, padding="same", activation="relu")(x), width
    while min(x.shape[1:3]) > GRID:
        x = layers.MaxPooling2D(2)(x)
        channels = 2 * channels
        x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
    return layers.Flatten()(x)


def _separable(x: Tensor, width: int) -> Tensor:
    """Wire depthwise separable convolutions with batch normalisation; means of the last map.

    Y. Zhang et al., "Hello edge: keyword spotting on microcontrollers", 2017 (DS-CNN). About
    17,000 weights at width 16.
    """
    layers = quiet_tensorflow().keras.layers

    def normal(x: Tensor) -> Tensor:
        return layers.ReLU()(_normalisation()(momentum=MOMENTUM)(x))

    x = normal(layers.Conv2D(width, 3, 2, padding="same", use_bias=False)(x))
    for widths, stride in SEPARABLE:
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
