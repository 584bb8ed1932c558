"""Many runs of one build in a few numbers, with how sure they are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy import special

from .run import Run
from .world import Build

_SURE = 0.95  # of intervals


@dataclass(frozen=True, slots=True)
class Chance:
    """A share of the runs, 0..1, and the 95 % interval of the probability behind it."""

    share: float
    lower: float
    upper: float

    @classmethod
    def of(cls, hits: int, runs: int) -> Chance:
        """Clopper and Pearson, Biometrika 26 (1934), 404-413: covers at least as often as said."""
        tail = (1.0 - _SURE) / 2.0
        lower = 0.0 if hits == 0 else float(special.betaincinv(hits, runs - hits + 1, tail))
        upper = 1.0 if hits == runs else float(special.betaincinv(hits + 1, runs - hits, 1 - tail))
        return cls(hits / runs, lower, upper)


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean, median and 90th percentile of what the runs gave; ``error`` is the mean's."""

    mean: float
    error: float
    p50: float
    p90: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """None without a value. The percentiles are values that occurred (nearest rank)."""
        ordered = sorted(values)
        if not ordered:
            return None
        count = len(ordered)
        mean = math.fsum(ordered) / count
        squares = math.fsum((v - mean) ** 2 for v in ordered)
        error = math.sqrt(squares / (count - 1) / count) if count > 1 else 0.0
        return cls(mean, error, _rank(ordered, 0.5), _rank(ordered, 0.9))


@dataclass(frozen=True, slots=True)
class Passed:
    """A stage: the share of the runs that passed it, and when, in seconds since the beginning."""

    name: str
    share: float
    seconds: Spread | None


@dataclass(frozen=True, slots=True)
class Study:
    """What the policy does with one build. Times in seconds.

    ``deciding`` is the time until the rollout was stopped, ``finishing`` until it was promoted;
    None when it never was.
    """

    build: Build
    runs: int
    promoted: Chance
    stopped: Chance
    undecided: Chance
    unfinished: Chance
    exposed: Spread
    failed: Spread
    deciding: Spread | None
    finishing: Spread | None
    stages: tuple[Passed, ...]
    grants: Spread
    reports: Spread
    halts: Spread
    writes: Spread
    messages: tuple[tuple[str, int], ...]


def study(runs: Sequence[Run], stages: Sequence[str]) -> Study:
    """Sum up ``runs`` of one build through ``stages``. Raises ValueError without a run."""
    if not runs:
        raise ValueError("there is no run to sum up")
    ends = Counter(run.end for run in runs)
    number = len(runs)
    return Study(
        build=runs[0].build,
        runs=number,
        promoted=Chance.of(ends["Promoted"], number),
        stopped=Chance.of(ends["Stopped"], number),
        undecided=Chance.of(ends["Undecided"], number),
        unfinished=Chance.of(ends["Unfinished"], number),
        exposed=_all(run.exposed for run in runs),
        failed=_all(run.failed for run in runs),
        deciding=Spread.of(run.seconds for run in runs if run.end == "Stopped"),
        finishing=Spread.of(run.seconds for run in runs if run.end == "Promoted"),
        stages=tuple(_passed(name, runs) for name in stages),
        grants=_all(run.grants for run in runs),
        reports=_all(run.reports for run in runs),
        halts=_all(run.halts for run in runs),
        writes=_all(run.writes for run in runs),
        messages=_messages(runs),
    )


def _passed(name: str, runs: Sequence[Run]) -> Passed:
    times = [dict(run.stages)[name] for run in runs if name in dict(run.stages)]
    return Passed(name, len(times) / len(runs), Spread.of(times))


def _messages(runs: Sequence[Run]) -> tuple[tuple[str, int], ...]:
    """Return one message for each way in which runs ended without promotion, and its number."""
    ends: dict[str, list[str]] = {}
    for run in runs:
        if run.end != "Promoted":
            ends.setdefault(run.end, []).append(run.message)
    return tuple((f"{end}: {said[0]}", len(said)) for end, said in sorted(ends.items()))


def _all(values: Iterable[float]) -> Spread:
    spread = Spread.of(values)
    assert spread is not None
    return spread


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
