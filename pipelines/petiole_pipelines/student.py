"""The student: a small int8 convolutional network, distilled from the teacher's soft answers.

TensorFlow is imported inside the functions: only the steps that train pay for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .augment import Lesson, batches, recipe_of
from .networks import Architecture, KerasModel, Tensor, network, quiet_tensorflow, shape_of

Images = NDArray[np.uint8]  # [n, h, w, c]

PEAK_RATE = 4e-3
CALIBRATION = 200  # inputs that the quantiser sees


def train(
    lesson: Lesson, architecture: Architecture, seed: int, steps: int | None = None
) -> KerasModel:
    """Train a network; returns a Keras model. Same lesson and seed, same weights.

    ``steps`` are the recipe's unless given.
    """
    tf = quiet_tensorflow()
    tf.keras.utils.set_random_seed(seed)
    shape = shape_of(lesson.x)
    recipe = recipe_of(shape)
    steps = steps or recipe.steps
    model = network(shape, lesson.soft.shape[1], architecture, None)
    rate = tf.keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=PEAK_RATE, warmup_steps=steps // 20
    )
    optimiser = tf.keras.optimizers.Adam(rate)
    weights = model.trainable_variables
    optimiser.build(weights)

    def learn(images: Tensor, soft: Tensor) -> None:
        with tf.GradientTape() as tape:
            losses = tf.keras.losses.categorical_crossentropy(soft, model(images, training=True))
            loss = tf.reduce_mean(losses)
        optimiser.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    # by hand: to the last bit what Model.fit makes of it, without three seconds to begin
    compiled = tf.function(learn)
    for images, soft in batches(lesson, recipe, steps, seed):
        compiled(images, soft)
    return model


def quantise(model: KerasModel, architecture: Architecture, x: Images) -> bytes:
    """Make a student int8, calibrated on images [n, h, w, c]; a .tflite file."""
    fixed = network(model.input_shape[1:], model.output_shape[1], architecture, batch=1)
    fixed.set_weights(model.get_weights())
    return to_int8(fixed, x)


def to_int8(model: KerasModel, x: Images) -> bytes:
    """Full int8 post-training quantisation of a model with a batch of 1; a .tflite file.

    The input's scale is exactly 1/255 with zero point -128, so that a device turns a sensor byte
    ``x`` into ``x ^ 0x80``: calibration therefore sees the whole range 0..1 once.
    """
    tf = quiet_tensorflow()
    rows = np.linspace(0, len(x) - 1, min(CALIBRATION, len(x))).astype(int)  # of every folder
    images = x[rows].astype(np.float32) / 255.0
    images[0].flat[0], images[0].flat[-1] = 0.0, 1.0
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())
