"""Two ends compared: what may differ between plays of the same scenario is masked. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


@dataclass(frozen=True, slots=True)
class End:
    """What a play left behind. ``states`` are documents by name, ``runs`` names in order.

    ``starts`` counts how often each (place in the cohort, version) began to fetch it.
    """

    states: Mapping[str, Any]
    runs: tuple[str, ...]
    starts: Mapping[tuple[int, int], int]


def masked(document: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """Replace times, and each of ``names`` by its value, the longest first, wherever they stand."""
    text = json.dumps(document, sort_keys=True)
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return json.loads(_TIME.sub("<time>", text))


def differences(one: Any, other: Any, where: str = "") -> list[str]:  # noqa: ANN401
    """Return each leaf that differs, as ``path: one, other``."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = sorted(set(one) | set(other))
        return [d for k in keys for d in differences(one.get(k), other.get(k), f"{where}.{k}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [d for n, (a, b) in pairs for d in differences(a, b, f"{where}[{n}]")]
    if isinstance(one, list) and isinstance(other, list):
        gone = [f"{where.lstrip('.')}: {item!r}, None" for item in one if item not in other]
        new = [f"{where.lstrip('.')}: None, {item!r}" for item in other if item not in one]
        if gone or new:
            return gone + new
    return [] if one == other else [f"{where.lstrip('.')}: {one!r}, {other!r}"]


def extra(found: Sequence[str], wanted: Sequence[str]) -> int:
    """Return how many of ``found`` are there more often than in ``wanted``."""
    return (Counter(found) - Counter(wanted)).total()


def extra_starts(found: End, wanted: End) -> int:
    """Return how many starts of devices there are beyond the wanted ones."""
    return (Counter(found.starts) - Counter(wanted.starts)).total()
