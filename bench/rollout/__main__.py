"""``python -m bench.rollout``: the peers on the same work, one after another, and the bars.

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
    results: dict[str, Figures] = {}
    for peer in PEERS:
        if peer.name in given.only:
            found = _leg(peer(), work, console)
            if found:
                results[peer.name] = found
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


def _leg(peer: Peer, work: Work, console: Console) -> Figures:
    runs: list[Run] = []
    began = time.monotonic()

    def tell(text: str) -> None:
        at = time.monotonic() - began
        console.print(f"[dim]{at:6.0f} s[/dim] [bold]{peer.name}[/bold] {text}", highlight=False)

    def done(run: Run) -> None:
        runs.append(run)
        tell(show.line(run))

    load = os.getloadavg()[0]
    broken = ""
    try:
        peer.run(work, tell, done)
    except Skip as reason:
        tell(f"[yellow]skipped[/yellow]: {escape(str(reason))}")
        return {}
    except (ProcessError, DeadlineError, HawkbitError) as error:
        broken = str(error)
        tell(f"[red]broke down[/red]: {escape(broken)}")
    machine = {"cpus": os.cpu_count(), "loadBefore": round(load, 2)}
    return {
        **figures(runs, peer.setting),
        "machine": machine,
        **({"broken": broken} if broken else {}),
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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="small numbers: does it work at all")
    parser.add_argument("--keep", action="store_true", help="keep logs and databases")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
