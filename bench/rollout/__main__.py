"""``python -m bench.rollout``: the peers on the same work, one after another, and the bars.

What is compared must be measured at about the same time, as a machine may get faster and slower
within minutes: the peers take turns at the smallest fleet before each does all of its work.

Exit status 1 when a bar is missed or a peer breaks down; the others still run. ``--only`` leaves
peers out: bars that need them are then not judged.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from hack.testbed.processes import ROOT, ProcessError
from hack.testbed.waits import DeadlineError

from . import plot, show
from .figures import Figures, bars, figures
from .peers.goosebit import Goosebit
from .peers.hawkbit import Hawkbit, HawkbitError
from .peers.petiole import Petiole
from .work import Peer, Run, Skip, Work

OUTPUT = ROOT / "build" / "bench"
PEERS: tuple[type[Peer], ...] = (Goosebit, Hawkbit, Petiole)


def main() -> int:
    given = _parse(sys.argv[1:])
    console = Console()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="rollout-", dir=OUTPUT))
    work = _work(given, folder)
    legs = [_Leg(peer(), console) for peer in PEERS if peer.name in given.only]
    for turn in _turns(work, 1 if given.quick else given.turns):
        for leg in legs:
            leg.play(turn)
    results = {leg.peer.name: found for leg in legs if (found := leg.figures())}
    (OUTPUT / "rollout.json").write_text(json.dumps(results, indent=1) + "\n")
    judged = bars(results)
    show.results(console, results, judged)
    plot.draw(results, OUTPUT / "rollout.png")
    console.print(f"{OUTPUT / 'rollout.json'}, {OUTPUT / 'rollout.png'}")
    if given.keep:
        console.print(f"logs and databases: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    broken = any("broken" in found for found in results.values())
    return 1 if broken or any(bar.met is False for bar in judged) else 0


def _turns(work: Work, count: int) -> list[Work]:
    """Split into ``count`` turns: for speed at the smallest fleet, and all of it in the last."""
    brief = replace(work, devices=work.devices[:1], failing=())
    turns = [brief] * (count - 1) + [work]
    return [replace(one, folder=work.folder / f"turn-{n}") for n, one in enumerate(turns, 1)]


class _Leg:
    """One peer's part. A peer that was skipped or broke down takes no more turns."""

    def __init__(self, peer: Peer, console: Console) -> None:
        self.peer = peer
        self._console = console
        self._runs: list[Run] = []
        self._broken = ""
        self._skipped = False
        self._load = os.getloadavg()[0]

    def play(self, work: Work) -> None:
        """Take a turn."""
        if self._skipped or self._broken:
            return
        began = time.monotonic()

        def tell(text: str) -> None:
            at, name = time.monotonic() - began, self.peer.name
            self._console.print(
                f"[dim]{at:6.0f} s[/dim] [bold]{name}[/bold] {text}", highlight=False
            )

        def done(run: Run) -> None:
            self._runs.append(run)
            tell(show.line(run))

        work.folder.mkdir(exist_ok=True)
        try:
            self.peer.run(work, tell, done)
        except Skip as reason:
            tell(f"[yellow]skipped[/yellow]: {escape(str(reason))}")
            self._skipped = True
        except (ProcessError, DeadlineError, HawkbitError) as error:
            self._broken = str(error)
            tell(f"[red]broke down[/red]: {escape(self._broken)}")

    def figures(self) -> Figures:
        """Sum up; empty for a peer that was skipped."""
        if self._skipped:
            return {}
        machine = {"cpus": os.cpu_count(), "loadBefore": round(self._load, 2)}
        return {
            **figures(self._runs, self.peer.setting),
            "machine": machine,
            **({"broken": self._broken} if self._broken else {}),
        }


def _work(given: argparse.Namespace, folder: Path) -> Work:
    work = Work(folder, seed=given.seed, repeats=given.repeats)
    if given.quick:
        work = replace(
            work, devices=(100, 300), failing_devices=200, repeats=1, budget=60.0, warm_up=200
        )
    if given.devices:
        work = replace(work, devices=tuple(sorted(given.devices)))
    if given.failing is not None:
        work = replace(work, failing=tuple(percent / 100 for percent in given.failing))
    return work


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    names = [peer.name for peer in PEERS]
    parser = argparse.ArgumentParser(prog="bench.rollout", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="PEER")
    parser.add_argument("--devices", type=int, nargs="+", help="instead of 1000 and 10000")
    parser.add_argument("--failing", type=float, nargs="*", help="percents instead of 1 10 30")
    parser.add_argument("--repeats", type=int, default=10, help="of the failing runs")
    parser.add_argument("--turns", type=int, default=3, help="of the peers at the smallest fleet")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="small numbers: does it work at all")
    parser.add_argument("--keep", action="store_true", help="keep logs and databases")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
