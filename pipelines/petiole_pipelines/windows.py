"""Networks for windows of sensor readings, [1, readings, sensors], where nothing has a class.

Their outputs are features, of which a device learns what is usual on its own machine, or the window
once more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .networks import KerasModel, Tensor, quiet_tensorflow
from .student import to_int8

Windows = NDArray[np.uint8]  # [n, 1, readings, sensors]
Floats = NDArray[np.float32]


def summary(shape: tuple[int, int], *, newest: int, sensors: Sequence[int], changes: bool) -> bytes:
    """Mean of each of ``sensors`` over the ``newest`` readings of a window; ``newest`` divides it.

    With ``changes`` also the mean size of its change from reading to reading. ``shape`` is readings
    and sensors of a window. Nothing in it is trained. An int8 .tflite file with outputs [sensors]
    or [2 x sensors] in the input's own units: all tensors have scale 1/255 and zero point -128, so
    weights of 1 are exact.
    """
    readings, channels = shape
    tf = quiet_tensorflow()
    layers = tf.keras.layers
    inputs = layers.Input(batch_shape=(1, 1, readings, channels))
    found = layers.AveragePooling2D((1, newest))(inputs)
    if changes:
        one = np.eye(channels, dtype=np.float32)
        rising = np.stack([-one, one])[None]  # [1, 2, channels, channels]
        ways = _fixed(inputs, np.concatenate([rising, -rising], axis=-1), "relu")
        moved = _fixed(ways, np.concatenate([one, one])[None, None])
        sizes = layers.AveragePooling2D((1, newest - 1), strides=(1, newest))(moved)
        found = layers.Concatenate()([found, sizes])
    rows = [*sensors, *(channels + sensor for sensor in sensors if changes)]
    chosen = np.zeros((1, readings // newest, found.shape[-1], len(rows)), np.float32)
    chosen[0, -1, rows, range(len(rows))] = 1.0
    model = tf.keras.Model(inputs, layers.Flatten()(_fixed(found, chosen)))
    return to_int8(model, _extremes(readings, channels))


def _fixed(x: Tensor, weights: Floats, activation: str | None = None) -> Tensor:
    """Convolve with these weights [height, width, in, out], which no training has seen."""
    layers = quiet_tensorflow().keras.layers
    layer = layers.Conv2D(
        weights.shape[-1], weights.shape[:2], use_bias=False, activation=activation
    )
    made = layer(x)
    layer.set_weights([weights])
    return made


def _extremes(readings: int, channels: int) -> Windows:
    """Calibrate with windows in which every tensor takes its whole range, 0 to 1."""
    swinging = np.zeros((readings, channels), np.uint8)
    swinging[::2] = 255
    still = np.full_like(swinging, 255)
    return np.stack([swinging, still, 255 - swinging, 255 - still])[:, None]


def autoencoder(x: Windows, codes: int) -> bytes:
    """Fit a dense autoencoder to normal windows; an int8 .tflite file that gives back its input.

    One linear layer to ``codes`` numbers and one back: the best weights are the principal
    components, and need no training by steps (P. Baldi and K. Hornik, "Neural networks and
    principal component analysis", Neural Networks 2 (1989), 53-58).
    """
    weights, middle = _components(x, codes)
    model = _dense(x.shape[1:], [(weights, -middle @ weights), (weights.T, middle)])
    return to_int8(model, x)


def encoder(x: Windows, codes: int) -> bytes:
    """Fit the same and keep its first layer alone: ``codes`` features; an int8 .tflite file."""
    weights, middle = _components(x, codes)
    return to_int8(_dense(x.shape[1:], [(weights, -middle @ weights)]), x)


def _components(x: Windows, codes: int) -> tuple[Floats, Floats]:
    """Return the first principal components [inputs, codes] of windows, 0..1, and their mean.

    Of windows with fewer inputs than ``codes`` there are as many as inputs.
    """
    flat = x.reshape(len(x), -1).astype(np.float64) / 255.0
    middle = flat.mean(axis=0)
    _, vectors = np.linalg.eigh(np.atleast_2d(np.cov((flat - middle).T)))
    largest = vectors[:, ::-1][:, :codes]
    furthest = np.abs(largest).argmax(axis=0)
    signs = np.sign(largest[furthest, range(largest.shape[1])])  # eigh leaves them open
    return (largest * signs).astype(np.float32), middle.astype(np.float32)


def _dense(shape: tuple[int, ...], weights: Sequence[tuple[Floats, Floats]]) -> KerasModel:
    tf = quiet_tensorflow()
    layers = tf.keras.layers
    inputs = layers.Input(batch_shape=(1, *shape))
    x = layers.Flatten()(inputs)
    made = []
    for matrix, _ in weights:
        made.append(layers.Dense(matrix.shape[1]))
        x = made[-1](x)
    model = tf.keras.Model(inputs, x)
    for layer, (matrix, bias) in zip(made, weights, strict=True):
        layer.set_weights([matrix, bias])
    return model
