"""How a target's student comes about: the widest, one that was searched, or a new last layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from petiole.api.student import Student

from . import augment, fit, head, networks, search, student
from .augment import Lesson
from .fielded import Fielded
from .fit import Target
from .networks import Architecture
from .planner import PlanError, plan


@dataclass(frozen=True, slots=True)
class Made:
    """An int8 model; its network, why this one, and points of the front as in candidate.json."""

    tflite: bytes
    network: str
    why: str
    front: list[dict[str, Any]]

    def choice(self) -> dict[str, Any]:
        return {"network": self.network, "choice": self.why, "front": self.front}


def make(
    lesson: Lesson,
    target: Target,
    wanted: Student,
    field: Fielded | None,
    seed: int,
    *,
    steps: int | None = None,
) -> Made:
    """Make the student of a target; ``steps`` are the recipe's unless given.

    Raises StepError when no network fits.
    """
    obstacle = ""
    if wanted.fine_tune == "Head" and field is not None:
        made = _new_head(lesson, target, field, seed)
        if isinstance(made, Made):
            return made
        obstacle = f" (trained as a whole: {made})"
    steps = steps or augment.recipe_of(networks.shape_of(lesson.x)).steps
    choice = _choose(lesson, target, wanted, seed, steps)
    architecture, tflite, dearer = _trained(lesson, choice.architecture, target, seed, steps)
    return Made(tflite, str(architecture), f"{choice.why}{dearer}{obstacle}", choice.points())


def _trained(
    lesson: Lesson, architecture: Architecture, target: Target, seed: int, steps: int
) -> tuple[Architecture, bytes, str]:
    """Train a network or, where it turns out not to fit, the next narrower one; say which did not.

    What a network takes depends a little on its weights: channels that scale up are slow on an M4.
    """
    dearer = ""
    for network in networks.narrowing(architecture):
        model = student.train(lesson, network, seed, steps)
        tflite = student.quantise(model, network, lesson.x)
        problem = _misfit(tflite, lesson, target)
        if not problem:
            return network, tflite, dearer
        dearer += f"; trained, {network} does not fit: {problem}"
    raise fit.too_small(problem)


def _misfit(tflite: bytes, lesson: Lesson, target: Target) -> str:
    """Say why a model does not fit a target, or nothing."""
    return fit.misfit(fit.cost_of(plan(tflite), networks.shape_of(lesson.x), target), target)


def _choose(
    lesson: Lesson, target: Target, wanted: Student, seed: int, steps: int
) -> search.Choice:
    if wanted.search == "Widest":
        return search.widest(lesson.x, lesson.soft.shape[1], target)
    return search.halving(lesson, target, tries=wanted.tries, steps=steps, seed=seed)


def _new_head(lesson: Lesson, target: Target, field: Fielded, seed: int) -> Made | str:
    """Train the last layer of the field's model, or say why that cannot be."""
    name = str(target["name"])
    before = field.tflite(name)
    if before is None:
        return f"the store has no model of version {field.number} for {name}"
    try:
        tflite = head.retrained(before, lesson, search.kept_back(len(lesson.x), seed))
        problem = _misfit(tflite, lesson, target)
    except PlanError as error:
        return str(error)
    if problem:
        return f"with a new last layer version {field.number} does not fit: {problem}"
    network = field.network(name) or f"that of version {field.number}"
    why = f"the last layer of version {field.number} was trained anew, its other layers stay"
    return Made(tflite, network, why, [])
