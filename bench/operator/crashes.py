"""The crash sweep: the operator is killed after each of its writes in turn; the end is the same.

After Sieve (Sun et al., OSDI 2022): a controller killed between two writes, compared with a run
that nothing disturbed in its end state and in what it made. A second undisturbed play shows what
differs by itself: nothing, or the sweep would prove nothing.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .play import Disturbance, kill
from .verdicts import Verdict, plays, undisturbed
from .world import World

MOST = 150  # writes that the world has devices for
TRIES = 4  # plays for a write that not every play comes to: the last one


@dataclass(frozen=True, slots=True)
class Sweep:
    """All plays; ``writes`` of the undisturbed one, ``act`` by the number of a write."""

    writes: int
    acts: Sequence[tuple[str, int]]
    verdicts: Sequence[Verdict]

    @property
    def good(self) -> bool:
        return not _missed(self.verdicts) and all(verdict.same for verdict in self.verdicts)

    def act(self, write: int) -> str:
        """Return the act in which a write falls when nothing is disturbed."""
        return next((name for name, until in self.acts if write <= until), "rest")

    def figures(self) -> dict[str, Any]:
        """Return what goes to ``operator.json``."""
        return {
            "writes": self.writes,
            "killed": sum(bool(v.outcome.what) for v in self.verdicts),
            "missed": len(_missed(self.verdicts)),
            "different": sum(bool(v.different) for v in self.verdicts),
            "unsafe": sum(bool(v.outcome.unsafe) for v in self.verdicts),
            "extraRuns": sum(v.extra_runs for v in self.verdicts),
            "extraStarts": sum(v.extra_starts for v in self.verdicts),
            "writesAtRest": sum(v.outcome.writes_at_rest for v in self.verdicts),
        }


def sweep(every: int, lanes: int, console: Console, writes: Sequence[int] = ()) -> Sweep:
    """Kill after every ``every``-th write, or after ``writes``; prints a line a play.

    ``lanes`` plays go on at a time.
    """
    with (
        tempfile.TemporaryDirectory(prefix="petiole-crashes-") as folder,
        World(Path(folder), MOST + 2) as world,
    ):
        wanted = undisturbed(world)
        if wanted.end is None or wanted.writes > MOST:
            raise RuntimeError(f"undisturbed: {wanted.writes} writes")
        console.print(f"undisturbed: {wanted.writes} writes, {wanted.seconds:.0f} s")
        kills = [kill(write) for write in (0, *(writes or range(1, wanted.writes + 1, every)))]
        verdicts: list[Verdict] = []
        while kills:
            for verdict in plays(world, kills, lanes, wanted.end):
                verdicts.append(verdict)
                console.print(str(verdict), highlight=False, markup=False)
            kills = _again(verdicts)
    return Sweep(wanted.writes, wanted.acts, verdicts)


def _again(verdicts: Sequence[Verdict]) -> list[Disturbance]:
    """Return the kills whose write has not come in any play, unless they were tried often."""
    tries = Counter(verdict.disturbance.write for verdict in verdicts)
    return [kill(write) for write in _missed(verdicts) if tries[write] < TRIES]


def _missed(verdicts: Sequence[Verdict]) -> list[int]:
    """Return the writes that came in no play."""
    came = {verdict.disturbance.write for verdict in verdicts if verdict.reached}
    return sorted({verdict.disturbance.write for verdict in verdicts} - came)


def table(found: Sweep) -> Table:
    """Return a row for each kill."""
    made = Table(title=f"Killed after each of {found.writes} writes", title_justify="left")
    for name in ("write", "act", "what was written", "end", "extra runs", "extra starts", "s"):
        made.add_column(name, justify="left" if name in ("act", "what was written") else "right")
    for verdict in found.verdicts:
        outcome, write = verdict.outcome, verdict.disturbance.write
        made.add_row(
            str(write or "none"),
            found.act(write) if write else "",
            outcome.what,
            verdict.end,
            str(verdict.extra_runs),
            str(verdict.extra_starts),
            f"{outcome.seconds:.0f}",
        )
    return made
