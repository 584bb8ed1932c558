"""What a network takes of a device, whether that fits a target, and the widest that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from petiole.api.base import count, octets

from . import networks, student
from .errors import StepError
from .networks import Architecture
from .planner import PlannedModel, plan
from .planner.cost import KERNELS, instructions

GOLDEN_VECTORS = 20
GOLDEN_SHARE = 2  # inputs of golden vectors take at most 1/GOLDEN_SHARE of the flash
ENVELOPE = 1024  # bytes of an artefact besides model and golden vectors: header, TLVs, reference
CORE = "cortex-m4"  # of a target that names none

Images = NDArray[np.uint8]  # [n, h, w, c]
Target = Mapping[str, Any]  # an element of spec.targets


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes of the artefact and of the arena, and predicted instructions of one inference."""

    flash: int
    arena: int
    instructions: int


Costing = Callable[[Architecture], Cost]


@dataclass(frozen=True, slots=True)
class Fitting:
    """Networks of one body that fit, widest first, and what keeps the next wider one out."""

    architectures: tuple[Architecture, ...]
    limited: str  # "" when the widest there is fits


def cost_of(planned: PlannedModel, shape: Sequence[int], target: Target) -> Cost:
    """Return what a planned model for inputs of this shape takes of the target."""
    vectors = golden_vectors(shape, target) * (planned.in_len + planned.out_len)
    core = KERNELS[target.get("core", CORE)]
    flash = len(planned.blob) + vectors + ENVELOPE
    return Cost(flash, planned.arena, instructions(planned.blob, core))


def misfit(cost: Cost, target: Target) -> str:
    """Say why a model of this cost does not fit the target, or nothing."""
    limits = (
        ("the artefact needs", cost.flash, "bytes of flash", octets(str(target["flash"]))),
        ("the model needs", cost.arena, "bytes of arena", octets(str(target["arena"]))),
        ("an inference takes", cost.instructions, "instructions", most(target)),
    )
    for what, needed, unit, allowed in limits:
        if allowed is not None and needed > allowed:
            return f"target {target['name']}: {what} {needed} {unit}, spec.targets allows {allowed}"
    return ""


def most(target: Target) -> int | None:
    return count(str(target["instructions"])) if "instructions" in target else None


def golden_vectors(shape: Sequence[int], target: Target) -> int:
    """How many inputs of this shape prove a model on this target: fewer where they are large."""
    room = octets(str(target["flash"])) // GOLDEN_SHARE
    return max(1, min(GOLDEN_VECTORS, room // int(np.prod(shape))))


def untrained(x: Images, classes: int, target: Target) -> Costing:
    """Return what tells the cost of a network before it is trained, which takes about a second.

    x [n, h, w, c] are some inputs. An untrained network is as large as a trained one.
    """
    shape = networks.shape_of(x)

    @cache
    def cost(architecture: Architecture) -> Cost:
        model = networks.network(shape, classes, architecture, None)
        planned = plan(student.quantise(model, architecture, x[:8]))
        return cost_of(planned, shape, target)

    return cost


def fitting(
    body: str, widths: Sequence[int], cost: Costing, target: Target, *, enough: int
) -> Fitting:
    """Look for ``enough`` networks of a body that fit, from the widest on."""
    found: list[Architecture] = []
    limited = ""
    for width in sorted(widths, reverse=True):
        problem = misfit(cost(Architecture(body, width)), target)
        if not problem:
            found.append(Architecture(body, width))
        elif not found:
            limited = problem
        if len(found) == enough:
            break
    return Fitting(tuple(found), limited)


def too_small(problem: str) -> StepError:
    return StepError("DoesNotFit", f"{problem}, and that is the smallest network there is")


def widest(x: Images, classes: int, target: Target) -> tuple[Architecture, str]:
    """Return the widest of the usual networks that fits, and what keeps a wider one out.

    x [n, h, w, c] are some inputs. Raises StepError when not even the narrowest fits.
    """
    body = networks.bodies(networks.shape_of(x))[0]
    cost = untrained(x, classes, target)
    found = fitting(body, networks.WIDTHS, cost, target, enough=1)
    if not found.architectures:
        raise too_small(found.limited)
    return found.architectures[0], found.limited
