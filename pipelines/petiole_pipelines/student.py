"""The student: a small int8 convolutional network, distilled from the teacher's soft answers.

TensorFlow is imported inside the functions: only the steps that train pay for it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]  # [n, h, w, c]
Matrix = NDArray[np.float64]
KerasModel = Any  # keras ships no types

WIDTHS = (24, 16, 12, 8, 6, 4)  # channels of the first layer, widest first
GRID = 4  # the last feature map is at most GRID x GRID
STEPS, BATCH = 1500, 64
STEPS_AT_ONCE = 50  # that TensorFlow runs without going back to Python
PEAK_RATE = 4e-3
NOISE = 0.03  # standard deviation of the augmentation's pixel noise, on inputs 0..1
CALIBRATION = 200  # inputs that the quantiser sees


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a student learns: images uint8, soft labels [n, k] and the weight of each sample."""

    x: Images
    soft: Matrix
    weight: Matrix  # [n]


def quiet_tensorflow() -> ModuleType:
    """Import TensorFlow on one thread: variants train side by side, and results stay the same."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    tf = importlib.import_module("tensorflow")

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf


def network(shape: tuple[int, int, int], classes: int, width: int, batch: int | None) -> KerasModel:
    """Build convolution, pooling down to GRID x GRID, convolution, softmax; inputs are 0..1."""
    tf = quiet_tensorflow()
    layers = tf.keras.layers
    inputs = layers.Input(batch_shape=(batch, *shape))
    x, channels = inputs, width
    x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
    while min(x.shape[1:3]) > GRID:
        x = layers.MaxPooling2D(2)(x)
        channels = 2 * channels
        x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
    x = layers.Flatten()(x)
    return tf.keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def train(lesson: Lesson, width: int, seed: int, steps: int = STEPS) -> KerasModel:
    """Train a network of this width; returns a Keras model. Same lesson and seed, same weights."""
    tf = quiet_tensorflow()
    tf.keras.utils.set_random_seed(seed)
    height, wide, channels = lesson.x.shape[1:]
    model = network((height, wide, channels), lesson.soft.shape[1], width, None)
    rate = tf.keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=PEAK_RATE, warmup_steps=steps // 20
    )
    model.compile(
        tf.keras.optimizers.Adam(rate),
        loss="categorical_crossentropy",
        steps_per_execution=min(STEPS_AT_ONCE, steps),
        jit_compile=False,
    )
    signature = (
        tf.TensorSpec((BATCH, height, wide, channels), tf.float32),
        tf.TensorSpec((BATCH, lesson.soft.shape[1]), tf.float32),
    )
    batches = tf.data.Dataset.from_generator(
        lambda: _batches(lesson, steps, seed), output_signature=signature
    )
    model.fit(batches, epochs=1, steps_per_epoch=steps, verbose=0)
    return model


def _batches(
    lesson: Lesson, steps: int, seed: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Draw samples by weight, each moved by up to one pixel, with a little noise."""
    random = np.random.default_rng(seed)
    share = lesson.weight / lesson.weight.sum()
    height, width = lesson.x.shape[1:3]
    padded = np.pad(lesson.x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    down, right = np.arange(height), np.arange(width)
    for _ in range(steps):
        rows = random.choice(len(share), BATCH, p=share)
        moves = random.integers(0, 3, (2, BATCH, 1))
        y, x = down + moves[0], right + moves[1]
        images = padded[rows[:, None, None], y[:, :, None], x[:, None, :]] / 255.0
        images += random.normal(0, NOISE, images.shape)
        yield np.clip(images, 0, 1).astype(np.float32), lesson.soft[rows].astype(np.float32)


def quantise(model: KerasModel, x: Images) -> bytes:
    """Make a student int8, calibrated on images [n, h, w, c]; a .tflite file."""
    fixed = network(model.input_shape[1:], model.output_shape[1], _width(model), batch=1)
    fixed.set_weights(model.get_weights())
    return to_int8(fixed, x)


def to_int8(model: KerasModel, x: Images) -> bytes:
    """Full int8 post-training quantisation of a model with a batch of 1; a .tflite file.

    The input's scale is exactly 1/255 with zero point -128, so that a device turns a sensor byte
    ``x`` into ``x ^ 0x80``: calibration therefore sees the whole range 0..1 once.
    """
    tf = quiet_tensorflow()
    images = x[:CALIBRATION].astype(np.float32) / 255.0
    images[0].flat[0], images[0].flat[-1] = 0.0, 1.0
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _width(model: KerasModel) -> int:
    return int(model.layers[1].filters)
