"""What an int8 model does, answered by tflite-micro, and how well that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tflite_micro import runtime

Images = NDArray[np.uint8]  # [n, h, w, c]
Labels = NDArray[np.int64]  # [n]
BINS = 16  # of the wire's histograms: q + 128 in steps of 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accuracy 0..1, recall 0..1 by label name, and of how many samples; absent labels left out."""

    accuracy: float
    recall: dict[str, float]
    samples: int
    counts: dict[str, int]


def quantised(x: Images) -> NDArray[np.int8]:
    """Sensor bytes as the model's input: scale 1/255, zero point -128."""
    return (x ^ np.uint8(0x80)).view(np.int8)


def infer(tflite: bytes, x: Images) -> NDArray[np.uint8]:
    """Probabilities of images [n, h, w, c] in steps of 1/256, as q + 128: uint8 [n, k]."""
    interpreter = runtime.Interpreter.from_bytes(tflite)
    _check(interpreter.get_input_details(0), interpreter.get_output_details(0))
    answers = []
    for image in quantised(x):
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        answers.append(np.asarray(interpreter.get_output(0)).reshape(-1))
    return np.stack(answers).view(np.uint8) ^ np.uint8(0x80)


def _check(inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
    """Refuse another quantisation than the one that the wire's units stand for."""
    for name, details, scale in (("input", inputs, 1 / 255), ("output", outputs, 1 / 256)):
        quantisation = details["quantization_parameters"]
        found = float(quantisation["scales"][0]), int(quantisation["zero_points"][0])
        if abs(found[0] - scale) > 1e-6 or found[1] != -128:
            raise ValueError(f"{name} quantisation is {found}, must be ({scale:.6f}, -128)")


def judge(answers: NDArray[np.uint8], y: Labels, labels: Sequence[str]) -> Verdict:
    """Compare answers [n, k] with the truth y [n]."""
    right = answers.argmax(1) == y
    counts = {name: int((y == number).sum()) for number, name in enumerate(labels)}
    recall = {
        name: float(right[y == number].mean()) for number, name in enumerate(labels) if counts[name]
    }
    return Verdict(float(right.mean()), recall, len(y), {name: counts[name] for name in recall})


def compare(answers: NDArray[np.uint8], before: NDArray[np.uint8], y: Labels) -> dict[str, int]:
    """Count samples that these answers [n, k] lose to those before them, and that they gain."""
    right, was_right = answers.argmax(1) == y, before.argmax(1) == y
    return {"lost": int((was_right & ~right).sum()), "gained": int((right & ~was_right).sum())}


def reference(answers: NDArray[np.uint8], x: Images) -> dict[str, Any]:
    """Histograms of answers [n, k] on inputs [n, h, w, c], in the units of the wire's ``stats``."""
    classes = np.bincount(answers.argmax(1), minlength=answers.shape[1])
    return histograms(answers.max(1), classes, x)


def histograms(top: NDArray[np.uint8], classes: Labels, x: Images) -> dict[str, Any]:
    """Histograms of confidences, or levels of scores, ``top`` [n] and of ``classes`` [k]."""
    top = top.astype(np.int64)
    means = x.reshape(len(x), -1).sum(1, dtype=np.int64) // x[0].size
    return {
        "count": len(x),
        "confidence": np.bincount(top // BINS, minlength=BINS).tolist(),
        "classes": classes.tolist(),
        "confidenceSum": int(top.sum()),
        "confidenceSquares": int((top**2).sum()),
        "inputSum": int(means.sum()),
    }
