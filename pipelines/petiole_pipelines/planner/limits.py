"""What `nn_load` would refuse on the device, found here, where there is somebody to tell."""

from petiole_pipelines.planner.format import MAX_BIAS, Kind, Op, Scale
from petiole_pipelines.planner.graph import PlanError
from petiole_pipelines.planner.regions import ELEMENTWISE, WINDOWED

SAME_CHANNELS = {Kind.MAX_POOL_2D, Kind.AVERAGE_POOL_2D, Kind.MEAN}
PARTS = {Kind.PAD, Kind.CONCAT}


def check(op: Op) -> None:
    """Raise `PlanError` if shapes contradict each other or a number leaves its range."""
    if not shapes_agree(op):
        raise PlanError(
            f"at {op.name!r}: {op.kind.name} cannot make {op.out_shape} "
            f"from {op.in_shape} with {op.window}: convert the model again"
        )
    if not _values_fit(op):
        raise PlanError(
            f"at {op.name!r}: a scale or zero point leaves the range of the "
            "device's fixed point: calibrate with data that looks like the field's"
        )


def shapes_agree(op: Op) -> bool:
    """Return whether the operator can make its output's shape of its input's."""
    first, out, window = op.in_shape, op.out_shape, op.window
    if max(first.h, first.w, first.c, out.h, out.w, out.c) > 0xFFFF:
        return False
    if op.kind in ELEMENTWISE:
        return first == out
    if op.kind in SAME_CHANNELS and first.c != out.c:
        return False
    if op.kind in PARTS:
        return (
            first.c == out.c
            and 0 <= window.pad_top <= out.h - first.h
            and 0 <= window.pad_left <= out.w - first.w
        )
    if op.kind not in WINDOWED:
        return True
    if window.pointwise and (first.h, first.w) != (out.h, out.w):
        return False
    return _axis_fits(
        first.h, out.h, window.filter_h, window.stride_h, window.pad_top
    ) and _axis_fits(first.w, out.w, window.filter_w, window.stride_w, window.pad_left)


def _axis_fits(size: int, out: int, side: int, stride: int, pad: int) -> bool:
    """Whether every position of the window touches the input."""
    return min(side, stride) >= 1 and 0 <= pad < side and (out - 1) * stride < size + pad


def _values_fit(op: Op) -> bool:
    points = (op.in_zero_point, op.out_zero_point, op.act_min, op.act_max)
    return all(-128 <= p <= 127 for p in points) and all(_scale_fits(op, s) for s in op.scales)


def _scale_fits(op: Op, scale: Scale) -> bool:
    widest = 1 << 31 if op.kind is Kind.SOFTMAX else MAX_BIAS
    largest_shift = 0 if op.kind is Kind.ADD else 30
    return (
        abs(scale.bias) < widest
        and 0 <= scale.multiplier < 1 << 31
        and -31 <= scale.shift <= largest_shift
    )
