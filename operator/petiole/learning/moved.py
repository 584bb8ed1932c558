"""What moved, in words and numbers that a person can check."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

from petiole.rollout.observed import Reference
from petiole.rollout.plan import Window

_SHOWN = 3  # of the bins, and of the classes
_SURE = 3.0  # standard deviations, by the number of inferences
_LEAST = 0.01  # a change of a share that is worth a word


def calm(reference: Reference, seen: Sequence[Window]) -> str:
    """Say what a field that has not moved looks like."""
    text = f"mean confidence {_confidence(_whole(seen)):.2f}"
    if reference.count:
        text += f", {reference.confidence_sum / reference.count / 255.0:.2f} at evaluation"
    return text


def explain(before: Sequence[Window], after: Sequence[Window], bins: Sequence[str]) -> str:
    """Compare the windows before a drift with those since it began; ``bins`` as below."""
    old, new = _whole(before), _whole(after)
    text = (
        f"since {new.start:%Y-%m-%d %H:%M:%S} mean confidence {_confidence(old):.2f} -> "
        f"{_confidence(new):.2f}, mean input {old.input_sum / old.count:.0f} -> "
        f"{new.input_sum / new.count:.0f} of 255"
    )
    return "; ".join([text, *bins])


def bins(
    before: Sequence[Window], after: Sequence[Window], labels: Sequence[str]
) -> tuple[str, ...]:
    """Name the bins of the confidence and the classes whose shares changed most, and how much.

    Beside each group stands its population stability index, less what chance makes of so few.
    """
    old, new = _whole(before), _whole(after)
    edges = [f"{n / 16:.2f}-{(n + 1) / 16:.2f}" for n in range(16)]
    found = []
    for what, names, x, y in (
        ("confidence", edges, old.confidence, new.confidence),
        ("class", labels, old.classes, new.classes),
    ):
        shares = _changes(x, y)
        if shares:
            told = ", ".join(
                f"{what} {_name(names, n)} {100 * p:.0f} % -> {100 * q:.0f} %" for n, p, q in shares
            )
            found.append(f"{told} (PSI {stability(x, y):.2f})")
    return tuple(found)


def stability(before: Sequence[int], after: Sequence[int]) -> float:
    """Return the population stability index, less its expectation when nothing moved.

    That is ``(bins - 1) (1/n + 1/m)``: B. Yurdakul and J. Naranjo, "Statistical properties of the
    population stability index", Journal of Risk Model Validation 14 (2020). Half a count is added
    to each bin, so that an empty one has a logarithm; bins empty in both are left out.
    """
    used = [(x, y) for x, y in zip(before, after, strict=False) if x + y > 0]
    n, m = sum(x for x, _ in used), sum(y for _, y in used)
    if len(used) < 2 or not n or not m:
        return 0.0
    half = len(used) / 2
    pairs = [((x + 0.5) / (n + half), (y + 0.5) / (m + half)) for x, y in used]
    psi = math.fsum((q - p) * math.log(q / p) for p, q in pairs)
    return max(0.0, psi - (len(used) - 1) * (1 / n + 1 / m))


def _changes(before: Sequence[int], after: Sequence[int]) -> list[tuple[int, float, float]]:
    """Return (bin, share before, share after) of what changed most, the largest change first."""
    n, m = max(sum(before), 1), max(sum(after), 1)
    found = []
    for at, (x, y) in enumerate(zip(before, after, strict=False)):
        p, q, both = x / n, y / m, (x + y) / (n + m)
        error = math.sqrt(both * (1.0 - both) * (1 / n + 1 / m))
        if abs(q - p) > max(_SURE * error, _LEAST):
            found.append((at, p, q))
    return sorted(found, key=lambda change: -abs(change[2] - change[1]))[:_SHOWN]


def _name(names: Sequence[str], n: int) -> str:
    return names[n] if n < len(names) else str(n)


def _whole(windows: Sequence[Window]) -> Window:
    return reduce(Window.plus, windows)


def _confidence(window: Window) -> float:
    return window.confidence_sum / window.count / 255.0
