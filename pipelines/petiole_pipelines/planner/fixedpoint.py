"""The fixed-point numbers of tflite-micro's reference kernels, computed as it does in Prepare.

Source: tensorflow/lite/kernels/internal/quantization_util.cc and kernels/kernel_util.cc. Where C++
computes in float and not in double, so does this file: the last bit of a multiplier matters.
"""

import math

import numpy as np

from petiole_pipelines.planner.format import Scale
from petiole_pipelines.planner.graph import PlanError

# Schema values of ActivationFunctionType.
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3
REAL_RANGES = {RELU: (0.0, math.inf), RELU_N1_TO_1: (-1.0, 1.0), RELU6: (0.0, 6.0)}

SOFTMAX_INTEGER_BITS = 5
ADD_LEFT_SHIFT = 20


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Return (multiplier, shift) with `real` = multiplier * 2**(shift - 31), multiplier Q0.31."""
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def scale(bias: int, real: float) -> Scale:
    multiplier, shift = quantize_multiplier(real)
    return Scale(bias, multiplier, shift)


def activation_range(activation: int, out_scale: float, zero_point: int) -> tuple[int, int]:
    """Return the int8 values between which a fused activation clamps."""
    if activation == NONE:
        return -128, 127
    if activation not in REAL_RANGES:
        raise PlanError(f"fused activation {activation} is not supported: use ReLU, ReLU6 or none")
    low, high = REAL_RANGES[activation]
    return (
        max(-128, _quantized(low, out_scale, zero_point)),
        127 if math.isinf(high) else min(127, _quantized(high, out_scale, zero_point)),
    )


def _quantized(real: float, out_scale: float, zero_point: int) -> int:
    ratio = float(np.float32(real) / np.float32(out_scale))
    return zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))


def mean(count: int, zero_point: int, real: float) -> Scale:
    """Return the scale that turns the sum of `count` values into their mean."""
    multiplier, shift = quantize_multiplier(real)
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    return Scale(-zero_point * count, (multiplier << bits) // count, shift - bits)


def softmax(beta: float, in_scale: float) -> Scale:
    """Return multiplier and shift of a difference; `bias` is the smallest one that counts."""
    fraction_bits = 31 - SOFTMAX_INTEGER_BITS
    real = min(beta * in_scale * (1 << fraction_bits), (1 << 31) - 1.0)
    multiplier, shift = quantize_multiplier(real)
    if shift < 0:
        raise PlanError(
            f"the scale {in_scale} of a SOFTMAX input is too small: train the model anew"
        )
    widest = ((1 << SOFTMAX_INTEGER_BITS) - 1) * (1 << fraction_bits) / (1 << shift)
    return Scale(-math.floor(widest), multiplier, shift)


def add(
    first: tuple[float, int], second: tuple[float, int], out_scale: float
) -> tuple[Scale, Scale, Scale]:
    """Return the scales of both operands, each given as (scale, zero point), and of the sum."""
    widest = 2 * max(first[0], second[0])
    return (
        scale(-first[1], first[0] / widest),
        scale(-second[1], second[0] / widest),
        scale(0, widest / ((1 << ADD_LEFT_SHIFT) * out_scale)),
    )
