"""Descriptions kept in the store, so that a round computes those of new inputs only.

They are kept by blocks of inputs, each under the digest of its content and of the extractor: a pool
that grows at its end computes its last blocks anew, and another extractor never meets old ones.
"""

from __future__ import annotations

import hashlib
import io
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from petiole_pipelines.store import Store

BLOCK = 128  # inputs an object
FOLDER = "features"


class Describing(Protocol):
    """The half of an extractor that is kept."""

    @property
    def identity(self) -> str: ...

    def describe(self, x: NDArray[np.uint8], /) -> NDArray[np.generic]: ...


def described(
    extractor: Describing, x: NDArray[np.uint8], store: Store | None
) -> NDArray[np.generic]:
    """Descriptions [n, ...] of images x [n, h, w, c], from the store where it has them."""
    if store is None or not extractor.identity or not len(x):
        return extractor.describe(x)
    blocks = (x[start : start + BLOCK] for start in range(0, len(x), BLOCK))
    return np.concatenate([_block(extractor, block, store) for block in blocks])


def _block(extractor: Describing, x: NDArray[np.uint8], store: Store) -> NDArray[np.generic]:
    digest = hashlib.sha256(f"{extractor.identity} {x.shape}".encode())
    digest.update(np.ascontiguousarray(x).tobytes())
    path = f"{FOLDER}/{digest.hexdigest()}.npy"
    kept = _read(store.get(path), len(x))
    if kept is not None:
        return kept
    found = extractor.describe(x)
    content = io.BytesIO()
    np.save(content, found, allow_pickle=False)
    store.put(path, content.getvalue())
    return found


def _read(content: bytes | None, count: int) -> NDArray[np.generic] | None:
    """Read a kept block; None for one that is not there or was damaged: it is made anew."""
    try:
        found: NDArray[np.generic] = np.load(io.BytesIO(content or b""), allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return None
    return found if len(found) == count else None
