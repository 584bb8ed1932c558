"""Pictures of the samples that people are asked about: a zip of ``<id>.png``."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LEAST = 256  # pixels of the longer side; a person cannot tell 8 x 8 of them
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def pack(x: NDArray[np.uint8], ids: Sequence[str]) -> bytes:
    """Draw inputs uint8 [n,h,w,c], c from 1 to 4; small ones grow by a whole factor."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:  # PNG is compressed already
        for sample, name in zip(x, ids, strict=True):
            archive.writestr(zipfile.ZipInfo(f"{name}.png"), _png(sample))
    return made.getvalue()


def _png(sample: NDArray[np.uint8]) -> bytes:
    height, width, channels = sample.shape
    factor = max(1, _LEAST // max(height, width))
    grown = sample.repeat(factor, axis=0).repeat(factor, axis=1)
    pixels = grown[:, :, 0] if channels == 1 else grown
    made = io.BytesIO()
    Image.fromarray(pixels, _MODES[channels]).save(made, "PNG")
    return made.getvalue()
