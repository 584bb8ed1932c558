"""Asks tflite-micro what a model answers: the truth that every device must equal.

Not the default LiteRT interpreter: its XNNPACK kernels round differently, and golden vectors made
from it would refuse correct devices.
"""

import numpy as np
import numpy.typing as npt
from tflite_micro import runtime

from petiole_pipelines.planner.graph import PlanError

SPARE_ARENA = 1 << 20  # bytes beyond the interpreter's usual guess of ten times the model


class Reference:
    """A tflite-micro interpreter of one model; not to be shared between threads."""

    def __init__(self, tflite: bytes) -> None:
        try:
            self._interpreter = runtime.Interpreter.from_bytes(
                tflite, arena_size=10 * len(tflite) + SPARE_ARENA
            )
        except RuntimeError as error:
            raise PlanError(
                f"tflite-micro refuses the model ({error}): see its log above"
            ) from error
        self.in_shape = tuple(int(v) for v in self._interpreter.get_input_details(0)["shape"])

    def run(self, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Return int8 [n, out_len] for int8 `inputs` of shape [n, ...]."""
        return np.stack([self._one(x) for x in inputs])

    def _one(self, values: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        self._interpreter.set_input(values.reshape(self.in_shape), 0)
        self._interpreter.invoke()
        output: npt.NDArray[np.int8] = self._interpreter.get_output(0)
        return output.reshape(-1).copy()


def golden(tflite: bytes, inputs: npt.NDArray[np.int8]) -> bytes:
    """Return the int8 `inputs` [n, ...], one after the other, and behind them all outputs."""
    if inputs.dtype != np.int8:
        raise ValueError(f"golden inputs must be int8, not {inputs.dtype}: quantise them first")
    return inputs.tobytes() + Reference(tflite).run(inputs).tobytes()
