"""Features that teacher and strategies see: described one by one, fitted on the pool alone.

An extractor has two halves. ``describe`` says what one input is by itself, whatever else there is:
it may be slow, and is kept in the store. ``fit`` learns from the described pool, without labels, a
map to the features [n, d]; their mean squared norm is about 1, which the teacher's strength is made
for. A further extractor is one more entry of ``EXTRACTORS`` (docs/learning.md, "Features").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from petiole_pipelines.errors import StepError
from petiole_pipelines.store import Store

from .cache import described
from .kernel import Kernel
from .lite0 import EfficientNetLite0
from .pixels import Pixels

Images = NDArray[np.uint8]  # [n, h, w, c]
Matrix = NDArray[np.float64]


class Fitted(Protocol):
    """A map from descriptions [n, ...] to features [n, d]."""

    def transform(self, x: NDArray[np.generic], /) -> Matrix: ...


class Extractor(Protocol):
    """One way to see inputs."""

    @property
    def identity(self) -> str:
        """What a kept description depends on besides the input; empty to keep none."""

    def describe(self, x: Images, /) -> NDArray[np.generic]:
        """Descriptions [n, ...] of images [n, h, w, c], each by itself."""

    def fit(self, x: NDArray[np.generic], seed: int, /) -> Fitted:
        """Learn the map from descriptions of the pool."""


EXTRACTORS: dict[str, Extractor] = {
    "Kernel": Kernel(),
    "Pixels": Pixels(),
    "EfficientNetLite0": EfficientNetLite0(),
}


def extract(
    name: str, pool: Images, others: Sequence[Images], *, seed: int, store: Store | None = None
) -> list[Matrix]:
    """Features of the pool and of each of the others; the map is fitted on the pool alone.

    Slow descriptions are read from the store and kept there. Raises StepError for an unknown name.
    """
    if name not in EXTRACTORS:
        known = ", ".join(EXTRACTORS)
        raise StepError("DataInvalid", f"spec.learning.features is {name!r}: one of {known}")
    extractor = EXTRACTORS[name]
    first = described(extractor, pool, store)
    fitted = extractor.fit(first, seed)
    rest = (described(extractor, x, store) for x in others)
    return [fitted.transform(first), *(fitted.transform(x) for x in rest)]
