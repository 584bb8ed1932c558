"""What every source of labels does, and which one a TinyModel names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self


@dataclass(frozen=True, slots=True)
class Question:
    """A sample that wants a label. ``guess`` is the teacher's, empty where it shall not be seen."""

    id: str
    guess: str = ""
    confidence: float = 0.0  # 0..1

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> Self:
        """Read an element of ``queries``. The random arm stays honest: people see no guess."""
        if query.get("why") == "Random" or not query.get("guess"):
            return cls(str(query["id"]))
        return cls(str(query["id"]), str(query["guess"]), float(query["confidence"]))


@dataclass(frozen=True, slots=True)
class Batch:
    """The questions of one run."""

    run: str
    round: str  # what the names of all runs of the round begin with
    folder: str  # of the run in the store; its pictures lie there
    questions: tuple[Question, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(question.id for question in self.questions)


@dataclass(frozen=True, slots=True)
class Answers:
    """Labels by sample id, and what was wrong with the others, in words.

    Answers to earlier batches of the round may be among them: people correct themselves.
    """

    labels: Mapping[str, str]
    problem: str = ""


class LabelSource(Protocol):
    """Asks for labels and collects them. Both calls block, may be repeated, and raise Problem."""

    def ask(self, batch: Batch) -> None:
        """Hand over the questions that are not there yet."""

    def answers(self, batch: Batch) -> Answers:
        """Return the answers there are."""


def listed(what: Iterable[str]) -> str:
    """Name the first three: ``a; b; c and 4 more``."""
    names = list(what)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{'; '.join(names[:3])}{more}"
