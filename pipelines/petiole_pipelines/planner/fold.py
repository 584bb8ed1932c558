"""Lets a convolution pad its input itself."""

from collections.abc import Sequence
from dataclasses import replace

from petiole_pipelines.planner.format import Kind, Op
from petiole_pipelines.planner.limits import shapes_agree

# Both read what lies outside as the input's zero point, which is what PAD writes.
PADDING = {Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D}


def without_pads(ops: Sequence[Op], output: int) -> Sequence[Op]:
    """Return the operators with each PAD in the convolutions behind it, where all can take it."""
    kept = list(ops)
    for pad in [op for op in ops if op.kind is Kind.PAD and op.out_tensor != output]:
        readers = [
            i for i, op in enumerate(kept) if pad.out_tensor in (op.in_tensor, op.second_tensor)
        ]
        folded = [_folded(pad, kept[i]) for i in readers]
        if all(op is not None for op in folded):
            for i, op in zip(readers, folded, strict=True):
                assert op is not None
                kept[i] = op
            kept.remove(pad)
    return kept


def _folded(pad: Op, reader: Op) -> Op | None:
    if reader.kind not in PADDING:
        return None
    window = replace(
        reader.window,
        pad_top=reader.window.pad_top + pad.window.pad_top,
        pad_left=reader.window.pad_left + pad.window.pad_left,
    )
    op = replace(reader, in_tensor=pad.in_tensor, in_shape=pad.in_shape, window=window)
    return op if shapes_agree(op) else None
