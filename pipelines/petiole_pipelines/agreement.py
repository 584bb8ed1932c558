"""How far two teachers agree: Cohen's kappa on what neither had a label for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


def kappa(now: Mapping[str, str], before: Mapping[str, str]) -> float | None:
    """Compare answers ``{id: label}`` on their common ids; None without any.

    J. Cohen, "A coefficient of agreement for nominal scales", 1960. 0 when both name one class
    only: what cannot differ proves nothing.
    """
    common = [name for name in now if name in before]
    if not common:
        return None
    count = len(common)
    agreed = sum(now[name] == before[name] for name in common) / count
    first, second = (Counter(said[name] for name in common) for said in (now, before))
    expected = sum(first[label] * second[label] for label in first) / count**2
    return 0.0 if expected == 1 else (agreed - expected) / (1 - expected)
