"""Whether a model fits a target, and the widest network that does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from petiole.api.base import octets

from . import networks, student
from .errors import StepError
from .planner import plan

GOLDEN_VECTORS = 20
GOLDEN_SHARE = 2  # inputs of golden vectors take at most 1/GOLDEN_SHARE of the flash
ENVELOPE = 1024  # bytes of an artefact besides model and golden vectors: header, TLVs, reference


def misfit(model: int, arena: int, golden: int, target: dict[str, Any]) -> str:
    """Say why a model of these bytes does not fit the target, or nothing."""
    flash, room = octets(str(target["flash"])), octets(str(target["arena"]))
    artefact = model + golden + ENVELOPE
    if artefact > flash:
        return (
            f"target {target['name']}: the artefact needs {artefact} bytes of flash, "
            f"spec.targets allows {flash}"
        )
    if arena > room:
        return (
            f"target {target['name']}: the model needs {arena} bytes of arena, "
            f"spec.targets allows {room}"
        )
    return ""


def golden_vectors(shape: tuple[int, ...], target: Mapping[str, Any]) -> int:
    """How many inputs of this shape prove a model on this target: fewer where they are large."""
    room = octets(str(target["flash"])) // GOLDEN_SHARE
    return max(1, min(GOLDEN_VECTORS, room // int(np.prod(shape))))


def widest(x: NDArray[np.uint8], classes: int, target: dict[str, Any]) -> int:
    """Search the width: an untrained network is as large as a trained one and costs a second.

    x uint8 [n, h, w, c] are some inputs. Raises StepError when not even the narrowest fits.
    """
    height, width, channels = x.shape[1:]
    golden = golden_vectors(x.shape[1:], target) * (height * width * channels + classes)
    problem = ""
    for candidate in networks.WIDTHS:
        untrained = networks.network((height, width, channels), classes, candidate, None)
        planned = plan(student.quantise(untrained, x[:8]))
        problem = misfit(len(planned.blob), planned.arena, golden, target)
        if not problem:
            return candidate
    raise StepError("DoesNotFit", f"{problem}, and that is the smallest network there is")
