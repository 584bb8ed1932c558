"""What moved, in words and numbers that a person can check."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import groupby

from petiole.rollout.observed import Reference
from petiole.rollout.plan import Window

_SHOWN = 3  # changes of the confidences, of the classes, of the inputs
_SURE = 3.0  # standard deviations, by the number of inferences
_LEAST = 0.01  # a change of a share that is worth a word
_SAME = 0.005  # of full scale; a mean that moved less is what it was


def calm(reference: Reference, seen: Sequence[Window]) -> str:
    """Say what a field that has not moved looks like."""
    text = f"mean confidence {_confidence(_whole(seen)):.2f}"
    if reference.count:
        text += f", {reference.confidence_sum / reference.count / 255.0:.2f} at evaluation"
    return text


def explain(before: Sequence[Window], after: Sequence[Window], moved: Sequence[str]) -> str:
    """Compare the windows before a drift with those since it began; ``moved`` as ``bins`` says."""
    old, new = _whole(before), _whole(after)
    sure, now_sure = _confidence(old), _confidence(new)
    high, now_high = old.input_sum / old.count, new.input_sum / new.count
    model = _word(now_sure - sure, "less sure", "as sure as before", "surer")
    inputs = _word(now_high / 255 - high / 255, "lower", "as before", "higher")
    text = (
        f"since {new.start:%Y-%m-%d %H:%M:%S} the model is {model} "
        f"(mean confidence {sure:.2f} -> {now_sure:.2f}), "
        f"inputs are {inputs} (mean {high:.0f} -> {now_high:.0f} of 255)"
    )
    return "; ".join([text, *moved])


def bins(
    before: Sequence[Window], after: Sequence[Window], labels: Sequence[str]
) -> tuple[str, ...]:
    """Say which confidences, classes and mean inputs are rarer now, and which more frequent.

    Beside each group stands its population stability index, less what chance makes of so few.
    """
    old, new = _whole(before), _whole(after)

    def label(first: int, _: int) -> str:
        return f"'{labels[first]}'" if first < len(labels) else f"of class {first}"

    return tuple(
        f"{told}, PSI {stability(x, y):.2f}"
        for what, x, y, spans, name in (
            ("answers with confidence", old.confidence, new.confidence, _runs, _confidences),
            ("answers", old.classes, new.classes, _each, label),
            ("inputs with a mean of", old.inputs, new.inputs, _runs, _means),
        )
        if (told := _told(what, x, y, spans(x, y), name))
    )


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


Span = tuple[int, int]  # first and last bin


def _told(
    what: str,
    before: Sequence[int],
    after: Sequence[int],
    spans: Iterator[Span],
    name: Callable[[int, int], str],
) -> str:
    """Tell the largest changes that are no chance, the largest first."""
    n, m = sum(before), sum(after)
    found = []
    for first, last in spans:
        x, y = sum(before[first : last + 1]), sum(after[first : last + 1])
        p, q, both = x / n, y / m, (x + y) / (n + m)
        error = math.sqrt(both * (1.0 - both) * (1 / n + 1 / m))
        if abs(q - p) > max(_SURE * error, _LEAST):
            word = "more" if q > p else "fewer"
            words = f"{word} {what} {name(first, last)} ({100 * p:.0f} % -> {100 * q:.0f} %)"
            found.append((abs(q - p), words))
    found.sort(reverse=True)
    return ", ".join(words for _, words in found[:_SHOWN])


def _each(before: Sequence[int], after: Sequence[int]) -> Iterator[Span]:
    """Each bin by itself."""
    if sum(before) and sum(after):
        yield from ((n, n) for n in range(min(len(before), len(after))))


def _runs(before: Sequence[int], after: Sequence[int]) -> Iterator[Span]:
    """Neighbouring bins that moved the same way, those left out at which nothing happens."""
    n, m = sum(before), sum(after)
    if not n or not m:
        return
    steps = [y / m - x / n for x, y in zip(before, after, strict=False)]
    for _, run in groupby(range(len(steps)), lambda at: steps[at] > 0):
        worth = [at for at in run if abs(steps[at]) > _LEAST]
        if worth:
            yield worth[0], worth[-1]


def _confidences(first: int, last: int) -> str:
    return f"{first / 16:.2f}-{(last + 1) / 16:.2f}"


def _means(first: int, last: int) -> str:
    return f"{16 * first}-{16 * last + 15}"


def _word(step: float, less: str, same: str, more: str) -> str:
    return same if abs(step) < _SAME else less if step < 0 else more


def _whole(windows: Sequence[Window]) -> Window:
    return reduce(Window.plus, windows)


def _confidence(window: Window) -> float:
    return window.confidence_sum / window.count / 255.0
