"""Networks for windows of sensor readings, [1, seconds, channels], where nothing has a class.

Their outputs are features, of which a device learns what is usual on its own machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .networks import quiet_tensorflow
from .student import to_int8

Windows = NDArray[np.uint8]  # [n, 1, seconds, channels]


def summary(seconds: int, channels: int, *, changes: bool) -> bytes:
    """Mean of each channel and, with ``changes``, the mean size of its change in a second.

    Nothing in it is trained. An int8 .tflite file with outputs [channels] or [2 x channels] in the
    input's own units: all tensors have scale 1/255 and zero point -128, so weights of 1 are exact.
    """
    tf = quiet_tensorflow()
    layers = tf.keras.layers
    inputs = layers.Input(batch_shape=(1, 1, seconds, channels))
    features = layers.AveragePooling2D((1, seconds))(inputs)
    if changes:
        one = np.eye(channels, dtype=np.float32)
        rising = np.stack([-one, one])[None]  # [1, 2, channels, channels]
        both = np.concatenate([rising, -rising], axis=-1)
        ways = layers.Conv2D(2 * channels, (1, 2), use_bias=False, activation="relu")
        size = layers.Conv2D(channels, 1, use_bias=False)
        moved = layers.AveragePooling2D((1, seconds - 1))(size(ways(inputs)))
        ways.set_weights([both])
        size.set_weights([np.concatenate([one, one])[None, None]])
        features = layers.Concatenate()([features, moved])
    model = tf.keras.Model(inputs, layers.Flatten()(features))
    return to_int8(model, _extremes(seconds, channels))


def _extremes(seconds: int, channels: int) -> Windows:
    """Calibrate with windows in which every tensor takes its whole range, 0 to 1."""
    swinging = np.zeros((seconds, channels), np.uint8)
    swinging[::2] = 255
    still = np.full_like(swinging, 255)
    return np.stack([swinging, still, 255 - swinging, 255 - still])[:, None]
