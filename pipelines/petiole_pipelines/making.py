"""How a target's student comes about: the widest, one that was searched, or a new last layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from petiole.api.student import Student

from . import augment, fit, head, networks, search, student
from .augment import Lesson
from .fielded import Fielded
from .fit import Target
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
    model = student.train(lesson, choice.architecture, seed, steps)
    tflite = student.quantise(model, choice.architecture, lesson.x)
    return Made(tflite, str(choice.architecture), f"{choice.why}{obstacle}", choice.points())


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
    problem = fit.misfit(fit.cost_of(plan(before), lesson.x.shape[1:], target), target)
    if problem:
        return f"the model of version {field.number} no longer fits: {problem}"
    try:
        tflite = head.retrained(before, lesson, search.kept_back(len(lesson.x), seed))
    except PlanError as error:
        return str(error)
    network = field.network(name) or f"that of version {field.number}"
    why = f"the last layer of version {field.number} was trained anew, its other layers stay"
    return Made(tflite, network, why, [])
