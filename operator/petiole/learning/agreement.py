"""When the answers of several people are one label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """``label`` is empty while there is none; ``disputed`` says that more of the same won't do."""

    label: str = ""
    disputed: bool = False


def agree(votes: Sequence[str], people: int, share: float) -> Verdict:
    """Judge one vote a person, once ``people`` have voted.

    A label needs ``share`` (0..1) of the votes, and more than any other.
    """
    if len(votes) < people:
        return Verdict()
    (label, count), *others = Counter(votes).most_common(2)
    tied = any(other == count for _, other in others)
    if tied or count < share * len(votes):
        return Verdict(disputed=True)
    return Verdict(label)
