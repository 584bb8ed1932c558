"""Weights of a FULLY_CONNECTED in rows of as few bits as each needs."""

import numpy as np
import numpy.typing as npt

from petiole_pipelines.planner.format import padded

WORTH = 1024  # bytes: unpacking costs the device time


def packed(weights: npt.NDArray[np.int8]) -> bytes | None:
    """Return the weights [out, in] packed, or None if that saves little."""
    bits = np.array([_bits(row) for row in weights], np.uint8)
    rows = b"".join(
        padded(_row(row, width)) for row, width in zip(weights, bits.tolist(), strict=True)
    )
    data = padded(bits.tobytes()) + rows
    return data if len(data) + WORTH <= weights.size else None


def _bits(row: npt.NDArray[np.int8]) -> int:
    """Bits of the widest weight in two's complement."""
    return 1 + max(int(v if v >= 0 else ~v).bit_length() for v in (row.min(), row.max()))


def _row(row: npt.NDArray[np.int8], width: int) -> bytes:
    bits = np.unpackbits(row.view(np.uint8)[:, None], axis=1, bitorder="little")
    return np.packbits(bits[:, :width].reshape(-1), bitorder="little").tobytes()
