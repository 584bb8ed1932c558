"""Plays of the scenario against one that nothing disturbed: where it ended, what it made, how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .normal import End, differences, extra, extra_starts
from .play import Disturbance, Outcome, Play
from .world import World

_SHOWN = 4  # differences


@dataclass(frozen=True, slots=True)
class Verdict:
    """One play against the undisturbed one."""

    disturbance: Disturbance
    outcome: Outcome
    different: tuple[str, ...]
    extra_runs: int
    extra_starts: int

    @property
    def same(self) -> bool:
        return not (self.different or self.extra_runs or self.extra_starts or self.outcome.unsafe)

    @property
    def reached(self) -> bool:
        """Tell whether the write came: a play may take one less than the undisturbed one."""
        return not self.disturbance.write or bool(self.outcome.what)

    @property
    def end(self) -> str:
        """Return one word or two."""
        if not self.same:
            return "different"
        return "same" if self.reached else "not reached"

    def __str__(self) -> str:
        outcome = self.outcome
        did = f"{outcome.what or '-'}, {outcome.seconds:.0f} s, {outcome.writes} writes"
        return "\n    ".join([f"{self.disturbance.name}: {self.end}: {did}", *self._wrong()])

    def _wrong(self) -> Iterable[str]:
        yield from (f"unsafe: {text}" for text in self.outcome.unsafe)
        yield from self.different[:_SHOWN]
        if len(self.different) > _SHOWN:
            yield f"and {len(self.different) - _SHOWN} more"
        if self.extra_runs or self.extra_starts:
            yield f"{self.extra_runs} more runs, {self.extra_starts} more starts of devices"


def undisturbed(world: World) -> Outcome:
    """Play without a disturbance. Raises RuntimeError when that does not end well."""
    outcome = Play(world, Disturbance("undisturbed")).run()
    if outcome.end is None or outcome.unsafe:
        raise RuntimeError(f"undisturbed: {outcome.problem} {' '.join(outcome.unsafe)}")
    return outcome


def plays(
    world: World, disturbances: Sequence[Disturbance], lanes: int, wanted: End
) -> Iterator[Verdict]:
    """Yield a verdict on each play, in order; ``lanes`` of them at a time."""
    made = [Play(world, disturbance) for disturbance in disturbances]
    with ThreadPoolExecutor(lanes) as pool:
        for disturbance, outcome in zip(disturbances, pool.map(Play.run, made), strict=True):
            yield judge(disturbance, outcome, wanted)


def judge(disturbance: Disturbance, outcome: Outcome, wanted: End) -> Verdict:
    """Compare a play with the undisturbed one."""
    end = outcome.end
    if end is None:
        return Verdict(disturbance, outcome, (outcome.problem,), 0, 0)
    different = differences(wanted.states, end.states)
    if outcome.writes_at_rest:
        different.append(f"{outcome.writes_at_rest} writes at rest")
    runs, starts = extra(end.runs, wanted.runs), extra_starts(end, wanted)
    return Verdict(disturbance, outcome, tuple(different), runs, starts)
