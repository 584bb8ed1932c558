"""A small network, and what becomes of it when its last layer alone is trained anew.

Both read 8 x 8 digits. The first has seen few labels; the second keeps all layers of the first but
the last, which has learnt from all labels. They are trained once, in a process of their own that
loads TensorFlow, and kept below build/ until this file changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from petiole.artifact.pack import pack
from petiole.artifact.policy import Golden, Policy
from petiole_pipelines import judge
from petiole_pipelines.fit import GOLDEN_VECTORS
from petiole_pipelines.planner import golden, plan

from .processes import ROOT

TARGET = "cortex-m4"
SIDE, CLASSES = 8, 10
WIDTHS = (30, 30, 30, 30)  # channels of the convolutions: about 26 KiB with the head
FEW, EPOCHS, SEED = 400, 12, 7
HELD_OUT = 400  # samples that neither has learnt from: their answers are the reference

Images = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two: ``tflite``, and inputs uint8 [n, 8, 8, 1] with their labels [n]."""

    number: int
    tflite: bytes
    inputs: Images
    labels: npt.NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        answers = judge.infer(self.tflite, self.inputs)
        return float((answers.argmax(1) == self.labels).mean())

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """Return the artefact, as the operator would sign it."""
        planned = plan(self.tflite)
        vectors = golden(self.tflite, judge.quantised(self.inputs[:GOLDEN_VECTORS]))
        reference = judge.reference(judge.infer(self.tflite, self.inputs), self.inputs)
        return pack(
            planned.blob,
            Golden.split(vectors, SIDE * SIDE, CLASSES),
            reference_count=reference["count"],
            reference_confidence=tuple(reference["confidence"]),
            policy=Policy(
                target=TARGET,
                abi=planned.abi,
                arena=planned.arena,
                ops=planned.ops,
                security_counter=1,
                revision=self.number,
            ),
            key=key,
        )


def versions() -> tuple[Version, Version]:
    """Return the first model and the one with another head."""
    name = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = ROOT / "build" / "heads" / name
    if not folder.exists():
        _train_apart(folder)
    x, y = _digits()
    first, second = (
        Version(n, (folder / f"{n}.tflite").read_bytes(), x[-HELD_OUT:], y[-HELD_OUT:])
        for n in (1, 2)
    )
    return first, second


def _train_apart(folder: Path) -> None:
    """Write into another folder first: two may be at it at once."""
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-m", "hack.testbed.heads", str(partial)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "operator:pipelines:."},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"training failed:\n{done.stderr[-2000:]}")
    try:
        partial.rename(folder)
    except OSError:  # the other one was faster
        shutil.rmtree(partial)


def _digits() -> tuple[Images, npt.NDArray[np.int64]]:
    """Return all images uint8 [n, 8, 8, 1] and their labels [n], in an order of our own."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - only tests and benches need it

    digits = load_digits()
    rows = np.random.default_rng(SEED).permutation(len(digits.target))
    images = np.minimum(digits.images * 16, 255).astype(np.uint8)[..., None]
    return images[rows], digits.target[rows].astype(np.int64)


def _network(tf: Any) -> Any:  # noqa: ANN401 - keras ships no types
    layers = tf.keras.layers
    inputs = layers.Input(batch_shape=(1, SIDE, SIDE, 1))
    x = inputs
    for number, width in enumerate(WIDTHS):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        if number == 1:
            x = layers.MaxPooling2D(2)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(inputs, layers.Dense(CLASSES, activation="softmax", name="head")(x))


def _train(tf: Any, folder: Path) -> None:  # noqa: ANN401
    tf.keras.utils.set_random_seed(SEED)
    images, labels = _digits()
    x, y = images[:-HELD_OUT] / np.float32(255.0), labels[:-HELD_OUT]
    model = _network(tf)
    _fit(tf, model, x[:FEW], y[:FEW])
    (folder / "1.tflite").write_bytes(_quantised(tf, model, x))
    for layer in model.layers:
        layer.trainable = layer.name == "head"
    _fit(tf, model, x, y)
    (folder / "2.tflite").write_bytes(_quantised(tf, model, x))


def _fit(tf: Any, model: Any, x: Any, y: Any) -> None:  # noqa: ANN401
    trained = tf.keras.Model(*_open_batch(tf, model))
    trained.compile(tf.keras.optimizers.Adam(3e-3), loss="sparse_categorical_crossentropy")
    trained.fit(x, y, epochs=EPOCHS, batch_size=32, verbose=0)


def _open_batch(tf: Any, model: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Let the layers of the model, made for one input at a time, take many."""
    inputs = tf.keras.layers.Input((SIDE, SIDE, 1))
    x = inputs
    for layer in model.layers[1:]:
        x = layer(x)
    return inputs, x


def _quantised(tf: Any, model: Any, x: Any) -> bytes:  # noqa: ANN401
    """Return a .tflite as the pipeline makes it; the same inputs calibrate both."""
    samples = x[:200].copy()
    samples[0].flat[0], samples[0].flat[-1] = 0.0, 1.0
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


if __name__ == "__main__":
    from petiole_pipelines.networks import quiet_tensorflow

    _train(quiet_tensorflow(), Path(sys.argv[1]))
