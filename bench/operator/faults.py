"""Faults between the operator and the API server: the end is the one without.

Each begins in the middle of the first round, and again in the middle of the failing canary; an
operator that ends by it is started again. What was written on the way is checked write by write.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .breaks import BREAKS, Clock
from .play import Disturbance
from .verdicts import Verdict, plays, undisturbed
from .world import World

ENDS = 200  # times that a supervisor starts the operator again, without waiting
ACTS = ("round", "canary")


@dataclass(frozen=True, slots=True)
class Found:
    """A play for each fault and act."""

    verdicts: Sequence[Verdict]

    @property
    def failed(self) -> list[Verdict]:
        """Those with another end, and those in which the fault met nothing."""
        return [v for v in self.verdicts if v.end != "same" or not v.outcome.harmed]

    @property
    def good(self) -> bool:
        return not self.failed

    def figures(self) -> dict[str, int]:
        """Return what goes to ``operator.json``."""
        return {
            "cases": len(self.verdicts),
            "failed": len(self.failed),
            "unsafe": sum(bool(v.outcome.unsafe) for v in self.verdicts),
        }


def measure(names: Sequence[str], lanes: int, console: Console) -> Found:
    """Play each of these faults in each act, ``lanes`` at a time; prints a line a play."""
    with (
        tempfile.TemporaryDirectory(prefix="petiole-faults-") as folder,
        World(Path(folder), 1 + len(ACTS) * len(names)) as world,
    ):
        wanted = undisturbed(world)
        assert wanted.end is not None
        console.print(f"undisturbed: {wanted.writes} writes, {wanted.seconds:.0f} s")
        moments = middles(wanted.acts)
        faults = [disturbance(name, act, moments[act]) for name in names for act in ACTS]
        verdicts = []
        for verdict in plays(world, faults, lanes, wanted.end):
            verdicts.append(verdict)
            console.print(str(verdict), highlight=False, markup=False)
    return Found(verdicts)


def middles(acts: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Return the number of the write in the middle of each act, from the writes until each ends."""
    found, before = {}, 0
    for name, until in acts:
        found[name] = (before + until + 1) // 2
        before = until
    return found


def disturbance(name: str, act: str, write: int) -> Disturbance:
    """Return the fault, begun after this write."""
    seconds, break_ = BREAKS[name]
    return Disturbance(
        f"{name}, {act}", write, begin=lambda line: break_(line, Clock(seconds)), ends=ENDS
    )


def table(found: Found) -> Table:
    """Return a row for each play."""
    made = Table(title="Faults between operator and API server", title_justify="left")
    made.add_column("fault, begun in")
    for name in ("met", "starts", "end", "extra runs", "extra starts", "unsafe", "s"):
        made.add_column(name, justify="right")
    for verdict in found.verdicts:
        outcome = verdict.outcome
        made.add_row(
            verdict.disturbance.name,
            str(outcome.harmed),
            str(outcome.starts),
            verdict.end,
            str(verdict.extra_runs),
            str(verdict.extra_starts),
            str(len(outcome.unsafe)),
            f"{outcome.seconds:.0f}",
        )
    return made
