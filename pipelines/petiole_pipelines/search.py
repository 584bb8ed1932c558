"""Searches the network of a target: costs first, then short trainings of those that fit.

Successive halving (K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and
hyperparameter optimization", 2016): all candidates learn for a short while, the best third for
three times as long, until one is left. What a network costs is known before it has learned
anything, so only those that fit are trained: of each body the widest, where most can be learned,
and some narrower ones, so that the front says what less would cost.

They are compared on a part of the pool that they do not learn from, by the teacher's answers. The
evaluation set chooses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from petiole.api.student import FRONT

from . import fit, judge, networks, student
from .augment import Lesson
from .fit import Cost, Costing, Target
from .networks import Architecture

KEEP = 3  # one of so many goes on, for so many times the steps
BACK_SHARE = 5  # one of so many blocks of the pool is kept back
BLOCK = 10  # neighbours in a pool are alike: they stay on one side

Learning = Callable[[Architecture, int], float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network that fits, and its accuracy 0..1 after so many steps of training."""

    architecture: Architecture
    cost: Cost
    reached: Mapping[int, float] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return max(self.reached)

    @property
    def accuracy(self) -> float:
        return self.reached[self.steps]

    def rank(self, steps: int) -> tuple[float, int, int, int]:
        """Smaller is better: by accuracy, and by cost where that is equal."""
        cost = self.cost
        return -self.reached[steps], cost.instructions, cost.flash, cost.arena

    def beats(self, other: Candidate) -> bool:
        """Whether it is no worse in anything: compared by what both reached in equal steps."""
        steps = min(self.steps, other.steps)
        mine, theirs = self.cost, other.cost
        return (
            self.reached[steps] >= other.reached[steps]
            and mine.flash <= theirs.flash
            and mine.arena <= theirs.arena
            and mine.instructions <= theirs.instructions
            and self.rank(steps) != other.rank(steps)
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The network to train, why this one, and what else there was to have."""

    architecture: Architecture
    why: str
    front: tuple[Candidate, ...] = ()

    def points(self) -> list[dict[str, Any]]:
        """Return the front as ``candidate.json`` has it; accuracy 0..1."""
        return [
            {
                "network": str(point.architecture),
                "flash": point.cost.flash,
                "arena": point.cost.arena,
                "instructions": point.cost.instructions,
                "accuracy": round(point.accuracy, 4),
                "steps": point.steps,
            }
            for point in self.front
        ]


def widest(x: NDArray[np.uint8], classes: int, target: Target) -> Choice:
    """Take the widest of the usual networks that fits; x [n, h, w, c] are some inputs."""
    architecture, limited = fit.widest(x, classes, target)
    return Choice(architecture, f"{architecture} is the widest that fits; {_limit(limited)}")


def halving(lesson: Lesson, target: Target, *, tries: int, steps: int, seed: int) -> Choice:
    """Search for a network that will learn the lesson for ``steps``; same seed, same choice.

    Raises StepError when nothing fits.
    """
    cost = fit.untrained(lesson.x, lesson.soft.shape[1], target)
    entrants, limits = enter(networks.bodies(networks.shape_of(lesson.x)), cost, target, tries)
    found = halve(entrants, _learning(lesson, seed), steps)
    return explain(found, limits)


def enter(
    bodies: Sequence[str], cost: Costing, target: Target, tries: int
) -> tuple[list[Candidate], dict[str, str]]:
    """Return at most ``tries`` networks that fit, and what keeps wider ones of each body out."""
    each = -(-tries // len(bodies))
    found = {
        body: fit.fitting(body, networks.SEARCHED, cost, target, enough=each) for body in bodies
    }
    if not any(fitting.architectures for fitting in found.values()):
        raise fit.too_small(found[bodies[0]].limited)
    turns = zip_longest(*(fitting.architectures for fitting in found.values()))
    order = [one for turn in turns for one in turn if one is not None][:tries]
    limits = {body: fitting.limited for body, fitting in found.items()}
    return [Candidate(one, cost(one)) for one in order], limits


def halve(entrants: Sequence[Candidate], learn: Learning, steps: int) -> list[Candidate]:
    """Train until one is left that would learn for ``steps``; all of them, the best one first."""
    left = list(entrants)
    out: list[Candidate] = []
    for rung in rungs(len(left), steps):
        measured = (learn(one.architecture, rung) for one in left)
        left = [
            replace(one, reached={**one.reached, rung: accuracy})
            for one, accuracy in zip(left, measured, strict=True)
        ]
        left.sort(key=lambda one: one.rank(one.steps))
        keep = -(-len(left) // KEEP)
        left, lost = left[:keep], left[keep:]
        out[:0] = lost
    return [*left, *out]


def rungs(count: int, steps: int) -> list[int]:
    """Return the steps of each turn, as many as it takes until one of ``count`` is left."""
    found: list[int] = []
    while count > 1 or not found:
        count = -(-count // KEEP)
        found.append(max(1, steps // KEEP ** (len(found) + 1)))
    return found[::-1]


def front(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that no other beats, cheapest first; the most accurate ones if they are too many."""
    unbeaten = [one for one in candidates if not any(other.beats(one) for other in candidates)]
    kept = sorted(unbeaten, key=lambda one: (-one.steps, -one.accuracy))[:FRONT]
    return tuple(sorted(kept, key=lambda one: one.cost.instructions))


def explain(found: Sequence[Candidate], limits: Mapping[str, str]) -> Choice:
    """Choose the first one and say in a sentence why, and what kept wider ones out."""
    best = found[0]
    chosen = best.architecture
    words = f"{chosen} answers {best.accuracy:.1%} of the samples kept back as the teacher does"
    if len(found) > 1:
        second = f"{found[1].architecture} {found[1].accuracy:.1%}"
        words += f", most of the {len(found)} networks that were tried (then {second})"
    kin = [one.architecture for one in found if one.architecture.body == chosen.body]
    if any(one.width > chosen.width for one in kin):
        limit = "a wider one did no better"
    else:
        limit = _limit(limits[chosen.body])
    return Choice(chosen, f"{words}; {limit}", front(found))


def _limit(limited: str) -> str:
    return f"a wider one does not fit: {limited}" if limited else "there is no wider one"


def kept_back(count: int, seed: int) -> NDArray[np.bool_]:
    """Which of ``count`` samples, in their pool's order, are kept back to compare networks."""
    block = np.arange(count) // max(1, min(BLOCK, count // BACK_SHARE))
    names = np.random.default_rng(seed).permutation(block[-1] + 1)
    return np.isin(block, names[: max(1, len(names) // BACK_SHARE)])


def _learning(lesson: Lesson, seed: int) -> Learning:
    back = kept_back(len(lesson.x), seed)
    taught = Lesson(lesson.x[~back], lesson.soft[~back], lesson.weight[~back])
    wanted, weight = lesson.soft[back].argmax(1), lesson.weight[back]

    def learn(architecture: Architecture, steps: int) -> float:
        model = student.train(taught, architecture, seed, steps)
        tflite = student.quantise(model, architecture, taught.x)
        right = judge.infer(tflite, lesson.x[back]).argmax(1) == wanted
        return float(np.average(right, weights=weight))

    return learn
