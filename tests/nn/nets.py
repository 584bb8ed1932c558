"""Small int8 networks with random weights, one for each thing that the runtime must get right.

``python -m tests.nn.nets FOLDER`` writes them as ``FOLDER/<name>.tflite``. A process of its own,
because TensorFlow is needed nowhere else in these tests.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SEED = 20
CALIBRATION = 32

NETS: dict[str, Callable] = {}


def net(build):
    NETS[build.__name__] = build
    return build


@net
def digits(k):
    """The shape of the demo's student."""
    i = k.Input((8, 8, 1), batch_size=1)
    x = k.layers.Conv2D(12, 3, padding="same", activation="relu")(i)
    x = k.layers.MaxPooling2D(2)(x)
    x = k.layers.Conv2D(24, 3, padding="same", activation="relu")(x)
    x = k.layers.Flatten()(x)
    return i, k.layers.Dense(10, activation="softmax")(x)


@net
def odd_conv(k):
    """Odd channels and pixels: nothing fills a block of two; a stride with padding."""
    i = k.Input((9, 7, 3), batch_size=1)
    x = k.layers.Conv2D(5, 3, padding="same", activation="relu")(i)
    return i, k.layers.Conv2D(7, (5, 2), strides=2, padding="same")(x)


@net
def separable(k):
    """Depthwise and pointwise layers, logits."""
    i = k.Input((12, 10, 3), batch_size=1)
    x = k.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(i)
    for filters, strides in ((18, 1), (24, 2)):
        x = k.layers.DepthwiseConv2D(3, strides, padding="same", activation="relu6")(x)
        x = k.layers.Conv2D(filters, 1, activation="relu")(x)
    x = k.layers.AveragePooling2D((3, 3))(x)
    return i, k.layers.Dense(6)(k.layers.Flatten()(x))


@net
def motion(k):
    """A time series: everything has width one."""
    i = k.Input((64, 1, 3), batch_size=1)
    x = k.layers.Conv2D(8, (5, 1), strides=(2, 1), padding="same", activation="relu")(i)
    x = k.layers.DepthwiseConv2D((3, 1), activation="relu")(x)
    x = k.layers.MaxPooling2D((2, 1))(x)
    x = k.layers.Conv2D(13, 1, activation="relu")(x)
    x = k.layers.Flatten()(x)
    return i, k.layers.Dense(6, activation="softmax")(k.layers.Dense(16, activation="relu")(x))


@net
def global_mean(k):
    """MEAN over an area that is no power of two, more channels than a block."""
    i = k.Input((7, 5, 4), batch_size=1)
    x = k.layers.Conv2D(19, 3, activation="relu")(i)
    return i, k.layers.Dense(5)(k.layers.GlobalAveragePooling2D()(x))


@net
def residual(k):
    """ADD of a branch that lives longer than what lies between."""
    i = k.Input((8, 8, 4), batch_size=1)
    x = k.layers.Conv2D(8, 3, padding="same", activation="relu")(i)
    y = k.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    y = k.layers.Conv2D(8, 1)(y)
    x = k.layers.ReLU()(k.layers.Add()([x, y]))
    y = k.layers.DepthwiseConv2D(3, padding="same")(x)
    return i, k.layers.Add()([y, x])


@net
def multiplied(k):
    """A depth multiplier, valid padding, an even filter."""
    i = k.Input((9, 8, 3), batch_size=1)
    x = k.layers.DepthwiseConv2D((4, 2), depth_multiplier=3, activation="relu")(i)
    return i, k.layers.Conv2D(4, 2)(x)


@net
def pools(k):
    """Pooling with padding: windows of different size at the edges."""
    i = k.Input((9, 7, 5), batch_size=1)
    x = k.layers.AveragePooling2D(3, 2, padding="same")(i)
    x = k.layers.Conv2D(17, 1)(x)
    x = k.layers.MaxPooling2D((3, 2), (1, 2), padding="same")(x)
    return i, k.layers.AveragePooling2D(2, 1)(x)


@net
def dense(k):
    """A vector in, ReLU6, logits."""
    i = k.Input((37,), batch_size=1)
    x = k.layers.Dense(21, activation="relu6")(i)
    return i, k.layers.Dense(7)(x)


@net
def probabilities(k):
    """SOFTMAX alone, over the whole range of its input."""
    i = k.Input((11,), batch_size=1)
    return i, k.layers.Softmax()(i)


@net
def open_batch(k):
    """A batch of unknown size: Flatten then computes its shape at run time."""
    i = k.Input((6, 6, 2))
    x = k.layers.Conv2D(4, 3, activation="relu")(i)
    return i, k.layers.Dense(3)(k.layers.Flatten()(x))


@net
def series(k):
    """One-dimensional layers, which Keras builds from two-dimensional ones."""
    i = k.Input((40, 3), batch_size=1)
    x = k.layers.Conv1D(8, 5, strides=2, activation="relu")(i)
    x = k.layers.MaxPooling1D(2)(k.layers.Conv1D(12, 3, padding="same", activation="relu6")(x))
    return i, k.layers.Dense(4)(k.layers.GlobalAveragePooling1D()(x))


@net
def branches(k):
    """Padding of its own, branches of different layers that are joined, curves."""
    i = k.Input((10, 9, 3), batch_size=1)
    x = k.layers.ZeroPadding2D(((0, 1), (1, 2)))(i)
    x = k.layers.Conv2D(8, 3, strides=2, activation="tanh")(x)
    y = k.layers.DepthwiseConv2D(3, padding="same", activation="sigmoid")(x)
    z = k.layers.Multiply()([x, y])
    x = k.layers.Concatenate()([z, k.layers.MaxPooling2D(3, 1, padding="same")(x)])
    x = k.layers.Activation("hard_swish")(k.layers.Conv2D(10, 1)(x))
    return i, k.layers.Dense(5)(k.layers.Flatten()(x))


def randomise(model, random) -> None:
    """Weights that keep activations spread over the whole int8 range, and biases that matter."""
    weights = []
    for w in model.get_weights():
        fan_in = max(1, int(np.prod(w.shape[:-1])) if w.ndim > 1 else 1)
        width = 0.3 if w.ndim == 1 else 2.0 / np.sqrt(fan_in)
        weights.append(random.normal(scale=width, size=w.shape).astype(np.float32))
    model.set_weights(weights)


def convert(tf, name: str) -> bytes:
    random = np.random.default_rng(SEED)
    inputs, outputs = NETS[name](tf.keras)
    model = tf.keras.Model(inputs, outputs)
    randomise(model, random)
    shape = (1, *inputs.shape[1:])
    samples = random.normal(size=(CALIBRATION, *shape)).astype(np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def main(folder: Path) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for name in NETS:
        (folder / f"{name}.tflite").write_bytes(convert(tf, name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
